// Plans with Apollo's query planner and puts its plans into the steps of the seam.
import { operationFromDocument, type Supergraph } from '@apollo/federation-internals';
import { type FetchNode, type PlanNode, type QueryPlan, QueryPlanner } from '@apollo/query-planner';
import { invariant } from '@weft/core/errors';
import { type DocumentNode, Kind, type OperationDefinitionNode, parse, type SelectionSetNode } from 'graphql';
import type { FetchStep, Plan, Planner, RequiredSelection, Rewrite, Step } from './planner.ts';

export function createApolloPlanner(supergraph: Supergraph): Planner {
  const planner = new QueryPlanner(supergraph, {});
  const schema = supergraph.apiSchema();
  return {
    plan(document, operationName) {
      const options = operationName === undefined ? {} : { operationName };
      return planFromApollo(planner.buildQueryPlan(operationFromDocument(schema, document, options)));
    },
  };
}

function planFromApollo(plan: QueryPlan): Plan {
  const { node } = plan;
  if (node === undefined) return { steps: undefined, primary: undefined };
  if (node.kind !== 'Subscription') return { steps: stepFromNode(node, []), primary: undefined };
  return {
    steps: node.rest === undefined ? undefined : stepFromNode(node.rest, []),
    primary: fetchFromNode(node.primary, []),
  };
}

function stepFromNode(node: PlanNode, path: readonly string[]): Step {
  switch (node.kind) {
    case 'Sequence':
      return { kind: 'sequence', steps: node.nodes.map((child) => stepFromNode(child, path)) };
    case 'Parallel':
      return { kind: 'parallel', steps: node.nodes.map((child) => stepFromNode(child, path)) };
    case 'Flatten':
      return stepFromNode(node.node, [...path, ...node.path.map(String)]);
    case 'Fetch':
      return fetchFromNode(node, path);
    case 'Condition':
      return {
        kind: 'condition',
        variable: node.condition,
        whenTrue: node.ifClause === undefined ? undefined : stepFromNode(node.ifClause, path),
        whenFalse: node.elseClause === undefined ? undefined : stepFromNode(node.elseClause, path),
      };
    case 'Defer':
      // The API schema has no @defer, so validation refuses it before planning.
      return invariant(false, '@defer reached the planner') as never;
    default:
      return node satisfies never;
  }
}

function fetchFromNode(node: FetchNode, path: readonly string[]): FetchStep {
  invariant((node.contextRewrites ?? []).length === 0, '@fromContext is not executed');
  const document = parse(node.operation, { noLocation: true });
  const operation = operationOf(document);
  const [first] = operation.selectionSet.selections;
  const isEntityFetch = node.requires !== undefined;
  const selection = isEntityFetch && first?.kind === Kind.FIELD ? first.selectionSet : operation.selectionSet;
  return {
    kind: 'fetch',
    system: node.serviceName,
    operation: node.operation,
    operationName: node.operationName,
    operationKind: node.operationKind,
    // What the text itself declares cannot disagree with the text.
    variableNames: (operation.variableDefinitions ?? [])
      .map((definition) => definition.variable.name.value)
      .filter((name) => !isEntityFetch || name !== 'representations'),
    path,
    requires: node.requires?.map(requiredFromNode),
    selection: selection ?? operation.selectionSet,
    fragments: fragmentsOf(document),
    inputRewrites: (node.inputRewrites ?? []).map(rewriteFromNode),
    outputRewrites: (node.outputRewrites ?? []).map(rewriteFromNode),
  };
}

function operationOf(document: DocumentNode): OperationDefinitionNode {
  const operation = document.definitions.find((node) => node.kind === Kind.OPERATION_DEFINITION);
  invariant(operation !== undefined, 'a planned fetch has no operation');
  return operation;
}

function fragmentsOf(document: DocumentNode): ReadonlyMap<string, SelectionSetNode> {
  return new Map(
    document.definitions.flatMap((node) =>
      node.kind === Kind.FRAGMENT_DEFINITION ? [[node.name.value, node.selectionSet] as const] : [],
    ),
  );
}

function requiredFromNode(node: NonNullable<FetchNode['requires']>[number]): RequiredSelection {
  if (node.kind === 'InlineFragment') {
    return {
      kind: 'fragment',
      typeCondition: node.typeCondition,
      selections: node.selections.map(requiredFromNode),
    };
  }
  // An alias here is both the name under which the value lies and the name under which it is sent.
  return { kind: 'field', name: node.alias ?? node.name, selections: node.selections?.map(requiredFromNode) };
}

function rewriteFromNode(node: NonNullable<FetchNode['inputRewrites']>[number]): Rewrite {
  return node.kind === 'ValueSetter'
    ? { kind: 'set', path: node.path, value: node.setValueTo }
    : { kind: 'rename', path: node.path, to: node.renameKeyTo };
}
