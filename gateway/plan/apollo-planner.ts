// Plans with Apollo's query planner and puts its plans into the steps of the seam.
import {
  operationFromDocument,
  ROUTER_SUPPORTED_SUPERGRAPH_FEATURES,
  Supergraph,
} from '@apollo/federation-internals';
import { type FetchNode, type PlanNode, type QueryPlan, QueryPlanner } from '@apollo/query-planner';
import { keepExternalFieldsApart } from './apollo-external-fields.ts';
import { fetchStep, parseFetch } from './fetch-text.ts';
import type {
  ContextRewrite,
  FetchStep,
  Plan,
  Planner,
  RequiredSelection,
  Rewrite,
  Step,
} from './planner.ts';
import { adaptForPlanning, restoreVariants, type VariantsOptions } from './required-variants.ts';

/** @throws whatever the library throws when the supergraph is not to its liking */
export function createApolloPlanner(supergraphSdl: string): Planner {
  keepExternalFieldsApart();
  const options = adaptForPlanning(supergraphSdl);
  const supergraph = Supergraph.build(options.sdl, {
    supportedFeatures: ROUTER_SUPPORTED_SUPERGRAPH_FEATURES,
  });
  const schema = supergraph.apiSchema();
  const planner = new QueryPlanner(supergraph, { reuseQueryFragments: false });
  return {
    plan({ document, operationName, overrides }) {
      const named = operationName === undefined ? {} : { operationName };
      const operation = operationFromDocument(schema, document, named);
      const overrideConditions = new Map(overrides.labels.map((label) => [label, true]));
      return planFromApollo(options, planner.buildQueryPlan(operation, { overrideConditions }));
    },
  };
}

function planFromApollo(options: VariantsOptions, { node }: QueryPlan): Plan {
  if (node === undefined) return { steps: undefined, primary: undefined, planner: 'apollo' };
  if (node.kind !== 'Subscription') {
    return { steps: stepFromNode(options, node, []), primary: undefined, planner: 'apollo' };
  }
  const [primary] = fetchesFromNode(options, node.primary, []);
  return {
    steps: node.rest === undefined ? undefined : stepFromNode(options, node.rest, []),
    primary,
    planner: 'apollo',
  };
}

function stepFromNode(options: VariantsOptions, node: PlanNode, path: readonly string[]): Step {
  const child = (each: PlanNode) => stepFromNode(options, each, path);
  switch (node.kind) {
    case 'Sequence':
      return { kind: 'sequence', steps: node.nodes.map(child) };
    case 'Parallel':
      return { kind: 'parallel', steps: node.nodes.map(child) };
    case 'Flatten':
      return stepFromNode(options, node.node, [...path, ...node.path.map(String)]);
    case 'Fetch': {
      const fetches = fetchesFromNode(options, node, path);
      const [only] = fetches;
      return only !== undefined && fetches.length === 1 ? only : { kind: 'parallel', steps: fetches };
    }
    case 'Condition':
      return {
        kind: 'condition',
        variable: node.condition,
        whenTrue: node.ifClause === undefined ? undefined : child(node.ifClause),
        whenFalse: node.elseClause === undefined ? undefined : child(node.elseClause),
      };
    case 'Defer':
      // Only of a planner that was told to defer, and of a document that does.
      throw new TypeError('a plan came in parts that was asked for whole');
    default:
      return node satisfies never;
  }
}

function fetchesFromNode(
  options: VariantsOptions,
  node: FetchNode,
  path: readonly string[],
): readonly FetchStep[] {
  const fetches = restoreVariants(options, {
    id: node.id,
    system: node.serviceName,
    document: parseFetch(node.operation),
    path,
    requires: node.requires?.map(requiredFromNode),
    inputRewrites: (node.inputRewrites ?? []).map(rewriteFromNode),
    outputRewrites: (node.outputRewrites ?? []).map(rewriteFromNode),
    contextRewrites: (node.contextRewrites ?? []).map(contextRewriteFromNode),
  });
  return fetches.map(fetchStep);
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

function contextRewriteFromNode(node: NonNullable<FetchNode['contextRewrites']>[number]): ContextRewrite {
  return { path: node.path, to: node.renameKeyTo };
}
