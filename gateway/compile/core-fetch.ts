// What of an entity fetch needs nothing but the key: asked for objects of which a required field never arrived, so that fields that do not need it are not lost with those that do.
import {
  type ConstDirectiveNode,
  type GraphQLSchema,
  isInterfaceType,
  isObjectType,
  Kind,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql';
import { fetchStep, operationOf, parseFetch, withoutUnused } from '../plan/fetch-text.ts';
import type { FetchStep, RequiredSelection } from '../plan/planner.ts';
import { graphNameOf, keysOf, textArgumentOf } from './entity-keys.ts';

/** Undefined when all of the fetch needs the same, or the supergraph does not say. */
export function coreOf(schema: GraphQLSchema, step: FetchStep): FetchStep | undefined {
  const graph = graphNameOf(schema, step.system);
  if (step.requires === undefined || graph === undefined || step.contextRewrites.length > 0) return undefined;
  const document = parseFetch(step.operation);
  const operation = operationOf(document);
  const [entities, more] = operation.selectionSet.selections;
  if (entities?.kind !== Kind.FIELD || entities.selectionSet === undefined || more !== undefined)
    return undefined;
  const removed: string[] = [];
  const selectionSet = withoutRequiring({ schema, graph, removed }, entities.selectionSet, undefined);
  if (removed.length === 0 || selectionSet === undefined) return undefined;
  const core = {
    ...operation,
    selectionSet: { ...operation.selectionSet, selections: [{ ...entities, selectionSet }] },
  };
  return fetchStep({
    ...step,
    document: withoutUnused({
      ...document,
      definitions: document.definitions.map((node) => (node === operation ? core : node)),
    }),
    requires: keysOnly(schema, step.system, step.requires),
  });
}

interface Removal {
  readonly schema: GraphQLSchema;
  readonly graph: string;
  readonly removed: string[];
}

/** Without the fields that require others in this subgraph; undefined when nothing but `__typename` is left. */
function withoutRequiring(
  removal: Removal,
  selectionSet: SelectionSetNode,
  typeName: string | undefined,
): SelectionSetNode | undefined {
  const selections = selectionSet.selections.flatMap((node): readonly SelectionNode[] => {
    if (node.kind === Kind.FRAGMENT_SPREAD) return [node];
    if (node.kind === Kind.FIELD) {
      if (!requiresOthers(removal, typeName, node.name.value)) return [node];
      removal.removed.push(node.name.value);
      return [];
    }
    const below = withoutRequiring(removal, node.selectionSet, node.typeCondition?.name.value ?? typeName);
    return below === undefined ? [] : [{ ...node, selectionSet: below }];
  });
  const isEmpty = selections.every((node) => node.kind === Kind.FIELD && node.name.value === '__typename');
  return isEmpty ? undefined : { ...selectionSet, selections };
}

function requiresOthers(
  { schema, graph }: Removal,
  typeName: string | undefined,
  fieldName: string,
): boolean {
  const type = schema.getType(typeName ?? '');
  if (!isObjectType(type) && !isInterfaceType(type)) return false;
  const directives: readonly ConstDirectiveNode[] = type.getFields()[fieldName]?.astNode?.directives ?? [];
  return directives.some(
    (directive) =>
      directive.name.value === 'join__field' &&
      textArgumentOf(directive, 'graph') === graph &&
      textArgumentOf(directive, 'requires') !== undefined,
  );
}

function keysOnly(
  schema: GraphQLSchema,
  system: string,
  selections: readonly RequiredSelection[],
  typeName = '',
): readonly RequiredSelection[] {
  const names = new Set(['__typename']);
  for (const { selections: parts } of [typeName, ...interfacesOf(schema, typeName)].flatMap((name) =>
    keysOf(schema, system, name),
  )) {
    for (const part of parts) if (part.kind === Kind.FIELD) names.add(part.name.value);
  }
  return selections.flatMap((selection): readonly RequiredSelection[] => {
    if (selection.kind === 'field') return names.has(selection.sentAs ?? selection.name) ? [selection] : [];
    const { typeCondition = typeName } = selection;
    return [{ ...selection, selections: keysOnly(schema, system, selection.selections, typeCondition) }];
  });
}

/** A subgraph that knows an interface as an object type has the interface's keys for all of its types. */
function interfacesOf(schema: GraphQLSchema, typeName: string): readonly string[] {
  const type = schema.getType(typeName);
  return isObjectType(type) || isInterfaceType(type) ? type.getInterfaces().map(({ name }) => name) : [];
}
