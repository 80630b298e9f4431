// Compiles the question that a gateway asks most, `_entities` of one type, to a function that completes rows without executing fields.
import {
  type DocumentNode,
  type FieldNode,
  GraphQLEnumType,
  type GraphQLLeafType,
  type GraphQLObjectType,
  type GraphQLOutputType,
  GraphQLScalarType,
  type GraphQLSchema,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  Kind,
  type SelectionSetNode,
  specifiedScalarTypes,
} from 'graphql';
import type { EntityPlan, SystemPlan } from '../plan.ts';

/** A document that is one `_entities` of one loaded type, all of whose fields its loader brings. */
export interface EntitiesQuery {
  readonly entity: EntityPlan;
  /** The variable that holds the representations. */
  readonly variable: string;
  /** The name of the field in the answer. */
  readonly responseName: string;
  /** One row as the answer holds it; undefined when a value does not plainly fit its type: execution then says what of it is an error. */
  complete(row: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> | undefined;
}

/** Yields undefined for what does not fit, null for null. */
type Complete = (value: unknown) => unknown;

/** @returns undefined for every other document: execution answers those */
export function compileEntitiesQuery(
  plan: SystemPlan,
  schema: GraphQLSchema,
  document: DocumentNode,
): EntitiesQuery | undefined {
  const [operation, ...others] = document.definitions;
  if (operation?.kind !== Kind.OPERATION_DEFINITION || operation.operation !== 'query') return undefined;
  if (others.length > 0 || (operation.directives ?? []).length > 0) return undefined;
  const [field, ...fields] = operation.selectionSet.selections;
  if (field?.kind !== Kind.FIELD || field.name.value !== '_entities' || fields.length > 0) return undefined;
  const representations = field.arguments?.[0]?.value;
  if (representations?.kind !== Kind.VARIABLE || (field.directives ?? []).length > 0) return undefined;
  const [fragment, ...fragments] = field.selectionSet?.selections ?? [];
  if (fragment?.kind !== Kind.INLINE_FRAGMENT || fragments.length > 0) return undefined;
  const name = fragment.typeCondition?.name.value ?? '';
  const [type, entity] = [schema.getType(name), plan.entities.get(name)];
  if (!isObjectType(type) || entity === undefined || (fragment.directives ?? []).length > 0) return undefined;
  const complete = new Completion(plan).object(type, fragment.selectionSet);
  if (complete === undefined) return undefined;
  return {
    entity,
    variable: representations.name.value,
    responseName: field.alias?.value ?? field.name.value,
    complete: complete as EntitiesQuery['complete'],
  };
}

class Completion {
  readonly #plan: SystemPlan;

  constructor(plan: SystemPlan) {
    this.#plan = plan;
  }

  /** Of an object that is there; undefined where a field needs more than its parent holds. */
  object(type: GraphQLObjectType, selections: SelectionSetNode): Complete | undefined {
    const names = new Set<string>();
    const fields: { readonly responseName: string; readonly name: string; readonly complete: Complete }[] =
      [];
    for (const node of selections.selections) {
      if (node.kind !== Kind.FIELD || (node.directives ?? []).length > 0) return undefined;
      const responseName = node.alias?.value ?? node.name.value;
      // Two fields of one name are merged, which execution does.
      if (names.has(responseName) || responseName in Object.prototype) return undefined;
      names.add(responseName);
      const complete = this.#field(type, node);
      if (complete === undefined) return undefined;
      fields.push({ responseName, name: node.name.value, complete });
    }
    return generateObject(fields);
  }

  #field(type: GraphQLObjectType, node: FieldNode): Complete | undefined {
    const name = node.name.value;
    if (name === '__typename') return () => type.name;
    const field = type.getFields()[name];
    if (field === undefined || name in Object.prototype || field.args.length > 0) return undefined;
    if (this.#plan.fields.has(`${type.name}.${name}`)) return undefined;
    return this.#value(field.type, node.selectionSet);
  }

  #value(type: GraphQLOutputType, selections: SelectionSetNode | undefined): Complete | undefined {
    if (isNonNullType(type)) {
      const complete = this.#value(type.ofType, selections);
      return complete && ((value) => (value === null || value === undefined ? undefined : complete(value)));
    }
    if (isListType(type)) return listOf(this.#value(type.ofType, selections));
    if (isLeafType(type)) return orNull(leaf(type));
    // Another entity may have to be loaded, and an abstract type to be resolved.
    if (!isObjectType(type) || this.#plan.entities.has(type.name) || selections === undefined)
      return undefined;
    const complete = this.object(type, selections);
    return (
      complete &&
      orNull((value) => (typeof value === 'object' && !Array.isArray(value) ? complete(value) : undefined))
    );
  }
}

/** One function with a place of its own for each field, so that the engine sees the shape of rows and of answers. */
function generateObject(
  fields: readonly { readonly responseName: string; readonly name: string; readonly complete: Complete }[],
): Complete {
  const steps = fields.map(
    ({ name }, index) =>
      `const v${index} = c${index}(o[${JSON.stringify(name)}]); if (v${index} === undefined) return undefined;`,
  );
  const properties = fields.map(({ responseName }, index) => `${JSON.stringify(responseName)}: v${index}`);
  const code = `"use strict";
const [${fields.map((_, index) => `c${index}`).join(', ')}] = c;
return function complete(o) { ${steps.join(' ')} return { ${properties.join(', ')} }; };`;
  return (new Function('c', code) as (complete: readonly Complete[]) => Complete)(
    fields.map(({ complete }) => complete),
  );
}

function orNull(complete: Complete): Complete {
  return (value) => (value === null || value === undefined ? null : complete(value));
}

function listOf(complete: Complete | undefined): Complete | undefined {
  if (complete === undefined) return undefined;
  return orNull((value) => {
    if (!Array.isArray(value)) return undefined;
    const completed = value.map(complete);
    return completed.includes(undefined) ? undefined : completed;
  });
}

const INT_MAX = 2_147_483_647;
const INT_MIN = -2_147_483_648;

/** What serializes to itself: https://spec.graphql.org/October2021/#sec-Scalars; whatever must be coerced is left to execution. */
function leaf(type: GraphQLLeafType): Complete {
  if (type instanceof GraphQLEnumType) {
    // An enum of an SDL has its names as its values.
    const names = new Set<unknown>(type.getValues().map(({ name }) => name));
    return (value) => (names.has(value) ? value : undefined);
  }
  switch (type.name) {
    case 'Int':
      return (value) =>
        typeof value === 'number' && Number.isInteger(value) && value <= INT_MAX && value >= INT_MIN
          ? value
          : undefined;
    case 'Float':
      return (value) => (typeof value === 'number' && Number.isFinite(value) ? value : undefined);
    case 'Boolean':
      return (value) => (typeof value === 'boolean' ? value : undefined);
    case 'ID':
      return (value) =>
        typeof value === 'string' ? value : Number.isInteger(value) ? String(value) : undefined;
    default:
      return isPlainScalar(type)
        ? (value) => (typeof value === 'string' ? value : undefined)
        : () => undefined;
  }
}

/** Text, or a scalar of the SDL, which has no code of its own. */
function isPlainScalar(type: GraphQLLeafType): boolean {
  return (
    type instanceof GraphQLScalarType && (type.name === 'String' || !specifiedScalarTypes.includes(type))
  );
}
