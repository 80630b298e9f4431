// What one message `subscribe` of graphql-transport-ws starts, of whatever kind, as a stream of results that can be cancelled.

import { setImmediate } from 'node:timers/promises';
import { deadlineSignal } from '@weft/core/deadline';
import { HubError } from '@weft/core/errors';
import type { Logger } from '@weft/core/logger';
import { type ExecutionResult, GraphQLError } from 'graphql';
import type { Documents } from '../documents/documents.ts';
import type {
  Engine,
  OperationContext,
  Preparation,
  PreparedOperation,
  SubsequentResult,
} from '../engine.ts';
import type { ClientHeaders } from '../fetch/forwarded-headers.ts';
import type { Principal } from '../identity/principal.ts';
import { endingWith } from '../incremental/ending-with.ts';
import { logCauses } from '../observe/causes.ts';
import type { ClientIdentity } from '../observe/client-identity.ts';
import { withInspection } from '../observe/inspect.ts';
import type { Observer } from '../observe/observer.ts';
import {
  noteErrors,
  noteFailure,
  notePrepared,
  noteResult,
  noteUnprepared,
  type OperationWatch,
} from '../observe/operation-watch.ts';
import { watchParts } from '../observe/watch-parts.ts';
import { toAbortSignal } from '../stop-signal.ts';
import { cancellable } from '../subscribe/cancellable.ts';
import type { EventStreams } from '../subscribe/event-streams.ts';
import type { LiveSink, LiveSubscription } from '../subscribe/sink.ts';

/** The payload of `subscribe`, checked by graphql-ws (https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md). */
export interface SubscribePayload {
  readonly query: string;
  readonly operationName?: string | null | undefined;
  readonly variables?: Readonly<Record<string, unknown>> | null | undefined;
  /** With these the query is empty: graphql-ws wants one. */
  readonly documentId?: unknown;
  /** A `traceparent` in it makes the operation part of the client's trace. */
  readonly extensions?: Readonly<Record<string, unknown>> | null | undefined;
}

/** Of whom a message comes. */
export interface Asker {
  /** Of the upgrade request. */
  readonly headers: ClientHeaders;
  readonly client: ClientIdentity;
  readonly principal: Principal;
}

/** An operation that is ready to run. */
export interface ReadyOperation {
  readonly engine: Engine;
  readonly prepared: PreparedOperation;
  readonly variables: Readonly<Record<string, unknown>>;
  readonly watch: OperationWatch;
  /** Of the connection's upgrade request. */
  readonly headers: ClientHeaders;
  readonly principal: Principal;
  /** What was asked, to be prepared anew for another authority; kept of live operations alone. */
  readonly payload: SubscribePayload | undefined;
}

/**
 * What is kept of one that has become live: it may go on for days, and the engine that it began on, and what that prepared,
 * are of a graph that is long gone by then.
 */
export type LiveOperation = Omit<ReadyOperation, 'engine' | 'prepared'>;

export interface OperationsOptions {
  /** The engine of now; an operation keeps the one that it began on. */
  engine(): Engine;
  readonly documents: Documents;
  /** Absent when the gateway runs without an event log: subscriptions then end with STORE_UNAVAILABLE. */
  readonly streams: EventStreams | undefined;
  readonly logger: Logger;
  readonly observer: Observer;
  readonly operationTimeoutMs: number;
}

export interface Operations {
  /** Parses, validates and plans, or says what is wrong. */
  prepare(payload: SubscribePayload, asker: Asker): Promise<ReadyOperation | readonly GraphQLError[]>;
  /** What is not even looked at, as the client is told it. */
  refuse(error: HubError, payload: SubscribePayload, asker: Asker): readonly GraphQLError[];
  /** The same of an operation that was prepared. */
  giveUp(watch: OperationWatch, error: HubError): readonly GraphQLError[];
  /** One result for a query or mutation, or its parts. Throws GraphQLError with a code. */
  run(operation: ReadyOperation, signal: AbortSignal): AsyncGenerator<ExecutionResult, void, undefined>;
  /** Begins a subscription; the sink is told of its end. Throws what keeps it from beginning. */
  subscribe(operation: ReadyOperation, sink: LiveSink): LiveSubscription;
  /**
   * A live operation whose asker has another authority now goes on with that.
   * @returns what it runs as, or why it does not
   */
  reauthorise(
    operation: LiveOperation,
    subscription: LiveSubscription,
    principal: Principal,
  ): Promise<LiveOperation | readonly GraphQLError[]>;
  /** A subscription has ended. */
  over(operation: LiveOperation): void;
  /** For the log: why a live operation has ended. */
  noteCause(error: HubError, watch: OperationWatch): void;
  /** Resolves when every query and mutation that is running has been answered. */
  settled(): Promise<void>;
}

export function createOperations(options: OperationsOptions): Operations {
  const running = new Set<Promise<void>>();
  const { observer } = options;
  return {
    async prepare(payload, { headers, client, principal }) {
      const watch = open(observer, payload, client);
      const { traceId } = watch;
      const engine = options.engine();
      const prepared = await prepareSafely(options, engine, payload, principal, traceId);
      if ('errors' in prepared) {
        noteUnprepared(watch, payload);
        noteErrors(watch, prepared.errors);
        observer.close(watch);
        return prepared.errors.map((error) => withTraceId(error, traceId));
      }
      notePrepared(watch, prepared, {
        operationName: payload.operationName,
        query: payload.query === '' ? options.documents.textOf(payload) : payload.query,
      });
      const kept = prepared.kind === 'subscription' ? payload : undefined;
      const variables = payload.variables ?? {};
      return { engine, prepared, variables, watch, headers, principal, payload: kept };
    },
    refuse(error, payload, { client }) {
      const watch = open(observer, payload, client);
      noteUnprepared(watch, payload);
      return giveUp(observer, watch, error);
    },
    giveUp: (watch, error) => giveUp(observer, watch, error),
    run(operation, parent) {
      const results = cancellable((signal) => start(options, running, operation, signal), parent);
      // Also of an operation whose client left before it began.
      return endingWith(results, () => observer.close(operation.watch));
    },
    subscribe: (operation, sink) => subscribe(options, operation, sink),
    reauthorise: (operation, subscription, principal) =>
      reauthorise(options, operation, subscription, principal),
    over: ({ watch }) => observer.close(watch),
    noteCause({ code, cause }, { traceId }) {
      if (code === 'INTERNAL_SERVER_ERROR')
        options.logger.error({ err: cause, traceId }, 'an operation failed');
    },
    async settled() {
      await Promise.all(running);
      // The message `complete` follows the result within this turn.
      await setImmediate();
    },
  };
}

function giveUp(observer: Observer, watch: OperationWatch, error: HubError): readonly GraphQLError[] {
  noteFailure(watch, error);
  observer.close(watch);
  return [toGraphQLError(error, watch.traceId)];
}

/** A mistake of the hub ends this operation, and not the socket with all others. */
async function prepareSafely(
  { documents, logger }: OperationsOptions,
  engine: Engine,
  payload: SubscribePayload,
  principal: Principal,
  traceId: string,
): Promise<Preparation> {
  try {
    const query = documents.textOf(payload);
    const prepared = await engine.prepare(query, payload.operationName ?? undefined, principal);
    if ('errors' in prepared) logCauses(logger, prepared.errors, traceId);
    return prepared;
  } catch (thrown) {
    const error = HubError.from(thrown);
    if (error.code === 'INTERNAL_SERVER_ERROR')
      logger.error({ err: thrown, traceId }, 'an operation could not be prepared');
    return { errors: [new GraphQLError(error.message, { extensions: error.toExtensions() })] };
  }
}

function open(observer: Observer, payload: SubscribePayload, client: ClientIdentity): OperationWatch {
  const traceparent = payload.extensions?.traceparent;
  return observer.open('websocket', typeof traceparent === 'string' ? { traceparent } : {}, client);
}

/** An error of the HTTP kind: coded, with the operation's trace id. */
export function toGraphQLError(thrown: unknown, traceId: string): GraphQLError {
  if (thrown instanceof GraphQLError) return withTraceId(thrown, traceId);
  const error = HubError.from(thrown);
  return new GraphQLError(error.message, { extensions: { ...error.toExtensions(), traceId } });
}

function withTraceId(error: GraphQLError, traceId: string): GraphQLError {
  const { nodes, path, originalError, message } = error;
  const extensions = { ...error.extensions, traceId };
  return new GraphQLError(message, {
    nodes: nodes ?? null,
    path: path ?? null,
    originalError: originalError ?? null,
    extensions,
  });
}

async function* start(
  options: OperationsOptions,
  running: Set<Promise<void>>,
  operation: ReadyOperation,
  signal: AbortSignal,
): AsyncGenerator<ExecutionResult, void, undefined> {
  const { watch, headers, principal } = operation;
  const { traceId } = watch;
  const context: OperationContext = { signal, traceId, principal, headers, watch };
  options.observer.allowInspection(watch, headers, principal);
  watch.isExecuted = true;
  try {
    yield* executeOnce(options, running, operation, context);
  } catch (thrown) {
    if (signal.aborted) return;
    const error = toGraphQLError(thrown, traceId);
    noteErrors(watch, [error]);
    if (error.extensions.code === 'INTERNAL_SERVER_ERROR')
      options.logger.error({ err: thrown, traceId }, 'an operation failed');
    throw error;
  }
}

/** A live operation is not ended by its context: whoever subscribed stops it. */
const NEVER = new AbortController().signal;

function subscribe(options: OperationsOptions, operation: ReadyOperation, sink: LiveSink): LiveSubscription {
  const { prepared, watch, headers, principal, variables } = operation;
  watch.isExecuted = true;
  try {
    if (options.streams === undefined) throw noEventLog();
    // Before the first event, rather than in the answer to each.
    prepared.cost?.require?.(variables);
    options.observer.began(watch);
    const { traceId } = watch;
    return options.streams.open(prepared, variables, { signal: NEVER, traceId, principal, headers }, sink);
  } catch (thrown) {
    const error = toGraphQLError(thrown, watch.traceId);
    noteErrors(watch, [error]);
    if (error.extensions.code === 'INTERNAL_SERVER_ERROR')
      options.logger.error({ err: thrown, traceId: watch.traceId }, 'an operation failed');
    throw error;
  }
}

async function reauthorise(
  options: OperationsOptions,
  operation: LiveOperation,
  subscription: LiveSubscription,
  principal: Principal,
): Promise<LiveOperation | readonly GraphQLError[]> {
  const { payload, variables, headers, watch } = operation;
  const { traceId } = watch;
  const engine = options.engine();
  const prepared = await prepareSafely(options, engine, payload ?? { query: '' }, principal, traceId);
  if ('errors' in prepared) {
    noteErrors(watch, prepared.errors);
    return prepared.errors.map((error) => withTraceId(error, traceId));
  }
  options.streams?.moveTo(subscription, prepared, variables, { signal: NEVER, traceId, principal, headers });
  return { ...operation, principal };
}

/** Counts as running until its result was consumed. */
async function* executeOnce(
  options: OperationsOptions,
  running: Set<Promise<void>>,
  { engine, prepared, variables, watch }: ReadyOperation,
  context: OperationContext,
): AsyncGenerator<ExecutionResult, void, undefined> {
  // A mutation that was begun is not torn apart when its client goes away.
  const parent = prepared.kind === 'mutation' ? undefined : toAbortSignal(context.signal);
  const signal = deadlineSignal(options.operationTimeoutMs, parent);
  const answered = Promise.withResolvers<void>();
  running.add(answered.promise);
  try {
    const execute = (prepared.isDeferred === true && engine.executeIncrementally) || engine.execute;
    const result = await execute(prepared, variables, { ...context, signal });
    const inspected = <Last extends ExecutionResult | SubsequentResult>(last: Last): Last =>
      watch.inspection === undefined
        ? last
        : { ...last, extensions: withInspection(last.extensions, watch, engine, prepared) };
    if (!('subsequent' in result)) {
      noteResult(watch, result);
      yield inspected(result);
      return;
    }
    const { initial, subsequent } = watchParts(watch, result, inspected);
    yield initial;
    // graphql-transport-ws leaves it to both ends what a `next` holds: these are the parts of the multipart form.
    for await (const part of subsequent) yield part as ExecutionResult;
  } finally {
    running.delete(answered.promise);
    answered.resolve();
  }
}

function noEventLog(): HubError {
  return new HubError('STORE_UNAVAILABLE', 'This gateway runs without an event log: it has no live fields.', {
    retryable: false,
  });
}
