// Answers a subscription over HTTP: admits it, opens it, and keeps it until its client, its credentials or the gateway ends.
import { HubError } from '@weft/core/errors';
import type { Logger } from '@weft/core/logger';
import type { FastifyReply } from 'fastify';
import type { OperationContext, PreparedOperation } from '../engine.ts';
import { toGraphQLError } from '../execute/error-list.ts';
import type { RunningOperation } from '../http/run-operation.ts';
import type { Identity } from '../identity/identity.ts';
import type { Observer } from '../observe/observer.ts';
import { noteFailure, noteResult } from '../observe/operation-watch.ts';
import type { LiveSink, LiveSubscription } from '../subscribe/sink.ts';
import { createAdmission } from './admission.ts';
import type { LiveFormat } from './formats.ts';
import type { LiveHttpLimits } from './limits.ts';
import { NextTexts } from './next-texts.ts';
import { createResponseSink, type ResponseSink } from './response-sink.ts';

/** `EventStreams.open`. @throws HubError when there is nothing to open: INVALID_CURSOR, BAD_USER_INPUT */
export type OpenLive = (
  operation: PreparedOperation,
  variables: Readonly<Record<string, unknown>>,
  context: OperationContext,
  sink: LiveSink,
) => LiveSubscription;

export interface LiveHttpOptions {
  /** Absent: the gateway runs without an event log. */
  readonly open: OpenLive | undefined;
  readonly identity: Pick<Identity, 'watchEnd'>;
  readonly observer: Observer;
  readonly logger: Logger;
  readonly limits: LiveHttpLimits;
}

export interface LiveHttp {
  /**
   * Begins a stream. @throws HubError for what can still be refused with a status: RATE_LIMITED, INVALID_CURSOR, STORE_UNAVAILABLE
   * @param headers that are sent with every answer
   */
  answer(
    operation: RunningOperation,
    reply: FastifyReply,
    format: LiveFormat,
    headers: Headers,
  ): Promise<FastifyReply>;
  /** Open streams. */
  readonly streams: number;
  /** Ends every stream: its client is asked to come back. */
  leaveAll(): void;
}

type Headers = Readonly<Record<string, string>>;

export function createLiveHttp(options: LiveHttpOptions): LiveHttp {
  const admission = createAdmission(options.limits);
  const sinks = new Set<ResponseSink>();
  const texts = new NextTexts();
  let isLeaving = false;
  return {
    async answer(operation, reply, format, headers) {
      const { open, limits } = options;
      if (open === undefined) throw noEventLog();
      if (isLeaving) throw goingAway();
      // Before the first event, rather than in the answer to each.
      operation.prepared.cost?.require?.(operation.request.variables);
      const after = lastEventId(reply.request.headers['last-event-id'], limits);
      const leave = admit(admission.enter, operation, reply, limits);
      try {
        await stream({ ...options, open, sinks, texts, after }, operation, reply, format, headers, leave);
      } catch (thrown) {
        leave();
        throw thrown;
      }
      return reply;
    },
    get streams() {
      return admission.streams;
    },
    leaveAll() {
      isLeaving = true;
      for (const sink of [...sinks]) sink.leave(goingAway());
    },
  };
}

interface StreamOptions extends LiveHttpOptions {
  readonly open: OpenLive;
  readonly sinks: Set<ResponseSink>;
  readonly texts: NextTexts;
  /** Of Last-Event-ID. */
  readonly after: string | undefined;
}

/**
 * Resolves when the stream has begun or its client is gone; rejects with what is to be answered in its place.
 * @param onEnd called once, when a stream that was begun is over
 */
async function stream(
  options: StreamOptions,
  operation: RunningOperation,
  reply: FastifyReply,
  format: LiveFormat,
  headers: Headers,
  onEnd: () => void,
): Promise<void> {
  const { observer, limits, identity, sinks, texts } = options;
  const { prepared, request, principal, watch } = operation;
  const gone = new AbortController();
  const decided = Promise.withResolvers<HubError | undefined>();
  let subscription: LiveSubscription | undefined;
  let isOver = false;
  const finish = (error: HubError | undefined) => {
    if (isOver) return;
    isOver = true;
    stopWatching();
    subscription?.stop();
    gone.abort();
    sinks.delete(sink);
    if (!sink.hasBegun && error !== undefined) return decided.resolve(error);
    if (!sink.hasBegun) reply.hijack();
    decided.resolve(undefined);
    if (error !== undefined) noteFailure(watch, error);
    observer.close(watch);
    onEnd();
  };
  const sink = createResponseSink({
    response: reply.raw,
    format,
    texts,
    limits,
    begin(head) {
      reply.hijack();
      reply.raw.writeHead(200, { ...(reply.getHeaders() as Headers), ...headers, ...head });
      decided.resolve(undefined);
    },
    showError: (error) => toGraphQLError(error, watch.traceId),
    cursorMark: () => subscription?.cursorMark ?? '',
    onDrained: () => subscription?.drained(),
    onNext({ outcome }) {
      watch.results += 1;
      if (outcome === undefined || outcome.list.length === 0) watch.hasData = true;
      else noteResult(watch, { data: outcome.hasData ? {} : null, errors: outcome.list });
    },
    onEnd: finish,
  });
  // Stops at once for credentials that have ended meanwhile.
  const stopWatching = identity.watchEnd(principal, () => queueMicrotask(() => sink.end(credentialsEnded())));
  reply.raw.once('close', () => {
    sink.stop();
    finish(undefined);
  });
  sinks.add(sink);
  observer.allowInspection(watch, operation.headers, principal);
  watch.transport = format.name;
  watch.isExecuted = true;
  const { traceId } = watch;
  const context = {
    signal: gone.signal,
    traceId,
    principal,
    headers: operation.headers,
    watch,
    after: options.after,
  };
  try {
    subscription = options.open(prepared, request.variables, context, sink);
  } catch (thrown) {
    sink.stop();
    finish(HubError.from(thrown));
  }
  const stopWaiting = beginWhenOpen(sink, () => subscription?.isOpening === true, limits);
  const refusal = await decided.promise.finally(stopWaiting);
  if (refusal !== undefined) {
    watch.isExecuted = false;
    throw refusal;
  }
  if (!isOver) observer.began(watch);
}

/** A source that does not answer is still to be refused with a status: no head is written before it is open, but not for ever. */
function beginWhenOpen(sink: ResponseSink, isOpening: () => boolean, limits: LiveHttpLimits): () => void {
  const untilMs = performance.now() + limits.openTimeoutMs;
  const look = () => {
    if (!isOpening()) sink.begin();
    else if (performance.now() >= untilMs) sink.end(notOpened());
    else timer = setTimeout(look, limits.headDelayMs);
  };
  let timer = setTimeout(look, limits.headDelayMs);
  return () => clearTimeout(timer);
}

function admit(
  enter: ReturnType<typeof createAdmission>['enter'],
  { principal }: RunningOperation,
  reply: FastifyReply,
  { retryMsMax }: LiveHttpLimits,
): () => void {
  try {
    return enter(principal, reply.request.ip);
  } catch (thrown) {
    reply.header('retry-after', String(Math.ceil(retryMsMax / 1_000)));
    throw thrown;
  }
}

/**
 * What the client had last (https://html.spec.whatwg.org/multipage/server-sent-events.html#the-last-event-id-header). A browser
 * sends it by itself when it comes back, while the request's own `after` is that of its first time: so the header counts.
 */
function lastEventId(
  header: string | readonly string[] | undefined,
  limits: LiveHttpLimits,
): string | undefined {
  if (header === undefined || header === '') return undefined;
  if (typeof header !== 'string' || header.length > limits.lastEventIdCharsMax)
    throw new HubError('INVALID_CURSOR', 'Last-Event-ID is not a cursor of this field.');
  return header;
}

function credentialsEnded(): HubError {
  return new HubError('UNAUTHENTICATED', 'The credentials have ended: connect again with new ones.');
}

function goingAway(): HubError {
  return new HubError('CANCELLED', 'The gateway is going away: connect again.', { retryable: true });
}

function notOpened(): HubError {
  return new HubError('STORE_UNAVAILABLE', 'The event log does not answer: ask again.');
}

function noEventLog(): HubError {
  return new HubError('STORE_UNAVAILABLE', 'This gateway runs without an event log: it has no live fields.', {
    retryable: false,
  });
}
