// The engine behind every transport: prepares operations once, executes them against the subgraphs, completes the answer.
import { Supergraph } from '@apollo/federation-internals';
import { HubError, OperatorError } from '@weft/core/errors';
import type { Logger } from '@weft/core/logger';
import { type ExecutionResult, type GraphQLError, type GraphQLSchema, getVariableValues } from 'graphql';
import type { Engine, OperationContext, PreparedOperation } from '../engine.ts';
import { ENGINE_LIMITS, type EngineLimits } from '../limits.ts';
import { createApolloPlanner } from '../plan/apollo-planner.ts';
import { describeEventStream } from '../plan/describe-event-stream.ts';
import { createLruCache } from '../plan/lru-cache.ts';
import type { Planner } from '../plan/planner.ts';
import { type PlannedOperation, prepareOperation } from '../plan/prepare.ts';
import { readSupergraphDocument, type SupergraphDocument } from '../plan/supergraph-document.ts';
import { createFieldCollector, type Variables } from './collect-fields.ts';
import { completeRoot } from './complete.ts';
import { createObject, type DataObject } from './data.ts';
import { createErrorList, type ErrorList, toGraphQLError } from './error-list.ts';
import { projectMessage } from './event-message.ts';
import { answerIntrospection } from './introspection.ts';
import { runStep } from './run-plan.ts';
import { createSubgraphClient, type SubgraphClient } from './subgraph-client.ts';

export interface EngineOptions {
  readonly supergraphSdl: string;
  /** Name to URL, where they differ from those in the supergraph. */
  readonly subgraphUrls?: Readonly<Record<string, string>>;
  readonly logger: Logger;
  readonly limits?: Partial<EngineLimits>;
}

/** An engine with sockets to close. */
export interface GatewayEngine extends Engine {
  close(): Promise<void>;
}

/** An operation and what is kept with it; transports see `PreparedOperation` only. */
interface Prepared extends PreparedOperation {
  readonly planned: PlannedOperation;
}

interface Shared {
  readonly schema: GraphQLSchema;
  readonly fullSchema: GraphQLSchema;
  readonly planner: Planner;
  readonly document: SupergraphDocument;
  readonly urls: ReadonlyMap<string, string>;
  readonly limits: EngineLimits;
  readonly client: SubgraphClient;
  readonly logger: Logger;
}

/**
 * An engine for one supergraph. No subgraph is asked before an operation needs it.
 * @throws OperatorError when the text is not a Federation v2 supergraph
 */
export function createEngine(options: EngineOptions): GatewayEngine {
  const shared = createShared(options);
  const cache = createLruCache<Prepared>(shared.limits.planCacheEntriesMax);
  return {
    schema: shared.schema,
    prepare(query, operationName) {
      const key = JSON.stringify([operationName, query]);
      const known = cache.get(key);
      if (known !== undefined) return known;
      const planned = prepareOperation(shared, query, operationName);
      if ('errors' in planned) return planned;
      const prepared: Prepared = {
        kind: planned.operation.operation,
        eventStream: describeEventStream(shared.schema, shared.document.streams, planned),
        planned,
      };
      cache.set(key, prepared);
      return prepared;
    },
    execute: (operation, variables, context) =>
      executeWithin(shared, plannedOf(operation), variables, context, () => createObject()),
    executeEvent(operation, variables, message, context) {
      const planned = plannedOf(operation);
      const { primary } = planned.plan;
      return executeWithin(shared, planned, variables, context, (coerced) =>
        primary === undefined ? createObject() : projectMessage(shared.schema, primary, coerced, message),
      );
    },
    close: () => shared.client.close(),
  };
}

function createShared(options: EngineOptions): Shared {
  const document = readSupergraphDocument(options.supergraphSdl);
  const supergraph = buildSupergraph(options.supergraphSdl);
  const limits = { ...ENGINE_LIMITS, ...options.limits };
  return {
    schema: supergraph.apiSchema().toGraphQLJSSchema(),
    fullSchema: supergraph.schema.toGraphQLJSSchema(),
    planner: createApolloPlanner(supergraph),
    document,
    urls: new Map([...document.urls, ...Object.entries(options.subgraphUrls ?? {})]),
    limits,
    client: createSubgraphClient(limits),
    logger: options.logger,
  };
}

function buildSupergraph(supergraphSdl: string): Supergraph {
  try {
    return Supergraph.build(supergraphSdl);
  } catch (thrown) {
    const reason = thrown instanceof Error ? thrown.message : String(thrown);
    throw new OperatorError(`the supergraph cannot be used: ${reason}`, { cause: thrown });
  }
}

function plannedOf(operation: PreparedOperation): PlannedOperation {
  return (operation as Prepared).planned;
}

/** Coerces, bounds the time, and makes every failure an answer. */
async function executeWithin(
  shared: Shared,
  planned: PlannedOperation,
  variables: Readonly<Record<string, unknown>>,
  context: OperationContext,
  initialData: (variables: Variables) => DataObject,
): Promise<ExecutionResult> {
  const errors = createErrorList(context.traceId, shared.limits.errorsMax);
  const controller = new AbortController();
  const timeoutMs = shared.limits.operationTimeoutMs;
  const timer = setTimeout(() => controller.abort(new DOMException('operation', 'TimeoutError')), timeoutMs);
  const onAbort = () => controller.abort(context.signal.reason);
  if (context.signal.aborted) onAbort();
  context.signal.addEventListener('abort', onAbort, { once: true });
  try {
    const coerced = coerceVariables(shared.schema, planned, variables);
    if ('errors' in coerced)
      return { errors: coerced.errors.map((error) => withInputCode(error, context.traceId)) };
    const deadlineAtMs = performance.now() + timeoutMs;
    const execution = { ...shared, planned, variables: coerced.coerced, errors, signal: controller.signal };
    return await executePlan(
      { ...execution, deadlineAtMs, traceId: context.traceId },
      initialData(coerced.coerced),
    );
  } catch (thrown) {
    const error = HubError.from(thrown);
    shared.logger.error({ err: thrown, traceId: context.traceId }, 'an operation failed in the hub itself');
    return { errors: [toGraphQLError(error, context.traceId)], data: null };
  } finally {
    clearTimeout(timer);
    context.signal.removeEventListener('abort', onAbort);
  }
}

function coerceVariables(
  schema: GraphQLSchema,
  planned: PlannedOperation,
  variables: Readonly<Record<string, unknown>>,
): { readonly coerced: Variables } | { readonly errors: readonly GraphQLError[] } {
  const result = getVariableValues(schema, planned.operation.variableDefinitions ?? [], variables, {
    maxErrors: VARIABLE_ERRORS_MAX,
  });
  return result.errors === undefined ? { coerced: result.coerced } : { errors: result.errors };
}

const VARIABLE_ERRORS_MAX = 20;

function withInputCode(error: GraphQLError, traceId: string): GraphQLError {
  return toGraphQLError(new HubError('BAD_USER_INPUT', error.message), traceId);
}

interface Execution extends Shared {
  readonly planned: PlannedOperation;
  readonly variables: Variables;
  readonly errors: ErrorList;
  readonly signal: AbortSignal;
  readonly deadlineAtMs: number;
  readonly traceId: string;
}

async function executePlan(execution: Execution, data: DataObject): Promise<ExecutionResult> {
  const { planned, variables, errors, schema, document } = execution;
  const { operation, fragments, plan, rootType } = planned;
  const client = { selectionSet: operation.selectionSet, fragments };
  if (plan.steps !== undefined) {
    await runStep({ ...execution, schema: execution.fullSchema, operation: client, data }, plan.steps);
  }
  const collector = createFieldCollector(schema, fragments, variables);
  const rootFields = collector.ofSelectionSet(rootType, operation.selectionSet);
  const completed = completeRoot(
    {
      schema,
      fullSchema: execution.fullSchema,
      collector,
      errors,
      systemOf: (type, field) =>
        document.systemByCoordinate.get(`${type}.${field}`) ?? document.systemByCoordinate.get(type),
      introspection: answerIntrospection(schema, planned, rootFields, variables),
    },
    rootType,
    rootFields,
    data,
  );
  const all = errors.toArray();
  return all.length === 0 ? { data: completed } : { errors: all, data: completed };
}
