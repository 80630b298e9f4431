// Takes an entity's plain fields from what this request already has of the same subgraph, instead of fetching them again.
import {
  type GraphQLNamedType,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNullableType,
  isObjectType,
  Kind,
  type SelectionSetNode,
} from 'graphql';
import { type DataObject, readOwn, writeOwn } from '../execute/data.ts';
import type { FetchStep } from '../plan/planner.ts';
import { inputsOf, type Position, plainLeafOf, positionsOf } from './answer-positions.ts';
import type { CompiledFetch } from './fetches.ts';
import type { Run } from './run.ts';
import { compileTargets, type FindObjects } from './targets.ts';

export interface Reuse {
  /** Fetches that bring what this one asks for, maybe of the same entities. */
  readonly sources: readonly CompiledFetch[];
  /** Fills what is known already; gives the objects that must still be asked about. */
  fill(run: Run, objects: readonly DataObject[]): readonly DataObject[];
}

/** An entity fetch that asks for nothing but leaves of one type by plain fields of its own. */
interface Need {
  readonly typeName: string;
  /** Key and required fields as they are sent, those first that tell entities apart best. */
  readonly keyFields: readonly string[];
  /** Under which they lie in the data. */
  readonly keyNames: readonly string[];
  /** Field name and response name. */
  readonly leaves: readonly (readonly [field: string, name: string])[];
}

/** None for an operation that changes something: what was read before may hold no longer. */
export function compileReuse(
  schema: GraphQLSchema,
  fetches: readonly CompiledFetch[],
): ReadonlyMap<CompiledFetch, Reuse> {
  const reuses = new Map<CompiledFetch, Reuse>();
  if (fetches.some(({ step }) => step.operationKind === 'mutation')) return reuses;
  const positions = fetches.flatMap((fetch) => positionsOf(schema, fetch));
  let sourceCount = 0;
  for (const fetch of fetches) {
    const need = readNeed(schema, fetch.step);
    if (need === undefined) continue;
    const sources = positions.flatMap((position) => {
      const keyNames = position.fetch === fetch ? undefined : keyNamesAt(position, fetch, need);
      if (keyNames === undefined) return [];
      sourceCount += 1;
      return [sourceOf(schema, position, need, keyNames, sourceCount - 1)];
    });
    if (sources.length > 0)
      reuses.set(fetch, {
        sources: [...new Set(sources.map((source) => source.fetch))],
        fill: (run, objects) => reuse(run, need, sources, objects),
      });
  }
  return reuses;
}

/**
 * The names of the need's key fields at the position; undefined when it does not serve. An entity is the same by the one field
 * of its key, and a subgraph gives the same answer to the same representation, whatever is in it.
 */
function keyNamesAt(
  { fetch, typeName, leaves, inputs }: Position,
  { step }: CompiledFetch,
  need: Need,
): readonly string[] | undefined {
  if (fetch.step.system !== step.system || typeName !== need.typeName) return undefined;
  if (!need.leaves.every(([field]) => leaves.has(field))) return undefined;
  if (inputs?.size === need.keyFields.length && need.keyFields.every((field) => inputs.has(field)))
    return need.keyFields.map((field) => inputs.get(field) ?? field);
  const [key, more] = need.keyFields;
  if (key === undefined || more !== undefined || !leaves.has(key)) return undefined;
  return [leaves.get(key) ?? key];
}

interface Source {
  readonly number: number;
  readonly fetch: CompiledFetch;
  readonly find: FindObjects;
  /** Beside those of the need. */
  readonly keyNames: readonly string[];
  /** Response names there and here. */
  readonly names: readonly (readonly [from: string, to: string])[];
}

function sourceOf(
  schema: GraphQLSchema,
  position: Position,
  need: Need,
  keyNames: readonly string[],
  number: number,
): Source {
  return {
    number,
    fetch: position.fetch,
    find: compileTargets(schema, position.path),
    keyNames,
    names: need.leaves.map(([field, name]) => [position.leaves.get(field) ?? field, name] as const),
  };
}

function reuse(
  run: Run,
  need: Need,
  sources: readonly Source[],
  objects: readonly DataObject[],
): readonly DataObject[] {
  // A fetch that is still under way is not waited for here, and a failed one is no source.
  const done = sources.filter(({ fetch }) => run.isWhole[fetch.number] === true);
  if (done.length === 0) return objects;
  const known = done.map((source) => ({ source, byKey: knownOf(run, source) }));
  const [keyName = ''] = need.keyNames;
  return objects.filter((object) => {
    if (readOwn(object, '__typename') !== need.typeName) return true;
    const key = readOwn(object, keyName);
    return !known.some(({ source, byKey }) => {
      const from = byKey.get(key);
      return (
        from !== undefined &&
        hasSameInputs(from, source.keyNames, object, need.keyNames) &&
        copyLeaves(from, object, source.names)
      );
    });
  });
}

/** By the first of the key's fields; what two entities have in common of it, one of them serves for. */
function knownOf(run: Run, source: Source): ReadonlyMap<unknown, DataObject> {
  const known = run.known[source.number];
  if (known !== undefined) return known;
  const byKey = new Map<unknown, DataObject>();
  const [keyName = ''] = source.keyNames;
  for (const object of source.find(run.data)) {
    const key = readOwn(object, keyName);
    if (isPlain(key)) byKey.set(key, object);
  }
  run.known[source.number] = byKey;
  return byKey;
}

function isPlain(value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'number';
}

/** Of the fields behind the first one, which found it. Equal lists and objects are not looked for. */
function hasSameInputs(
  from: DataObject,
  fromNames: readonly string[],
  object: DataObject,
  names: readonly string[],
): boolean {
  for (let index = 1; index < names.length; index += 1) {
    const value = readOwn(object, names[index] ?? '');
    if (value === undefined || value !== readOwn(from, fromNames[index] ?? '')) return false;
  }
  return true;
}

/** False, and nothing copied, when one of them never arrived. */
function copyLeaves(from: DataObject, to: DataObject, names: Source['names']): boolean {
  for (const [name] of names) if (readOwn(from, name) === undefined) return false;
  for (const [fromName, toName] of names) {
    const value = readOwn(from, fromName);
    if (value !== null || readOwn(to, toName) === undefined) writeOwn(to, toName, value);
  }
  return true;
}

function readNeed(schema: GraphQLSchema, step: FetchStep): Need | undefined {
  const sent = inputsOf(step);
  if (sent === undefined || step.outputRewrites.length > 0) return undefined;
  const type = schema.getType(sent.typeName);
  if (!isObjectType(type)) return undefined;
  const leaves: (readonly [string, string])[] = [];
  if (!collectOnlyLeaves(type, step.selection, leaves)) return undefined;
  const keys = [...sent.inputs].toSorted(([a], [b]) => vagueness(type, a) - vagueness(type, b));
  return {
    typeName: type.name,
    keyFields: keys.map(([field]) => field),
    keyNames: keys.map(([, name]) => name),
    leaves,
  };
}

/** How little a field's type says about which entity it is. */
function vagueness(type: GraphQLObjectType, field: string): number {
  switch (String(getNullableType(type.getFields()[field]?.type))) {
    case 'ID':
      return 0;
    case 'String':
      return 1;
    default:
      return 2;
  }
}

/** False when anything but leaves without arguments and conditions is selected. */
function collectOnlyLeaves(
  type: GraphQLNamedType,
  selectionSet: SelectionSetNode,
  leaves: (readonly [string, string])[],
): boolean {
  return selectionSet.selections.every((node) => {
    if ((node.directives?.length ?? 0) > 0) return false;
    if (node.kind === Kind.INLINE_FRAGMENT)
      return (
        node.typeCondition?.name.value === type.name && collectOnlyLeaves(type, node.selectionSet, leaves)
      );
    if (node.kind === Kind.FRAGMENT_SPREAD) return false;
    const field = plainLeafOf(type, node);
    if (field !== undefined) leaves.push(field);
    return field !== undefined || node.name.value === '__typename';
  });
}
