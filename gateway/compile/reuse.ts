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
import { type DataObject, readOwn } from '../execute/data.ts';
import type { FetchStep } from '../plan/planner.ts';
import { inputsOf, type Position, plainLeafOf, positionsOf } from './answer-positions.ts';
import type { CompiledFetch } from './fetches.ts';
import type { Run } from './run.ts';
import { instantiate, nameLiteral, readSource, writeSource } from './source.ts';
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
    if (sources.length === 0) continue;
    const fill = compileFill(need, sources, fetch.known.at(fetch.step.path));
    reuses.set(fetch, {
      sources: [...new Set(sources.map((source) => source.fetch))],
      fill: (run, objects) => reuse(run, fill, sources, objects),
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
    find: compileTargets(schema, position.path, position.fetch.known),
    keyNames,
    names: need.leaves.map(([field, name]) => [position.leaves.get(field) ?? field, name] as const),
  };
}

function reuse(
  run: Run,
  fill: Fill,
  sources: readonly Source[],
  objects: readonly DataObject[],
): readonly DataObject[] {
  // A fetch that is still under way is not waited for here, and a failed one is no source.
  const known = sources.map((source) =>
    run.isWhole[source.fetch.number] === true ? knownOf(run, source) : undefined,
  );
  return known.every((byKey) => byKey === undefined) ? objects : fill(objects, known);
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

/**
 * Fills objects of which a source has all; gives the others.
 * @param known by source: its objects by the first of the key's fields; undefined where it is none
 */
type Fill = (
  objects: readonly DataObject[],
  known: readonly (ReadonlyMap<unknown, DataObject> | undefined)[],
) => readonly DataObject[];

/**
 * Generated: it passes every object of every place of an answer.
 * @param known the type of all objects, where they do not say it themselves
 */
function compileFill(need: Need, sources: readonly Source[], known: string | undefined): Fill {
  const [keyName = ''] = need.keyNames;
  const tries = sources.map((source, index) => trySource(need, source, index));
  const isOfType =
    known === undefined
      ? `object.__typename === ${nameLiteral(need.typeName)}`
      : String(known === need.typeName);
  return instantiate<Fill>(`return function fill(objects, known) {
  const left = [];
  let from, value;
  for (let i = 0; i < objects.length; i += 1) {
    const object = objects[i];
    if (${isOfType}) {
      const key = ${readSource('object', keyName)};
      ${tries.join('\n      ')}
    }
    left.push(object);
  }
  return left;
};`);
}

/** Takes all leaves or, when one of them never arrived or something sent differs, none. */
function trySource(need: Need, { keyNames, names }: Source, index: number): string {
  const conditions = [
    `known[${index}] !== undefined`,
    `(from = known[${index}].get(key)) !== undefined`,
    // Of the fields behind the first one, which found it. Equal lists and objects are not looked for.
    ...need.keyNames.slice(1).flatMap((name, at) => {
      const here = readSource('object', name);
      return [`${here} !== undefined`, `${here} === ${readSource('from', keyNames[at + 1] ?? name)}`];
    }),
    ...names.map(([name]) => `${readSource('from', name)} !== undefined`),
  ];
  const copies = names.map(
    ([fromName, name]) =>
      `value = ${readSource('from', fromName)}; if (value !== null || ${readSource('object', name)} === undefined) ${writeSource('object', name, 'value')}`,
  );
  return `if (${conditions.join(' && ')}) { ${copies.join(' ')} continue; }`;
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
