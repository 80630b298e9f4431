// Finds where a plan's objects are of one object type whatever comes, and leaves out to ask for their `__typename` there.
import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLSchema,
  getNamedType,
  isObjectType,
  Kind,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql';
import { fetchStep, operationOf, parseFetch, withoutUnused } from '../plan/fetch-text.ts';
import { mapFetches } from '../plan/map-fetches.ts';
import type { FetchStep, Plan } from '../plan/planner.ts';
import { fieldType } from '../plan/typenames.ts';
import { isName } from './dependencies.ts';

/** Which object type the objects at a path of the data are of; undefined where their own `__typename` says it. */
export interface KnownTypes {
  /** @param path as a fetch has it: response names; list marks and type conditions are passed over */
  at(path: readonly string[]): string | undefined;
}

/** Every object says itself what it is. */
export const NO_KNOWN_TYPES: KnownTypes = { at: () => undefined };

export interface TypedPlan extends Pick<Plan, 'primary' | 'steps'> {
  readonly types: KnownTypes;
}

/** Fields of a plan's texts, those of a fragment as often as it is spread; above it a plan is left as it is. */
const FIELDS_MAX = 20_000;

/**
 * The plan, with fetches that do not ask what is known. Planners ask for `__typename` wherever they need a key, and to say
 * again of each object of a list what the schema says once can be more than the rest of an answer.
 * @param schema the supergraph's whole schema
 */
export function leaveOutTypenames(schema: GraphQLSchema, { primary, steps }: TypedSteps): TypedPlan {
  const untouched = { primary, steps, types: NO_KNOWN_TYPES };
  if (steps === undefined) return untouched;
  const places: Places = { schema, types: new Map(), holders: new Map(), fields: 0 };
  const documents = new Map<FetchStep, DocumentNode>();
  const read = (step: FetchStep): FetchStep => {
    const document = parseFetch(step.operation);
    documents.set(step, document);
    addFetch(places, step, document);
    return step;
  };
  if (primary !== undefined) read(primary);
  mapFetches(steps, read);
  const all = [...documents.keys()];
  // A context is taken from whichever object above is of its type, and an answer's names may be changed for one type only.
  const isPlain = all.every((step) => step.contextRewrites.length + step.outputRewrites.length === 0);
  if (!isPlain || places.fields > FIELDS_MAX) return untouched;
  const types: KnownTypes = {
    at: (path) => knownAt(places, path.filter(isName).join('.')),
  };
  return {
    primary,
    types,
    steps: mapFetches(steps, (step) => {
      const document = documents.get(step);
      return document === undefined ? step : shorten(places, step, document);
    }),
  };
}

type TypedSteps = Pick<Plan, 'primary' | 'steps'>;

/** A node whose selection is that of an object's place. */
type Holder = FieldNode | FragmentDefinitionNode;

interface Places {
  readonly schema: GraphQLSchema;
  /** By place, response names joined by dots: the types that fields there are declared with; `undefined` where the schema does not say. */
  readonly types: Map<string, Set<string | undefined>>;
  /** The places that a node's selection stands for. */
  readonly holders: Map<Holder, Set<string>>;
  fields: number;
}

function knownAt({ schema, types }: Places, place: string): string | undefined {
  const [only, second] = types.get(place) ?? [];
  return second === undefined && types.get(place)?.size === 1 && isObjectType(schema.getType(only ?? ''))
    ? only
    : undefined;
}

/** A document with the fragments that it is being read with. */
interface Reading {
  readonly places: Places;
  readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>;
}

function addFetch(places: Places, step: FetchStep, document: DocumentNode): void {
  const reading: Reading = { places, fragments: definitionsOf(document) };
  const operation = operationOf(document);
  const path = step.path.filter(isName);
  const [entities] = operation.selectionSet.selections;
  if (step.requires === undefined) {
    addSelections(reading, operation.selectionSet, places.schema.getRootType(step.operationKind)?.name, path);
  } else if (entities?.kind === Kind.FIELD && entities.selectionSet !== undefined) {
    addPlace(places, entities, path);
    addSelections(reading, entities.selectionSet, undefined, path);
  }
}

function definitionsOf(document: DocumentNode): Reading['fragments'] {
  return new Map(
    document.definitions.flatMap((node) =>
      node.kind === Kind.FRAGMENT_DEFINITION ? [[node.name.value, node] as const] : [],
    ),
  );
}

function addPlace({ holders }: Places, holder: Holder, path: readonly string[]): void {
  holders.getOrInsertComputed(holder, () => new Set()).add(path.join('.'));
}

function addSelections(
  reading: Reading,
  selectionSet: SelectionSetNode,
  parent: string | undefined,
  path: readonly string[],
): void {
  const { places, fragments } = reading;
  for (const node of selectionSet.selections) {
    places.fields += 1;
    if (places.fields > FIELDS_MAX) return;
    switch (node.kind) {
      case Kind.INLINE_FRAGMENT:
        addSelections(reading, node.selectionSet, node.typeCondition?.name.value ?? parent, path);
        break;
      case Kind.FRAGMENT_SPREAD: {
        const fragment = fragments.get(node.name.value);
        if (fragment === undefined) break;
        addPlace(places, fragment, path);
        addSelections(reading, fragment.selectionSet, fragment.typeCondition.name.value, path);
        break;
      }
      case Kind.FIELD: {
        if (node.selectionSet === undefined) break;
        const declared = fieldType(places.schema, parent, node.name.value);
        const type = declared === undefined ? undefined : getNamedType(declared).name;
        const below = [...path, (node.alias ?? node.name).value];
        places.types.getOrInsertComputed(below.join('.'), () => new Set()).add(type);
        addPlace(places, node, below);
        addSelections(reading, node.selectionSet, type, below);
        break;
      }
      default:
        node satisfies never;
    }
  }
}

function shorten(places: Places, step: FetchStep, document: DocumentNode): FetchStep {
  const reading: Reading = { places, fragments: definitionsOf(document) };
  const definitions = document.definitions.map((node) => {
    if (node.kind === Kind.FRAGMENT_DEFINITION) return withSelection(reading, node);
    if (node.kind !== Kind.OPERATION_DEFINITION) return node;
    // What stands at the root is no object of the data.
    const selectionSet = shortenBelow(reading, node.selectionSet);
    return selectionSet === node.selectionSet ? node : { ...node, selectionSet };
  });
  const isSame = definitions.every((node, index) => node === document.definitions[index]);
  return isSame ? step : fetchStep({ ...step, document: withoutUnused({ ...document, definitions }) });
}

function withSelection<Node extends Holder>(reading: Reading, node: Node): Node {
  const { selectionSet } = node;
  if (selectionSet === undefined) return node;
  const { places } = reading;
  const held = places.holders.get(node) ?? NOWHERE;
  const isKnown = held.size > 0 && [...held].every((place) => knownAt(places, place) !== undefined);
  const below = shortenBelow(reading, selectionSet);
  const shortened = isKnown && asksMore(reading, below) ? withoutTypename(below) : below;
  return shortened === selectionSet ? node : { ...node, selectionSet: shortened };
}

const NOWHERE: ReadonlySet<string> = new Set();

/** The fields of a selection shortened, not the selection itself. */
function shortenBelow(reading: Reading, selectionSet: SelectionSetNode): SelectionSetNode {
  return changed(selectionSet, (node) => {
    if (node.kind === Kind.FIELD) return [withSelection(reading, node)];
    if (node.kind === Kind.FRAGMENT_SPREAD) return [node];
    const below = shortenBelow(reading, node.selectionSet);
    return [below === node.selectionSet ? node : { ...node, selectionSet: below }];
  });
}

/** Whether something is asked of every object, whatever the variables. */
function asksMore(reading: Reading, { selections }: SelectionSetNode): boolean {
  return selections.some((node) => {
    if ((node.directives?.length ?? 0) > 0) return false;
    if (node.kind === Kind.FIELD) return !isTypename(node);
    const body = node.kind === Kind.INLINE_FRAGMENT ? node : reading.fragments.get(node.name.value);
    return body !== undefined && asksMore(reading, body.selectionSet);
  });
}

/** Of a place where something else is asked; a condition on the type in it holds for all or for none. */
function withoutTypename(selectionSet: SelectionSetNode): SelectionSetNode {
  return changed(selectionSet, (node) => {
    if (node.kind === Kind.FIELD) return isTypename(node) ? [] : [node];
    if (node.kind === Kind.FRAGMENT_SPREAD) return [node];
    const below = withoutTypename(node.selectionSet);
    if (below.selections.length === 0) return [];
    return [below === node.selectionSet ? node : { ...node, selectionSet: below }];
  });
}

function isTypename({ name, alias }: FieldNode): boolean {
  return name.value === '__typename' && alias === undefined;
}

/** The same selection when nothing in it is changed. */
function changed(
  selectionSet: SelectionSetNode,
  change: (node: SelectionNode) => readonly SelectionNode[],
): SelectionSetNode {
  const selections = selectionSet.selections.flatMap(change);
  const isSame =
    selections.length === selectionSet.selections.length &&
    selections.every((node, index) => node === selectionSet.selections[index]);
  return isSame ? selectionSet : { ...selectionSet, selections };
}
