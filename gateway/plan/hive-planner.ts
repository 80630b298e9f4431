// Plans with Hive's query planner and puts its plans into the steps of the seam.
import { createRequire } from 'node:module';
import type * as Hive from '@graphql-hive/router-query-planner';
import { invariant } from '@weft/core/errors';
import {
  buildASTSchema,
  type DocumentNode,
  type FieldNode,
  type GraphQLSchema,
  Kind,
  type OperationDefinitionNode,
  print,
} from 'graphql';
import {
  type FetchDescription,
  fetchStep,
  operationOf,
  parseFetch,
  REPRESENTATIONS,
  withoutUnused,
} from './fetch-text.ts';
import { withMissingInputs } from './interface-object-inputs.ts';
import { withKeptConditions } from './kept-conditions.ts';
import { withListPaths } from './list-paths.ts';
import type { FetchStep, Plan, Planner, RequiredSelection, Rewrite, Step } from './planner.ts';
import { adaptForPlanning, restoreVariants, type VariantsOptions } from './required-variants.ts';
import { withRootConditions } from './root-conditions.ts';
import { withTypenames } from './typenames.ts';

/**
 * Undefined where the library has no binary for this machine (musl, Windows).
 * @throws whatever the library throws when the supergraph is not to its liking
 */
export function createHivePlanner(supergraphSdl: string): Planner | undefined {
  const library = loadLibrary();
  if (library === undefined) return undefined;
  const adapted = adaptForPlanning(supergraphSdl);
  const planner = new library.QueryPlanner(adapted.sdl);
  const schema = buildASTSchema(parseFetch(adapted.sdl), { assumeValidSDL: true, assumeValid: true });
  return {
    plan({ document, operationName, overrides }) {
      const labels = new Set(overrides.labels);
      const plan = planner.plan(print(document), operationName, labels, overrides.percentage);
      const steps = planFromHive({ ...adapted, schema, asked: document }, plan);
      return withListPaths(schema, withKeptConditions(document, steps));
    },
  };
}

/** What plans are read against. */
interface Graph extends VariantsOptions {
  /** With the stand-ins of the supergraph that is planned on. */
  readonly schema: GraphQLSchema;
  /** The document that was planned. */
  readonly asked: DocumentNode;
}

function loadLibrary(): typeof Hive | undefined {
  try {
    return createRequire(import.meta.url)('@graphql-hive/router-query-planner') as typeof Hive;
  } catch {
    // No binary for this platform is no mistake: the other planner takes its place, and the pool says so.
    return undefined;
  }
}

// The declared types lack what a subscription's `rest` looks like: `Sequence[Subscription{primary}, ...rest]`.
function planFromHive(graph: Graph, { node }: Hive.QueryPlan): Plan {
  if (isAbsent(node)) return { steps: undefined, primary: undefined, planner: 'hive' };
  const [first, ...rest] = node.kind === 'Sequence' ? node.nodes : [node];
  if (first?.kind !== 'Subscription') {
    return { steps: stepFromNode(graph, node, []), primary: undefined, planner: 'hive' };
  }
  const steps = rest.map((child) => stepFromNode(graph, child, []));
  return {
    steps: steps.length === 0 ? undefined : { kind: 'sequence', steps },
    primary: fetchesFromNode(graph, first.primary, [])[0],
    planner: 'hive',
  };
}

function stepFromNode(graph: Graph, node: Hive.PlanNode, path: readonly string[]): Step {
  switch (node.kind) {
    case 'Sequence':
      return { kind: 'sequence', steps: node.nodes.map((child) => stepFromNode(graph, child, path)) };
    case 'Parallel':
      return { kind: 'parallel', steps: node.nodes.map((child) => stepFromNode(graph, child, path)) };
    case 'Flatten':
      return stepFromNode(graph, node.node, [...path, ...pathFromSegments(node.path)]);
    case 'Fetch':
      return parallel(fetchesFromNode(graph, node, path).map(withRootConditions));
    case 'BatchFetch':
      return parallel(fetchesFromBatch(graph, node));
    case 'Condition':
      return {
        kind: 'condition',
        variable: node.condition,
        whenTrue: isAbsent(node.ifClause) ? undefined : stepFromNode(graph, node.ifClause, path),
        whenFalse: isAbsent(node.elseClause) ? undefined : stepFromNode(graph, node.elseClause, path),
      };
    case 'Subscription':
    case 'Defer':
      return invariant(false, `a plan has ${node.kind} where none can be`) as never;
    default:
      return node satisfies never;
  }
}

/** The library gives null where its types say undefined. */
function isAbsent(node: Hive.PlanNode | null | undefined): node is null | undefined {
  return node === null || node === undefined;
}

function pathFromSegments(segments: readonly Hive.FlattenNodePathSegment[]): readonly string[] {
  return segments.map((segment) => {
    if (segment === '@') return '@';
    return 'Field' in segment ? segment.Field : `... on ${segment.TypeCondition.join('|')}`;
  });
}

function fetchesFromNode(graph: Graph, node: Hive.FetchNode, path: readonly string[]): readonly FetchStep[] {
  const fetches = fetchesFrom(graph, {
    system: node.serviceName,
    document: withTypenames(graph.schema, parseFetch(node.operation)),
    path,
    requires: node.requires?.map(requiredFromNode),
    inputRewrites: (node.inputRewrites ?? []).flatMap(rewritesFromNode),
    outputRewrites: (node.outputRewrites ?? []).flatMap(rewritesFromNode),
    contextRewrites: [],
  });
  return fetches.map(fetchStep);
}

function fetchesFrom(graph: Graph, fetch: FetchDescription): readonly FetchDescription[] {
  return restoreVariants(graph, withMissingInputs(graph.schema, graph.asked, fetch));
}

function parallel(steps: readonly Step[]): Step {
  const [only] = steps;
  return only !== undefined && steps.length === 1 ? only : { kind: 'parallel', steps };
}

/** A batch asks `_entities` several times under aliases; here each alias, at each of its paths, is a fetch of its own. */
function fetchesFromBatch(graph: Graph, node: Hive.BatchFetchNode): readonly FetchStep[] {
  const document = withTypenames(graph.schema, parseFetch(node.operation));
  return node.entityBatch.aliases.flatMap((alias) => {
    const own = documentOfAlias(document, alias);
    return alias.paths.flatMap((path) =>
      fetchesFrom(graph, {
        system: node.serviceName,
        document: own,
        path: pathFromSegments(path),
        requires: alias.requires.map(requiredFromNode),
        inputRewrites: (alias.inputRewrites ?? []).flatMap(rewritesFromNode),
        outputRewrites: (alias.outputRewrites ?? []).flatMap(rewritesFromNode),
        contextRewrites: [],
      }).map(fetchStep),
    );
  });
}

function documentOfAlias(document: DocumentNode, alias: Hive.EntityBatchAlias): DocumentNode {
  const operation = operationOf(document);
  const field = operation.selectionSet.selections.find(
    (node) => node.kind === Kind.FIELD && node.alias?.value === alias.alias,
  );
  invariant(field?.kind === Kind.FIELD, 'a batch lacks one of its aliases');
  const own = renameVariable(operation, alias.representationsVariableName);
  const { alias: _alias, ...plain } = field;
  const entities: FieldNode = {
    ...plain,
    arguments: (field.arguments ?? []).map((argument) => ({
      ...argument,
      value: {
        kind: Kind.VARIABLE,
        name: { kind: Kind.NAME, value: REPRESENTATIONS },
      } as const,
    })),
  };
  return withoutUnused({
    ...document,
    definitions: [
      { ...own, selectionSet: { ...own.selectionSet, selections: [entities] } },
      ...document.definitions.filter((node) => node !== operation),
    ],
  });
}

function renameVariable(operation: OperationDefinitionNode, from: string): OperationDefinitionNode {
  const variableDefinitions = operation.variableDefinitions?.map((definition) =>
    definition.variable.name.value === from
      ? {
          ...definition,
          variable: {
            ...definition.variable,
            name: { ...definition.variable.name, value: REPRESENTATIONS },
          },
        }
      : definition,
  );
  return { ...operation, variableDefinitions: variableDefinitions ?? [] };
}

function requiredFromNode(node: Hive.RequiresSelection): RequiredSelection {
  switch (node.kind) {
    case 'InlineFragment':
      return {
        kind: 'fragment',
        typeCondition: node.typeCondition,
        skipIf: node.skipIf,
        includeIf: node.includeIf,
        selections: node.selections.map(requiredFromNode),
      };
    case 'Field':
      // It lies under the name, which may be the planner's own, and is sent under the alias.
      return {
        kind: 'field',
        name: node.name,
        sentAs: node.alias === node.name ? undefined : node.alias,
        selections: node.selections?.length === 0 ? undefined : node.selections?.map(requiredFromNode),
      };
    case 'FragmentSpread':
      return invariant(false, 'a plan requires a named fragment') as never;
    default:
      return node satisfies never;
  }
}

function rewritesFromNode(node: Hive.InputRewrite): readonly Rewrite[] {
  if ('KeyRenamer' in node) {
    const { path, renameKeyTo } = node.KeyRenamer;
    return pathsOfRewrite(path).map((one) => ({ kind: 'rename', path: one, to: renameKeyTo }));
  }
  const { path, setValueTo } = 'ValueSetter' in node ? node.ValueSetter : node;
  return pathsOfRewrite(path).map((one) => ({ kind: 'set', path: one, value: setValueTo }));
}

/** One path for each combination of the types that a condition lists. */
function pathsOfRewrite(segments: readonly Hive.FetchNodePathSegment[]): readonly (readonly string[])[] {
  return segments.reduce<readonly (readonly string[])[]>(
    (paths, segment) => {
      const names = 'Key' in segment ? [segment.Key] : segment.TypenameEquals.map((name) => `... on ${name}`);
      return paths.flatMap((path) => names.map((name) => [...path, name]));
    },
    [[]],
  );
}
