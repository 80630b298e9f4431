// Compiles a planned operation: everything that types, selections and the plan decide is decided here, once.
import type { Logger } from '@weft/core/logger';
import type { ExecutionResult, GraphQLError, GraphQLSchema } from 'graphql';
import type { IncrementalExecution, PrimaryResult } from '../engine.ts';
import { createFieldCollector, type Variables } from '../execute/collect-fields.ts';
import { completeRoot } from '../execute/complete.ts';
import { completionOf } from '../execute/completion-of.ts';
import { createObject, type DataObject } from '../execute/data.ts';
import { createErrorList } from '../execute/error-list.ts';
import { answerIntrospection } from '../execute/introspection.ts';
import { createToldList } from '../execute/told-list.ts';
import type { FetchContext, SubgraphClient } from '../fetch/subgraph-client.ts';
import { runIncrementally } from '../incremental/run-incrementally.ts';
import type { FetchStep } from '../plan/planner.ts';
import type { PlannedOperation } from '../plan/prepare.ts';
import { type Complete, compileCompletion, GIVEN_UP } from './completion.ts';
import { conditionVariables } from './conditions.ts';
import type { EntityBatches } from './entity-batches.ts';
import { compileFetch } from './fetches.ts';
import { finishPlan } from './finish-plan.ts';
import { endGatherings } from './gathering.ts';
import { compileParts } from './parts.ts';
import { placeResult } from './root-fetch.ts';
import type { Run } from './run.ts';
import { compileSteps } from './steps.ts';

/** What is known of a supergraph, whatever the operation. */
export interface SupergraphFacts {
  /** What clients see. */
  readonly schema: GraphQLSchema;
  /** With hidden types and values. */
  readonly fullSchema: GraphQLSchema;
  /** `Type.field`, or `Type`, to the system that answers it. */
  readonly systemByCoordinate: ReadonlyMap<string, string>;
  /** Errors in one answer. */
  readonly errorsMax: number;
  /** Nested lists and objects in a value of a custom scalar. */
  readonly depthMax: number;
  /** Told when an answer needed the slow completion, which says what is wrong in it and where. */
  readonly onSlowCompletion?: (() => void) | undefined;
}

export interface ExecutionContext {
  readonly client: SubgraphClient;
  /** For events: entity requests of several go as one. */
  readonly batches?: EntityBatches | undefined;
  readonly fetch: FetchContext;
  readonly logger: Logger;
}

export interface CompiledOperation {
  /**
   * Fetches, merges and completes. Never rejects for a subgraph's failure: partial data and path-true errors are in the result.
   * @param variables coerced, defaults filled in
   * @param initial what is there before the first fetch: empty, or what an event brings
   */
  run(variables: Variables, context: ExecutionContext, initial: DataObject): Promise<ExecutionResult>;
  /**
   * The same of a subscription that a subgraph serves itself.
   * @param result of `primary`; it is not changed
   */
  runResult(variables: Variables, context: ExecutionContext, result: PrimaryResult): Promise<ExecutionResult>;
  /** What a subscription's subgraph is asked, with what other fetches need of it. */
  readonly primary: FetchStep | undefined;
  /** Undefined where nothing is held back: then it is to be run whole. */
  runIncrementally(
    variables: Variables,
    context: ExecutionContext,
  ): Promise<ExecutionResult | IncrementalExecution> | undefined;
}

export function compileOperation(planned: PlannedOperation, facts: SupergraphFacts): CompiledOperation {
  const { operation, fragments } = planned;
  const client = { selectionSet: operation.selectionSet, fragments };
  const { fullSchema } = facts;
  const { primary, steps, types } = finishPlan(planned, facts);
  // The steps have numbers of their own: what a primary fetch brought is not asked for again by its number.
  const primaryFetch = primary === undefined ? undefined : compileFetch(fullSchema, primary, 0, types);
  const runSteps = steps === undefined ? undefined : compileSteps(fullSchema, steps, types);
  const parts = steps === undefined ? undefined : compileParts(fullSchema, planned, steps, types);
  const completionFor = compileCompletions(planned, facts);
  const asksIntrospection = hasIntrospection(planned);
  const operationOf = (
    variables: Variables,
    { client: subgraphs, batches, fetch, logger }: ExecutionContext,
    data: DataObject,
  ): Run => ({
    client: subgraphs,
    batches,
    schema: facts.fullSchema,
    operation: client,
    variables,
    data,
    errors: createErrorList(fetch.traceId, facts.errorsMax),
    told: createToldList(),
    context: fetch,
    logger,
    gatherings: [],
    unawaited: [],
    isWhole: [],
    underWay: [],
    known: [],
    unresolved: new Map(),
  });
  const finish = async (run: Run): Promise<ExecutionResult> => {
    const running = runSteps?.(run);
    if (running !== undefined) {
      try {
        await running;
      } finally {
        endGatherings(run);
      }
    }
    const { data: fetched, variables } = run;
    const introspection = asksIntrospection ? introspect(planned, facts, variables) : NO_INTROSPECTION;
    const fast = completionFor(variables)?.(fetched, variables, introspection) ?? GIVEN_UP;
    const data = fast === GIVEN_UP ? completeSlowly(planned, facts, run) : fast;
    const all = run.errors.toArray();
    const told = run.told.take();
    const result = all.length === 0 ? { data } : { errors: inOrder(all, data), data };
    return told === undefined ? result : { ...result, extensions: { weft: told } };
  };
  return {
    primary,
    run: (variables, context, initial) => finish(operationOf(variables, context, initial)),
    async runResult(variables, context, result) {
      const run = operationOf(variables, context, createObject());
      if (primaryFetch !== undefined) placeResult(run, primaryFetch, result);
      return finish(run);
    },
    runIncrementally: (variables, context) =>
      parts === undefined
        ? undefined
        : runIncrementally({ planned, facts, parts, operationOf }, variables, context),
  };
}

/** Errors come as systems fail; clients get them in the order of the root fields. */
function inOrder(errors: readonly GraphQLError[], data: object | null): readonly GraphQLError[] {
  if (data === null || errors.length < 2) return errors;
  const places = new Map(Object.keys(data).map((name, index) => [name, index] as const));
  const placeOf = ({ path }: GraphQLError) => places.get(String(path?.[0])) ?? Number.MAX_SAFE_INTEGER;
  return errors.toSorted((first, second) => placeOf(first) - placeOf(second));
}

const NO_INTROSPECTION: Readonly<Record<string, unknown>> = Object.freeze({});

/** Up to so many variables in conditions, code is written for each combination that is met; above, it asks at run time. */
const CONDITION_VARIABLES_MAX = 4;

function compileCompletions(
  planned: PlannedOperation,
  { schema, depthMax }: SupergraphFacts,
): (variables: Variables) => Complete | undefined {
  const names = conditionVariables(planned.operation, planned.fragments);
  if (names.length === 0 || names.length > CONDITION_VARIABLES_MAX) {
    const known = names.length === 0 ? new Map<string, boolean>() : undefined;
    const only = compileCompletion(schema, planned, known, depthMax);
    return () => only;
  }
  const variants = new Map<number, Complete | undefined>();
  return (variables) => {
    let key = 0;
    for (const name of names) key = key * 2 + (variables[name] === true ? 1 : 0);
    return variants.getOrInsertComputed(key, () => {
      const known = new Map(names.map((name) => [name, variables[name] === true] as const));
      return compileCompletion(schema, planned, known, depthMax);
    });
  };
}

/** Whether `__schema` or `__type` is anywhere in the text; when in doubt the answer is computed and not used. */
function hasIntrospection({ operation, fragments }: PlannedOperation): boolean {
  const bodies = [operation.selectionSet, ...[...fragments.values()].map(({ selectionSet }) => selectionSet)];
  return bodies.some((body) => /"value":"__(?:schema|type)"/.test(JSON.stringify(body, leaveOutLoc)));
}

function leaveOutLoc(key: string, value: unknown): unknown {
  return key === 'loc' ? undefined : value;
}

function introspect(
  planned: PlannedOperation,
  { schema }: SupergraphFacts,
  variables: Variables,
): Readonly<Record<string, unknown>> {
  const collector = createFieldCollector(schema, planned.fragments, variables);
  const rootFields = collector.ofSelectionSet(planned.rootType, planned.operation.selectionSet);
  return answerIntrospection(schema, planned, rootFields, variables);
}

function completeSlowly(planned: PlannedOperation, facts: SupergraphFacts, run: Run): DataObject | null {
  facts.onSlowCompletion?.();
  const completion = completionOf(planned, facts, run, run.errors);
  const fields = completion.collector.ofSelectionSet(planned.rootType, planned.operation.selectionSet);
  return completeRoot(completion, planned.rootType, fields, run.data);
}
