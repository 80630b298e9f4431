// What one message `subscribe` of graphql-transport-ws starts, of whatever kind, as a stream of results that can be cancelled.

import { randomBytes } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { deadlineSignal } from '@weft/core/deadline';
import { HubError } from '@weft/core/errors';
import type { Logger } from '@weft/core/logger';
import { type ExecutionResult, GraphQLError } from 'graphql';
import type { Documents } from '../documents/documents.ts';
import type { Engine, OperationContext, PreparedOperation } from '../engine.ts';
import type { ClientHeaders } from '../fetch/forwarded-headers.ts';
import { cancellable } from '../subscribe/cancellable.ts';
import type { EventStreams } from '../subscribe/event-streams.ts';
import type { Session } from './session.ts';

/** The payload of `subscribe`, checked by graphql-ws (https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md). */
export interface SubscribePayload {
  readonly query: string;
  readonly operationName?: string | null | undefined;
  readonly variables?: Readonly<Record<string, unknown>> | null | undefined;
  /** With these the query is empty: graphql-ws wants one. */
  readonly documentId?: unknown;
  readonly extensions?: Readonly<Record<string, unknown>> | null | undefined;
}

/** An operation that is ready to run. */
export interface ReadyOperation {
  readonly engine: Engine;
  readonly prepared: PreparedOperation;
  readonly variables: Readonly<Record<string, unknown>>;
  readonly traceId: string;
  /** Of the connection's upgrade request. */
  readonly headers: ClientHeaders;
  readonly session: Session;
}

export interface OperationsOptions {
  /** The engine of now; an operation keeps the one that it began on. */
  engine(): Engine;
  readonly documents: Documents;
  /** Absent when the gateway runs without an event log: subscriptions then end with STORE_UNAVAILABLE. */
  readonly streams: EventStreams | undefined;
  readonly logger: Logger;
  readonly operationTimeoutMs: number;
}

export interface Operations {
  /** Parses, validates and plans, or says what is wrong. */
  prepare(
    payload: SubscribePayload,
    headers: ClientHeaders,
    session: Session,
  ): Promise<ReadyOperation | readonly GraphQLError[]>;
  /** One result for a query or mutation, one an event for a subscription. Throws GraphQLError with a code. */
  run(operation: ReadyOperation, signal: AbortSignal): AsyncGenerator<ExecutionResult, void, undefined>;
  /** Resolves when every query and mutation that is running has been answered. */
  settled(): Promise<void>;
}

export function createOperations(options: OperationsOptions): Operations {
  const running = new Set<Promise<void>>();
  return {
    async prepare(payload, headers, session) {
      const traceId = randomBytes(16).toString('hex');
      const engine = options.engine();
      let query: string;
      try {
        query = options.documents.textOf(payload);
      } catch (thrown) {
        return [toGraphQLError(thrown, traceId)];
      }
      const prepared = await engine.prepare(query, payload.operationName ?? undefined, session.principal);
      if ('errors' in prepared) return prepared.errors.map((error) => withTraceId(error, traceId));
      return { engine, prepared, variables: payload.variables ?? {}, traceId, headers, session };
    },
    run: (operation, parent) => cancellable((signal) => start(options, running, operation, signal), parent),
    async settled() {
      await Promise.all(running);
      // The message `complete` follows the result within this turn.
      await setImmediate();
    },
  };
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
  const { prepared, traceId, headers, session } = operation;
  const context: OperationContext = { signal, traceId, principal: session.principal, headers };
  try {
    switch (prepared.kind) {
      case 'query':
      case 'mutation':
        yield* executeOnce(options, running, operation, context);
        return;
      case 'subscription':
        if (options.streams === undefined) throw noEventLog();
        // Before the first event, rather than in the answer to each.
        prepared.cost?.require?.(operation.variables);
        yield* subscribe(options.streams, operation, context);
        return;
      default:
        return prepared.kind satisfies never;
    }
  } catch (thrown) {
    if (signal.aborted) return;
    const error = toGraphQLError(thrown, traceId);
    if (error.extensions.code === 'INTERNAL_SERVER_ERROR')
      options.logger.error({ err: thrown, traceId }, 'an operation failed');
    throw error;
  }
}

/** Ends with UNAUTHENTICATED when the credentials that it began with end. */
async function* subscribe(
  streams: EventStreams,
  { prepared, variables, session: { ended } }: ReadyOperation,
  context: OperationContext,
): AsyncGenerator<ExecutionResult, void, undefined> {
  if (ended === undefined) return yield* streams.subscribe(prepared, variables, context);
  const signal = AbortSignal.any([context.signal, ended]);
  try {
    yield* streams.subscribe(prepared, variables, { ...context, signal });
  } catch (thrown) {
    throw ended.aborted ? ended.reason : thrown;
  }
  if (ended.aborted) throw ended.reason;
}

/** Counts as running until its result was consumed. */
async function* executeOnce(
  options: OperationsOptions,
  running: Set<Promise<void>>,
  { engine, prepared, variables }: ReadyOperation,
  context: OperationContext,
): AsyncGenerator<ExecutionResult, void, undefined> {
  // A mutation that was begun is not torn apart when its client goes away.
  const parent = prepared.kind === 'mutation' ? undefined : context.signal;
  const signal = deadlineSignal(options.operationTimeoutMs, parent);
  const answered = Promise.withResolvers<void>();
  running.add(answered.promise);
  try {
    const execute = (prepared.isDeferred === true && engine.executeIncrementally) || engine.execute;
    const result = await execute(prepared, variables, { ...context, signal });
    if (!('subsequent' in result)) {
      yield result;
      return;
    }
    yield result.initial;
    // graphql-transport-ws leaves it to both ends what a `next` holds: these are the parts of the multipart form.
    for await (const part of result.subsequent) yield part as ExecutionResult;
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
