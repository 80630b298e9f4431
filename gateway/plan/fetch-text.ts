// Reads the text of a planned fetch: what execution needs of it cannot disagree with what is sent.
import { invariant } from '@weft/core/errors';
import {
  type DocumentNode,
  Kind,
  type OperationDefinitionNode,
  parse,
  print,
  type SelectionSetNode,
  visit,
} from 'graphql';
import type { ContextRewrite, FetchStep, RequiredSelection, Rewrite } from './planner.ts';

/** A fetch as a library gives it, its lists in the seam's own shapes. */
export interface FetchDescription {
  readonly id?: string | undefined;
  readonly system: string;
  readonly document: DocumentNode;
  readonly path: readonly string[];
  readonly requires: readonly RequiredSelection[] | undefined;
  readonly inputRewrites: readonly Rewrite[];
  readonly outputRewrites: readonly Rewrite[];
  readonly contextRewrites: readonly ContextRewrite[];
}

/** The name under which an entity fetch takes its representations. */
export const REPRESENTATIONS = 'representations';

export function parseFetch(text: string): DocumentNode {
  return parse(text, { noLocation: true });
}

export function fetchStep(description: FetchDescription): FetchStep {
  const { id, system, document, path, requires } = description;
  const operation = operationOf(document);
  const isEntityFetch = requires !== undefined;
  const [first] = operation.selectionSet.selections;
  const selection = isEntityFetch && first?.kind === Kind.FIELD ? first.selectionSet : operation.selectionSet;
  const notTheClients = new Set(description.contextRewrites.map(({ to }) => to));
  if (isEntityFetch) notTheClients.add(REPRESENTATIONS);
  return {
    kind: 'fetch',
    id,
    system,
    operation: print(document),
    operationName: operation.name?.value,
    operationKind: operation.operation,
    variableNames: (operation.variableDefinitions ?? [])
      .map((definition) => definition.variable.name.value)
      .filter((name) => !notTheClients.has(name)),
    path,
    requires,
    selection: selection ?? operation.selectionSet,
    fragments: fragmentsOf(document),
    inputRewrites: description.inputRewrites,
    outputRewrites: description.outputRewrites,
    contextRewrites: description.contextRewrites,
  };
}

export function operationOf(document: DocumentNode): OperationDefinitionNode {
  const operation = document.definitions.find((node) => node.kind === Kind.OPERATION_DEFINITION);
  invariant(operation !== undefined, 'a planned fetch has no operation');
  return operation;
}

/** By name; each is one inline fragment, so that a body carries its type condition. */
export function fragmentsOf(document: DocumentNode): ReadonlyMap<string, SelectionSetNode> {
  const fragments = new Map<string, SelectionSetNode>();
  for (const node of document.definitions) {
    if (node.kind !== Kind.FRAGMENT_DEFINITION) continue;
    const { typeCondition, selectionSet } = node;
    const inline = { kind: Kind.INLINE_FRAGMENT, typeCondition, selectionSet } as const;
    fragments.set(node.name.value, { kind: Kind.SELECTION_SET, selections: [inline] });
  }
  return fragments;
}

/** The document less the variables and fragments that its operation does not use. */
export function withoutUnused(document: DocumentNode): DocumentNode {
  const operation = operationOf(document);
  const bodies = fragmentsOf(document);
  const variables = new Set<string>();
  const spread = new Set<string>();
  const collect = (node: SelectionSetNode): void => {
    visit(node, {
      Variable: ({ name }) => void variables.add(name.value),
      FragmentSpread: ({ name }) => {
        const body = bodies.get(name.value);
        if (body === undefined || spread.has(name.value)) return;
        spread.add(name.value);
        collect(body);
      },
    });
  };
  collect(operation.selectionSet);
  const kept = operation.variableDefinitions?.filter(({ variable }) => variables.has(variable.name.value));
  return {
    ...document,
    definitions: [
      { ...operation, variableDefinitions: kept ?? [] },
      ...document.definitions.filter(
        (node) => node.kind === Kind.FRAGMENT_DEFINITION && spread.has(node.name.value),
      ),
    ],
  };
}
