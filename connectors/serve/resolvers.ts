// Generates the resolvers of a wrapped system from its plan.
import { HubError } from '@weft/core/errors';
import type { GraphQLFieldResolver, GraphQLResolveInfo } from 'graphql';
import { forgetWritten } from '../freshness/forget.ts';
import { callRead } from '../load/answers.ts';
import { operationName, type Row } from '../load/connect.ts';
import { loadBatchField, loadEntity } from '../load/loaders.ts';
import type { RequestContext } from '../load/request-context.ts';
import { writeOnce } from '../load/write-once.ts';
import type { EntityPlan, FieldPlan, SystemPlan } from '../plan.ts';
import { recordKey } from '../record-key.ts';
import { upstreamError } from '../upstream-error.ts';

type Parent = Readonly<Record<string, unknown>>;
type Resolver = GraphQLFieldResolver<Parent, RequestContext, Readonly<Record<string, unknown>>>;
type ReferenceResolver = (reference: Parent, context: RequestContext) => unknown;
export type TypeResolvers = Record<string, Resolver | ReferenceResolver>;

/** A field of the served schema, as far as resolving needs it. */
export interface ServedField {
  readonly parentType: string;
  readonly name: string;
  /** The named type at its end. */
  readonly returnType: string;
  readonly isList: boolean;
}

/** One resolver for every field of every object type, and `__resolveReference` for every entity that is loaded here. */
export function buildResolvers(
  plan: SystemPlan,
  fields: readonly ServedField[],
): Record<string, TypeResolvers> {
  const resolvers: Record<string, TypeResolvers> = {};
  for (const field of fields) {
    resolvers[field.parentType] = {
      ...resolvers[field.parentType],
      [field.name]: fieldResolver(plan, field),
    };
  }
  for (const entity of plan.entities.values()) {
    const __resolveReference: ReferenceResolver = (reference, context) => {
      const key = keyText(entity, reference);
      return key === undefined ? null : loadEntity(context, entity, key);
    };
    resolvers[entity.type] = { ...resolvers[entity.type], __resolveReference };
  }
  return resolvers;
}

function fieldResolver(plan: SystemPlan, field: ServedField): Resolver {
  const planned = plan.fields.get(`${field.parentType}.${field.name}`);
  return planned === undefined ? plainField(plan, field) : plannedField(plan, field, planned);
}

function plannedField(plan: SystemPlan, field: ServedField, planned: FieldPlan): Resolver {
  switch (planned.kind) {
    case 'call':
      if (planned.write !== undefined)
        return (_parent, args, context) => submitWrite(field.name, args, context);
      return async (parent, args, context, info) => {
        const scope = { args, this: parent ?? {} };
        const isRead = field.parentType !== 'Mutation';
        const rows = isRead
          ? await callRead(context, `${field.parentType}.${field.name}`, planned, scope, info.path)
          : await writeOnce(context, planned.connect, scope).catch(async (thrown: unknown) => {
              if (HubError.from(thrown).code === 'WRITE_UNKNOWN')
                await forgetRows(plan, planned, [], context);
              throw thrown;
            });
        if (!isRead) await forgetRows(plan, planned, rows, context);
        return planned.list ? rows : one(rows, planned, field, context);
      };
    case 'batch': {
      const name = `${field.parentType}.${field.name}`;
      return async (parent, _args, context, info) => {
        const key = parent[planned.parentKeyField];
        if (key === null || key === undefined) return null;
        const rows = await loadBatchField(context, name, planned, key);
        context.origins.note(info.path, rows);
        return planned.connect.batch.many ? rows : (rows[0] ?? null);
      };
    }
    case 'reference': {
      const entity = plan.entities.get(planned.returnType);
      return (parent, args, context, info) => {
        const value = planned.key.evaluate({ this: parent ?? {}, args, env: context.system.env });
        return resolveValue(field, entity, keyObject(value, entity), context, info);
      };
    }
    default:
      return planned satisfies never;
  }
}

function submitWrite(
  field: string,
  args: Readonly<Record<string, unknown>>,
  { submitWrite: submit, system }: RequestContext,
): Promise<Row> {
  if (submit !== undefined) return submit(field, args);
  throw new HubError(
    'STORE_UNAVAILABLE',
    `${system.plan.name}: writes are stored in the hub's PostgreSQL, and this host has none: put the folder under subgraphs/ and start the hub`,
  );
}

/** A field that the parent brings; what it lacks is completed by the entity's loader, once a request. */
function plainField(plan: SystemPlan, field: ServedField): Resolver {
  const owner = plan.entities.get(field.parentType);
  const target = plan.entities.get(field.returnType);
  const isCompleted = owner !== undefined && !keyFieldsOf(owner).includes(field.name);
  const complete = async (parent: Parent, context: RequestContext, info: GraphQLResolveInfo) => {
    const key = owner === undefined ? undefined : keyText(owner, parent);
    const full = owner === undefined || key === undefined ? null : await loadEntity(context, owner, key);
    context.origins.note(info.path.prev, full);
    const value = full === null ? undefined : own(full, field.name);
    return resolveValue(field, target, value ?? null, context, info);
  };
  // What is there is given at once: a promise a field is what a long list waits for.
  return (parent, _args, context, info) => {
    const value = own(parent, field.name);
    context.origins.note(info.path.prev, parent);
    if (value === undefined && isCompleted) return complete(parent, context, info);
    return resolveValue(field, target, value ?? null, context, info);
  };
}

function resolveValue(
  field: ServedField,
  entity: EntityPlan | undefined,
  value: unknown,
  context: RequestContext,
  info: GraphQLResolveInfo,
): unknown {
  // Members of a list come from an answer that had them; their fields are completed one by one when asked for.
  if (entity === undefined || field.isList || value === null || typeof value !== 'object') return value;
  const key = keyText(entity, value as Parent);
  if (key === undefined) return null;
  const given = new Set([...keyFieldsOf(entity), '__typename']);
  const bringsMore = Object.keys(value).some((name) => !given.has(name));
  // Whoever asks for nothing but the key is not worth a call.
  if (bringsMore || selectsOnly(info, given)) return value;
  return loadEntity(context, entity, key);
}

/** A mapped key, alone or within an object, as an object with the key: null when there is none. */
function keyObject(value: unknown, entity: EntityPlan | undefined): unknown {
  if (value === null || value === undefined) return null;
  if (Array.isArray(value))
    return value.map((item) => keyObject(item, entity)).filter((item) => item !== null);
  if (typeof value === 'object' || entity === undefined) return value;
  return { [entity.keyField]: value };
}

function keyFieldsOf(entity: EntityPlan): readonly string[] {
  return entity.keyFields ?? [entity.keyField];
}

/** What the loader knows an entity by; undefined when its key is not whole. */
function keyText(entity: EntityPlan, object: Parent): string | undefined {
  if (entity.keyFields !== undefined) return recordKey(entity.keyFields, object);
  const key = own(object, entity.keyField);
  return key === null || key === undefined ? undefined : String(key);
}

/** What a write may have changed is not given again as it was. */
async function forgetRows(
  plan: SystemPlan,
  { connect, returnType }: Extract<FieldPlan, { kind: 'call' }>,
  rows: readonly Row[],
  context: RequestContext,
): Promise<void> {
  const entity = plan.entities.get(returnType);
  const keys = rows.flatMap((row) => {
    const key = entity === undefined ? undefined : keyText(entity, row);
    return key === undefined ? [] : [key];
  });
  await forgetWritten(context.system, connect.source, returnType, keys);
}

function selectsOnly(info: GraphQLResolveInfo, names: ReadonlySet<string>): boolean {
  return info.fieldNodes.every((node) =>
    (node.selectionSet?.selections ?? []).every(
      (selection) => selection.kind === 'Field' && names.has(selection.name.value),
    ),
  );
}

function one(
  rows: readonly Row[],
  planned: Extract<FieldPlan, { kind: 'call' }>,
  field: ServedField,
  context: RequestContext,
): Row | null {
  if (rows.length <= 1) return rows[0] ?? null;
  const { source, call } = planned.connect;
  const callContext = { system: context.system.plan.name, source, operation: operationName(call) };
  throw upstreamError(
    'UPSTREAM_INVALID',
    `expected one ${field.returnType}, got ${rows.length}`,
    callContext,
    {
      duplicates: rows.length,
    },
  );
}

/** Own properties only: a row's keys come from outside. */
function own(object: Parent | null | undefined, name: string): unknown {
  return object !== null && object !== undefined && Object.hasOwn(object, name) ? object[name] : undefined;
}
