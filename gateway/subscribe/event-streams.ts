// Live subscriptions: the event log's topics as streams of GraphQL results.
import { HubError } from '@weft/core/errors';
import type { Logger } from '@weft/core/logger';
import type { EventLog, LogEvent, LogGap, Position } from '@weft/events/event-log';
import { type ExecutionResult, GraphQLError } from 'graphql';
import type { Engine, EventStreamField, OperationContext, PreparedOperation } from '../engine.ts';
import { type BoundField, bindField, type CompiledField, type Described } from './bound-field.ts';
import { cancellable } from './cancellable.ts';
import { type CursorCodec, createCursorCodec, type KeyRing } from './cursor.ts';
import { createEventQueue, type EventQueue, type QueueEntry } from './event-queue.ts';
import { type Feed, feedAfter, feedLive } from './feed.ts';
import { deliverInOrder } from './in-order.ts';
import type { Renewals, Renewed } from './renewals.ts';
import { createTopicReaders, type TopicReaders } from './topic-reader.ts';

export interface EventStreamsOptions {
  readonly log: EventLog;
  readonly engine: Pick<Engine, 'executeEvent'>;
  /** Tells of engines that replace the one an operation was prepared on; absent where there is one engine for good. */
  readonly renewals?: Renewals;
  readonly keyRing: KeyRing;
  readonly logger: Logger;
  /** Events that wait for one subscriber at the most, before it is told of a gap; default 1,000. */
  readonly queueEventsMax?: number;
}

export interface EventStreams {
  /**
   * Runs a prepared subscription: one result an event, in the log's order, until the signal aborts or the consumer
   * returns; it pulls no faster than it is consumed. A gap is a result with `gap` and `extensions.weft.gap` set.
   * Goes on when the graph is reloaded. Throws HubError when the stream ends for a reason: INVALID_CURSOR,
   * BAD_USER_INPUT, STORE_UNAVAILABLE, and SUBSCRIPTION_SCHEMA_RELOAD when a new graph lacks a field of it.
   */
  subscribe(
    operation: PreparedOperation,
    variables: Readonly<Record<string, unknown>>,
    context: OperationContext,
  ): AsyncGenerator<ExecutionResult, void, undefined>;
  /** Subscribers that stand in the stream: whatever is appended from now on reaches them. */
  liveSubscribers(): number;
  /** Topics that are being read at the moment. */
  topics(): readonly string[];
}

const QUEUE_EVENTS_MAX = 1_000;
/** Events of one subscriber whose entities are fetched at the same time. */
const EVENTS_AT_ONCE_MAX = 8;

/** Streams over one log. Holds one reader a topic while somebody listens, and nothing else: the log is the caller's to close. */
export function createEventStreams(options: EventStreamsOptions): EventStreams {
  const queueEventsMax = options.queueEventsMax ?? QUEUE_EVENTS_MAX;
  const parts: Parts = {
    ...options,
    queueEventsMax,
    cursors: createCursorCodec(options.keyRing),
    readers: createTopicReaders(options.log, queueEventsMax),
    compiled: new WeakMap(),
    live: new Set(),
  };
  return {
    subscribe: (operation, variables, context) =>
      cancellable((signal) => stream(parts, operation, variables, { ...context, signal }), context.signal),
    liveSubscribers: () => parts.live.size,
    topics: () => parts.readers.topics(),
  };
}

interface Parts {
  readonly log: EventLog;
  readonly engine: Pick<Engine, 'executeEvent'>;
  readonly renewals?: Renewals;
  readonly logger: Logger;
  readonly queueEventsMax: number;
  readonly cursors: CursorCodec;
  readonly readers: TopicReaders;
  readonly compiled: WeakMap<EventStreamField, CompiledField>;
  readonly live: Set<symbol>;
}

/** What a subscription runs as now: another operation after each reload of the graph. */
interface Running {
  operation: PreparedOperation;
  field: BoundField;
}

async function* stream(
  parts: Parts,
  operation: PreparedOperation,
  variables: Readonly<Record<string, unknown>>,
  context: OperationContext,
): AsyncGenerator<ExecutionResult, void, undefined> {
  const bind = (prepared: PreparedOperation) => bindField(parts, prepared, variables, context.principal.id);
  const running: Running = { operation, field: bind(operation) };
  const { topic, after } = running.field;
  const queue = createEventQueue(parts.queueEventsMax);
  // Before the first wait: an engine that is replaced meanwhile would be closed.
  const unwatch = parts.renewals?.watch(operation, context.principal, (renewed) =>
    renew(running, renewed, bind, queue),
  );
  let lease: Awaited<ReturnType<TopicReaders['acquire']>> | undefined;
  let fed: { stop(): void } | undefined;
  try {
    lease = await parts.readers.acquire(topic);
    const { signal } = context;
    const { queueEventsMax, log } = parts;
    const offer = (entry: LogEvent | LogGap) => offerFiltered(running.field, queue, entry);
    fed = startFeed(parts, { log, topic, reader: lease.reader, queue, queueEventsMax, signal, offer }, after);
    const work = (entry: QueueEntry) => {
      const { operation: prepared, field } = running;
      return execute(parts, prepared, variables, context, field.describe(entry));
    };
    yield* deliverInOrder(queue, work, EVENTS_AT_ONCE_MAX, signal);
  } finally {
    // Ends a feed that waits for the queue to be drained.
    queue.end();
    fed?.stop();
    lease?.release();
    unwatch?.();
  }
}

/** Puts the operation of the new graph in place of the old one, or ends the stream after what is queued. */
function renew(
  running: Running,
  renewed: Renewed,
  bind: (operation: PreparedOperation) => BoundField,
  queue: EventQueue,
): void {
  if (renewed.errors !== undefined) {
    queue.end(schemaReload(renewed.errors[0]?.message));
    return;
  }
  try {
    const field = bind(renewed.operation);
    // A place in one topic means nothing in another.
    if (field.topic !== running.field.topic) queue.end(schemaReload('Its events have another source.'));
    running.operation = renewed.operation;
    running.field = field;
  } catch (thrown) {
    queue.end(schemaReload(HubError.from(thrown).message, thrown));
  }
}

function schemaReload(reason = '', cause?: unknown): HubError {
  const message = `The graph was reloaded and does not have this subscription any more. ${reason}`.trimEnd();
  return new HubError('SUBSCRIPTION_SCHEMA_RELOAD', message, { cause });
}

/** Lets through gaps, and the events whose data the filter calls true, before anything is fetched for them. */
function offerFiltered(field: BoundField, queue: EventQueue, entry: LogEvent | LogGap): void {
  try {
    if (entry.kind === 'gap' || field.accepts(entry.event.data)) queue.offer(entry);
  } catch (thrown) {
    // Neither to deliver the event nor to drop it would be right.
    queue.end(HubError.from(thrown));
  }
}

/** Begins to fill the queue; what goes wrong later ends the queue, and by it the stream. */
function startFeed(parts: Parts, feed: Feed, after: Position | undefined): { stop(): void } {
  const token = Symbol('subscriber');
  let stopped = false;
  let stopFeed: () => void = () => undefined;
  const join = (stop: () => void) => {
    if (stopped) return stop();
    stopFeed = stop;
    parts.live.add(token);
  };
  if (after === undefined) join(feedLive(feed));
  else feedAfter(feed, after).then(join, (thrown) => feed.queue.end(HubError.from(thrown)));
  return {
    stop() {
      stopped = true;
      parts.live.delete(token);
      stopFeed();
    },
  };
}

/** One result; never rejects, so that one event's misfortune does not end the stream. */
async function execute(
  parts: Parts,
  operation: PreparedOperation,
  variables: Readonly<Record<string, unknown>>,
  context: OperationContext,
  { message, extensions }: Described,
): Promise<ExecutionResult> {
  try {
    const result = await parts.engine.executeEvent(operation, variables, message, context);
    return extensions === undefined
      ? result
      : { ...result, extensions: { ...result.extensions, ...extensions } };
  } catch (thrown) {
    const error = HubError.from(thrown);
    if (error.code !== 'CANCELLED')
      parts.logger.error({ err: thrown, traceId: context.traceId }, 'an event could not be executed');
    const shown = { ...error.toExtensions(), traceId: context.traceId };
    // The cursor lets the client come back to exactly this event's place.
    const weft = { ...(extensions?.weft as object | undefined), cursor: message.cursor };
    return {
      data: null,
      errors: [new GraphQLError(error.message, { extensions: shown })],
      extensions: { weft },
    };
  }
}
