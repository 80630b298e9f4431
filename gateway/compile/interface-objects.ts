// Completes fetches from subgraphs that know an interface as an object type (`@interfaceObject`): planners leave out what tells such objects apart, and what their fields require.
import {
  type ConstDirectiveNode,
  type DocumentNode,
  type FieldNode,
  type GraphQLSchema,
  getNamedType,
  isInterfaceType,
  Kind,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql';
import { fetchStep, parseFetch } from '../plan/fetch-text.ts';
import type { FetchStep, Step } from '../plan/planner.ts';
import { OWN_PREFIX } from '../plan/private-names.ts';
import { fieldType } from '../plan/typenames.ts';
import { graphNameOf, keysOf, textArgumentOf } from './entity-keys.ts';
import {
  type InterfaceObjectsOfGraph,
  missingRequirements,
  TYPENAME,
} from './interface-object-requirements.ts';

/**
 * @param schema the supergraph's whole schema
 * @param askedTypes of which object types at a path the client asks for a field of some names
 */
export function completeInterfaceObjects(
  schema: GraphQLSchema,
  steps: Step,
  askedTypes: InterfaceObjectsOfGraph['askedTypes'],
): Step {
  const names = interfaceObjectsOf(schema);
  if (names.size === 0) return steps;
  const ownNames = new Set<string>();
  mapFetches(steps, (step) => {
    for (const [, name] of step.operation.matchAll(OWN_NAME)) if (name !== undefined) ownNames.add(name);
    return step;
  });
  return mapFetches(steps, (step) => completeFetch({ schema, names, askedTypes, ownNames }, step));
}

/** What the client's aliases would hide is under a name of its own throughout the plan (`plan/private-names.ts`). */
const OWN_NAME = new RegExp(`\\b${OWN_PREFIX}(\\w+)`, 'g');

interface InterfaceObjects extends Pick<InterfaceObjectsOfGraph, 'schema' | 'askedTypes'> {
  /** Fields that are fetched under such a name. */
  readonly ownNames: ReadonlySet<string>;
  /** By the graph's name in `join__Graph`: the interfaces that it knows as object types. */
  readonly names: ReadonlyMap<string, ReadonlySet<string>>;
}

function interfaceObjectsOf(schema: GraphQLSchema): ReadonlyMap<string, ReadonlySet<string>> {
  const names = new Map<string, Set<string>>();
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isInterfaceType(type)) continue;
    for (const directive of type.astNode?.directives ?? []) {
      if (directive.name.value !== 'join__type' || !isTrue(directive, 'isInterfaceObject')) continue;
      const graph = textArgumentOf(directive, 'graph');
      if (graph !== undefined) names.getOrInsertComputed(graph, () => new Set()).add(type.name);
    }
  }
  return names;
}

function isTrue(directive: ConstDirectiveNode, name: string): boolean {
  const value = directive.arguments?.find((argument) => argument.name.value === name)?.value;
  return value?.kind === Kind.BOOLEAN && value.value;
}

function mapFetches(step: Step, change: (step: FetchStep) => FetchStep): Step {
  const mapped = (child: Step | undefined) => (child === undefined ? undefined : mapFetches(child, change));
  switch (step.kind) {
    case 'fetch':
      return change(step);
    case 'sequence':
    case 'parallel':
      return { ...step, steps: step.steps.map((child) => mapFetches(child, change)) };
    case 'condition':
      return { ...step, whenTrue: mapped(step.whenTrue), whenFalse: mapped(step.whenFalse) };
    case 'defer':
      return {
        ...step,
        primary: { ...step.primary, steps: mapped(step.primary.steps) },
        deferred: step.deferred.map((block) => ({ ...block, steps: mapped(block.steps) })),
      };
    default:
      return step satisfies never;
  }
}

/** What a fetch's selections are read against. */
interface Reading extends InterfaceObjectsOfGraph {
  readonly ownNames: ReadonlySet<string>;
  readonly system: string;
}

function completeFetch(
  { schema, names, askedTypes, ownNames }: InterfaceObjects,
  step: FetchStep,
): FetchStep {
  const graph = graphNameOf(schema, step.system);
  const known = graph === undefined ? undefined : names.get(graph);
  const reading: Reading = {
    schema,
    graph,
    askedTypes,
    ownNames,
    system: step.system,
    isInterfaceObject: (typeName): typeName is string =>
      typeName !== undefined && known?.has(typeName) === true,
  };
  const document = parseFetch(step.operation);
  const completed = completeDocument(reading, document);
  const added = step.requires === undefined ? [] : missingRequirements(reading, step);
  if (completed === document && added.length === 0) return step;
  const requires = step.requires === undefined ? undefined : [...step.requires, ...added];
  return fetchStep({ ...step, document: completed, requires });
}

/** The same document when nothing is missing. */
function completeDocument(reading: Reading, document: DocumentNode): DocumentNode {
  let isChanged = false;
  const definitions = document.definitions.map((node) => {
    if (node.kind !== Kind.OPERATION_DEFINITION && node.kind !== Kind.FRAGMENT_DEFINITION) return node;
    const typeName =
      node.kind === Kind.OPERATION_DEFINITION
        ? reading.schema.getRootType(node.operation)?.name
        : node.typeCondition.name.value;
    const selectionSet = completeSelections(reading, node.selectionSet, typeName);
    if (selectionSet === node.selectionSet) return node;
    isChanged = true;
    return { ...node, selectionSet };
  });
  return isChanged ? { ...document, definitions } : document;
}

function completeSelections(
  reading: Reading,
  selectionSet: SelectionSetNode,
  typeName: string | undefined,
): SelectionSetNode {
  let isChanged = false;
  const selections = selectionSet.selections.map((node): SelectionNode => {
    if (node.kind === Kind.FRAGMENT_SPREAD || node.selectionSet === undefined) return node;
    const below = completeBelow(reading, node, node.selectionSet, typeName);
    if (below === node.selectionSet) return node;
    isChanged = true;
    return { ...node, selectionSet: below };
  });
  // Under another name only, the type would be the client's to read and nobody else's.
  if (asks(selections, '__typename', true) && !asks(selections, '__typename')) {
    isChanged = true;
    selections.unshift(TYPENAME);
  }
  return isChanged ? { ...selectionSet, selections } : selectionSet;
}

function completeBelow(
  reading: Reading,
  node: Exclude<SelectionNode, { readonly kind: Kind.FRAGMENT_SPREAD }>,
  selectionSet: SelectionSetNode,
  typeName: string | undefined,
): SelectionSetNode {
  if (node.kind === Kind.INLINE_FRAGMENT)
    return completeSelections(reading, selectionSet, node.typeCondition?.name.value ?? typeName);
  const declared = fieldType(reading.schema, typeName, node.name.value);
  const name = declared === undefined ? undefined : getNamedType(declared).name;
  const completed = completeSelections(reading, selectionSet, name);
  return reading.isInterfaceObject(name) ? withKey(reading, completed, name) : completed;
}

/** Without its key nobody else can be asked which object of the interface it is. */
function withKey(reading: Reading, selectionSet: SelectionSetNode, typeName: string): SelectionSetNode {
  const [key] = keysOf(reading.schema, reading.system, typeName);
  const parts = key?.selections.flatMap((node) => (node.kind === Kind.FIELD ? [node] : [])) ?? [];
  const needed = [TYPENAME, ...parts].map((part) => underOwnName(reading, part));
  const missing = needed.filter((part) => !answers(selectionSet.selections, responseNameOf(part)));
  return missing.length === 0
    ? selectionSet
    : { ...selectionSet, selections: [...selectionSet.selections, ...missing] };
}

function underOwnName({ ownNames }: Reading, part: FieldNode): FieldNode {
  const name = part.name.value;
  return ownNames.has(name) ? { ...part, alias: { kind: Kind.NAME, value: `${OWN_PREFIX}${name}` } } : part;
}

function responseNameOf({ alias, name }: FieldNode): string {
  return (alias ?? name).value;
}

/** Whether the name is in the answer for every object here, be it another field's. */
function answers(selections: readonly SelectionNode[], name: string): boolean {
  return selections.some(
    (node) =>
      node.kind === Kind.FIELD && responseNameOf(node) === name && (node.directives?.length ?? 0) === 0,
  );
}

/** Whether the field is asked for under its own name, or with `isAliased` under another. */
function asks(selections: readonly SelectionNode[], name: string, isAliased = false): boolean {
  return selections.some(
    (node) =>
      node.kind === Kind.FIELD && node.name.value === name && (node.alias !== undefined) === isAliased,
  );
}
