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
import { mapFetches } from '../plan/map-fetches.ts';
import type { FetchStep, RequiredSelection, Step } from '../plan/planner.ts';
import { ownNameOf } from '../plan/private-names.ts';
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
  const nameOf = readNames(steps);
  return mapFetches(steps, (step) => completeFetch({ schema, names, askedTypes, nameOf }, step));
}

/** Where an alias of the client has a key's name, the plan has another for the key everywhere. */
function readNames(steps: Step): InterfaceObjectsOfGraph['nameOf'] {
  const required = new Set<string>();
  const add = (selections: readonly RequiredSelection[] | undefined): void => {
    for (const selection of selections ?? []) {
      if (selection.kind === 'field') required.add(selection.name);
      add(selection.selections);
    }
  };
  mapFetches(steps, (step) => {
    add(step.requires);
    return step;
  });
  return (fieldName) => (required.has(ownNameOf(fieldName)) ? ownNameOf(fieldName) : fieldName);
}

interface InterfaceObjects extends Pick<InterfaceObjectsOfGraph, 'schema' | 'askedTypes' | 'nameOf'> {
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

/** What a fetch's selections are read against. */
interface Reading extends InterfaceObjectsOfGraph {
  readonly system: string;
}

function completeFetch({ schema, names, askedTypes, nameOf }: InterfaceObjects, step: FetchStep): FetchStep {
  const graph = graphNameOf(schema, step.system);
  const known = graph === undefined ? undefined : names.get(graph);
  const reading: Reading = {
    schema,
    graph,
    askedTypes,
    nameOf,
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
  const parts = key?.selections.flatMap((node) => (node.kind === Kind.FIELD ? [named(reading, node)] : []));
  const missing = [TYPENAME, ...(parts ?? [])].filter(
    ({ alias, name }) => !answers(selectionSet.selections, (alias ?? name).value),
  );
  return missing.length === 0
    ? selectionSet
    : { ...selectionSet, selections: [...selectionSet.selections, ...missing] };
}

function named({ nameOf }: Reading, node: FieldNode): FieldNode {
  const value = nameOf(node.name.value);
  return value === node.name.value ? node : { ...node, alias: { kind: Kind.NAME, value } };
}

/** Whether the name is in the answer for every object here, be it another field's. */
function answers(selections: readonly SelectionNode[], name: string): boolean {
  return selections.some(
    (node) =>
      node.kind === Kind.FIELD &&
      (node.alias ?? node.name).value === name &&
      (node.directives?.length ?? 0) === 0,
  );
}

/** Whether the field is asked for under its own name, or with `isAliased` under another. */
function asks(selections: readonly SelectionNode[], name: string, isAliased = false): boolean {
  return selections.some(
    (node) =>
      node.kind === Kind.FIELD && node.name.value === name && (node.alias !== undefined) === isAliased,
  );
}
