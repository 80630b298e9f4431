// The reference engine: the unmodified executor of @apollo/gateway behind the seam of our own, for comparison.

import { ApolloGateway } from '@apollo/gateway';
import { HubError, OperatorError } from '@weft/core/errors';
import type { Logger } from '@weft/core/logger';
import type { SubgraphKey } from '@weft/core/signatures/keys';
import {
  type DocumentNode,
  type ExecutionResult,
  GraphQLError,
  type GraphQLSchema,
  getOperationAST,
  type OperationDefinitionNode,
  parse,
  validate,
} from 'graphql';
import type { Engine, OperationContext, PreparedOperation } from '../engine.ts';
import { ENGINE_LIMITS, type EngineLimits } from '../limits.ts';
import { createLruCache } from '../plan/lru-cache.ts';
import { readSupergraphDocument } from '../plan/supergraph-document.ts';
import { toAbortSignal } from '../stop-signal.ts';
import { refuseApolloTelemetry } from './config.ts';
import { createDataSource } from './data-source.ts';
import { loadApiSchema } from './load-api-schema.ts';

export interface ApolloEngineOptions {
  readonly supergraphSdl: string;
  /** Name to URL, where they differ from those in the supergraph. */
  readonly subgraphUrls?: Readonly<Record<string, string>>;
  readonly logger: Logger;
  readonly limits?: Partial<EngineLimits>;
  /** That requests to subgraphs are signed with, as those of the anonymous. */
  readonly subgraphKeys?: readonly SubgraphKey[] | undefined;
}

/** An engine with what it started to stop. */
export interface ApolloEngine extends Engine {
  close(): Promise<void>;
}

interface Prepared extends PreparedOperation {
  readonly query: string;
  readonly document: DocumentNode;
  readonly operation: OperationDefinitionNode;
}

type Executor = Awaited<ReturnType<ApolloGateway['load']>>['executor'];

/**
 * Queries and mutations through `@apollo/gateway`: its planner, its executor, its data sources. Subscriptions are
 * refused, as there. Bounded in document size and in time; a request to a subgraph is not cancelled, as there.
 * @throws OperatorError when the text is not a Federation v2 supergraph, or asks for what `@apollo/gateway` refuses
 */
export function createApolloEngine(options: ApolloEngineOptions): ApolloEngine {
  refuseApolloTelemetry();
  const limits = { ...ENGINE_LIMITS, ...options.limits };
  readSupergraphDocument(options.supergraphSdl);
  const schema = loadApiSchema(options.supergraphSdl);
  const gateway = createGateway(options);
  const loading = gateway.load();
  // Told to whoever executes; without this, a supergraph refused before anyone asks would end the process.
  loading.catch((thrown: unknown) =>
    options.logger.error({ err: thrown }, '@apollo/gateway refuses the supergraph'),
  );
  const cache = createLruCache<Prepared>(limits.planCacheEntriesMax);
  return {
    schema,
    prepare(query, operationName) {
      const key = JSON.stringify([operationName, query]);
      const known = cache.get(key);
      if (known !== undefined) return known;
      const prepared = prepareWithin(schema, query, operationName, limits);
      if (!('errors' in prepared)) cache.set(key, prepared);
      return prepared;
    },
    async execute(operation, variables, context) {
      try {
        const { executor } = await loading;
        return await within(
          run(executor, schema, operation as Prepared, variables, options.logger),
          context,
          limits,
        );
      } catch (thrown) {
        return { errors: [asGraphQLError(HubError.from(thrown), context.traceId)], data: null };
      }
    },
    async executeEvent(_operation, _variables, _message, context) {
      return { errors: [asGraphQLError(noSubscriptions(), context.traceId)], data: null };
    },
    async close() {
      // One that never loaded has nothing to stop, and says so by throwing.
      await loading.then(
        () => gateway.stop(),
        () => undefined,
      );
    },
  };
}

function createGateway({
  supergraphSdl,
  subgraphUrls = {},
  subgraphKeys,
  logger,
}: ApolloEngineOptions): ApolloGateway {
  try {
    return new ApolloGateway({
      supergraphSdl,
      logger: {
        debug: (message) => logger.debug(String(message)),
        info: (message) => logger.debug(String(message)),
        warn: (message) => logger.warn(String(message)),
        error: (message) => logger.error(String(message)),
      },
      buildService: ({ name, url }) => createDataSource(name, subgraphUrls[name] ?? url ?? '', subgraphKeys),
    });
  } catch (thrown) {
    const reason = thrown instanceof Error ? thrown.message : String(thrown);
    throw new OperatorError(`the supergraph cannot be used by @apollo/gateway: ${reason}`, {
      exitCode: 2,
      cause: thrown,
    });
  }
}

function prepareWithin(
  schema: GraphQLSchema,
  query: string,
  operationName: string | undefined,
  limits: EngineLimits,
): Prepared | { readonly errors: readonly GraphQLError[] } {
  if (Buffer.byteLength(query) > limits.documentBytesMax) {
    const message = `The document has more than ${limits.documentBytesMax} bytes.`;
    return { errors: [asGraphQLError(new HubError('LIMIT_EXCEEDED', message))] };
  }
  try {
    const document = parse(query, { maxTokens: limits.documentTokensMax });
    const invalid = validate(schema, document);
    if (invalid.length > 0)
      return { errors: invalid.map((error) => withCode(error, 'GRAPHQL_VALIDATION_FAILED')) };
    const operation = getOperationAST(document, operationName);
    if (operation === null || operation === undefined) {
      const message = 'The document has no such operation, or several: give operationName.';
      return { errors: [asGraphQLError(new HubError('BAD_USER_INPUT', message))] };
    }
    if (operation.operation === 'subscription') return { errors: [asGraphQLError(noSubscriptions())] };
    return { kind: operation.operation, query, document, operation };
  } catch (thrown) {
    if (thrown instanceof GraphQLError) return { errors: [withCode(thrown, 'GRAPHQL_PARSE_FAILED')] };
    throw thrown;
  }
}

function noSubscriptions(): HubError {
  return new HubError('BAD_USER_INPUT', 'The reference engine has no subscriptions.');
}

function withCode(error: GraphQLError, code: string): GraphQLError {
  const { nodes = null, source = null, positions = null } = error;
  return new GraphQLError(error.message, { nodes, source, positions, extensions: { code, origin: 'HUB' } });
}

function asGraphQLError(error: HubError, traceId?: string): GraphQLError {
  const extensions = { ...error.toExtensions(), ...(traceId === undefined ? {} : { traceId }) };
  return new GraphQLError(error.message, { originalError: error, extensions });
}

/** The request context is Apollo Server's; what its executor reads of it is given, as Apollo Server would. */
async function run(
  executor: Executor,
  schema: GraphQLSchema,
  prepared: Prepared,
  variables: Readonly<Record<string, unknown>>,
  logger: Logger,
): Promise<ExecutionResult> {
  const { query, document, operation } = prepared;
  const silent = (message?: unknown) => logger.debug(String(message));
  const request = {
    request: { query, variables: { ...variables } },
    document,
    source: query,
    operationName: operation.name?.value ?? null,
    operation,
    queryHash: JSON.stringify([operation.name?.value ?? null, query]),
    context: {},
    logger: { debug: silent, info: silent, warn: silent, error: silent },
    schema,
    cache: undefined,
    metrics: {},
    overallCachePolicy: undefined,
  };
  const result = await executor(request as unknown as Parameters<Executor>[0]);
  const { data = null, errors, extensions } = result as ExecutionResult;
  return {
    data,
    ...(errors === undefined ? {} : { errors }),
    ...(extensions === undefined ? {} : { extensions }),
  };
}

async function within<Result>(
  answer: Promise<Result>,
  context: OperationContext,
  limits: EngineLimits,
): Promise<Result> {
  const signal = AbortSignal.any([
    toAbortSignal(context.signal),
    AbortSignal.timeout(limits.operationTimeoutMs),
  ]);
  let onAbort = () => {};
  const aborted = new Promise<never>((_resolve, reject) => {
    onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([answer, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
