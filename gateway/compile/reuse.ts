// Takes an entity's plain fields from what this request already has of the same subgraph, instead of fetching them again.
import {
  type GraphQLNamedType,
  type GraphQLSchema,
  isObjectType,
  Kind,
  type SelectionSetNode,
} from 'graphql';
import { type DataObject, readOwn, writeOwn } from '../execute/data.ts';
import type { FetchStep } from '../plan/planner.ts';
import { type Position, plainLeafOf, positionsOf } from './answer-positions.ts';
import type { CompiledFetch } from './fetches.ts';
import type { Run } from './run.ts';
import { compileTargets, type FindObjects } from './targets.ts';

/** Fills what is known already; gives the objects that must still be asked about. */
export type Reuse = (run: Run, objects: readonly DataObject[]) => readonly DataObject[];

/** An entity fetch that asks for nothing but leaves of one type by a key of one field. */
interface Need {
  readonly typeName: string;
  readonly keyField: string;
  /** Under which the key lies in the data. */
  readonly keyName: string;
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
    const sources = positions
      .filter((position) => position.fetch !== fetch && serves(position, fetch, need))
      .map((position) => {
        sourceCount += 1;
        return sourceOf(schema, position, need, sourceCount - 1);
      });
    if (sources.length > 0) reuses.set(fetch, (run, objects) => reuse(run, need, sources, objects));
  }
  return reuses;
}

function serves(position: Position, { step }: CompiledFetch, need: Need): boolean {
  return (
    position.fetch.step.system === step.system &&
    position.typeName === need.typeName &&
    position.leaves.has(need.keyField) &&
    need.leaves.every(([field]) => position.leaves.has(field))
  );
}

interface Source {
  readonly number: number;
  readonly fetch: CompiledFetch;
  readonly find: FindObjects;
  readonly keyName: string;
  /** Response names there and here. */
  readonly names: readonly (readonly [from: string, to: string])[];
}

function sourceOf(schema: GraphQLSchema, position: Position, need: Need, number: number): Source {
  return {
    number,
    fetch: position.fetch,
    find: compileTargets(schema, position.path),
    keyName: position.leaves.get(need.keyField) ?? need.keyField,
    names: need.leaves.map(([field, name]) => [position.leaves.get(field) ?? field, name] as const),
  };
}

function reuse(
  run: Run,
  need: Need,
  sources: readonly Source[],
  objects: readonly DataObject[],
): readonly DataObject[] {
  // A fetch that is still under way is not waited for, and a failed one is no source.
  const done = sources.filter(({ fetch }) => run.isWhole[fetch.number] === true);
  if (done.length === 0) return objects;
  const known = done.map((source) => ({ names: source.names, byKey: knownOf(run, source) }));
  return objects.filter((object) => {
    if (readOwn(object, '__typename') !== need.typeName) return true;
    const key = readOwn(object, need.keyName);
    return !known.some(({ names, byKey }) => {
      const from = byKey.get(key);
      return from !== undefined && copyLeaves(from, object, names);
    });
  });
}

function knownOf(run: Run, source: Source): ReadonlyMap<unknown, DataObject> {
  const known = run.known[source.number];
  if (known !== undefined) return known;
  const byKey = new Map<unknown, DataObject>();
  for (const object of source.find(run.data)) {
    const key = readOwn(object, source.keyName);
    if (typeof key === 'string' || typeof key === 'number') byKey.set(key, object);
  }
  run.known[source.number] = byKey;
  return byKey;
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
  const [required, more] = step.requires ?? [];
  if (required?.kind !== 'fragment' || more !== undefined || required.typeCondition === undefined)
    return undefined;
  if (required.skipIf !== undefined || required.includeIf !== undefined) return undefined;
  if (step.inputRewrites.length + step.outputRewrites.length + step.contextRewrites.length > 0)
    return undefined;
  const keys = required.selections.filter((part) => part.kind !== 'field' || part.name !== '__typename');
  const [key, second] = keys;
  if (key?.kind !== 'field' || key.selections !== undefined || second !== undefined) return undefined;
  const type = schema.getType(required.typeCondition);
  if (!isObjectType(type)) return undefined;
  const leaves: (readonly [string, string])[] = [];
  if (!collectOnlyLeaves(type, step.selection, leaves)) return undefined;
  return { typeName: type.name, keyField: key.sentAs ?? key.name, keyName: key.name, leaves };
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
