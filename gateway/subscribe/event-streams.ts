// Live subscriptions: the event log's topics as streams of GraphQL results.
import { HubError } from '@weft/core/errors';
import type { Logger } from '@weft/core/logger';
import type { EventLog, LogEvent, LogGap, Position } from '@weft/events/event-log';
import { type CompiledMapping, compileMapping } from '@weft/schema/mapping/compile';
import { type ExecutionResult, GraphQLError } from 'graphql';
import type { Engine, EventStreamField, OperationContext, PreparedOperation } from '../engine.ts';
import { cancellable } from './cancellable.ts';
import { type CursorBinding, type CursorCodec, createCursorCodec, type KeyRing } from './cursor.ts';
import { createEventQueue, type QueueEntry, type StreamGap } from './event-queue.ts';
import { type Feed, feedAfter, feedLive } from './feed.ts';
import { deliverInOrder } from './in-order.ts';
import { compileMessage, type MessagePicker } from './message.ts';
import { createTopicReaders, type TopicReaders } from './topic-reader.ts';

export interface EventStreamsOptions {
  readonly log: EventLog;
  readonly engine: Pick<Engine, 'executeEvent'>;
  readonly keyRing: KeyRing;
  readonly logger: Logger;
  /** Events that wait for one subscriber at the most, before it is told of a gap; default 1,000. */
  readonly queueEventsMax?: number;
}

export interface EventStreams {
  /**
   * Runs a prepared subscription: one result an event, in the log's order, until the signal aborts or the consumer
   * returns; it pulls no faster than it is consumed. A gap is a result with `gap` and `extensions.weft.gap` set.
   * Throws HubError when the stream ends for a reason: INVALID_CURSOR, BAD_USER_INPUT, STORE_UNAVAILABLE.
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
  readonly logger: Logger;
  readonly queueEventsMax: number;
  readonly cursors: CursorCodec;
  readonly readers: TopicReaders;
  readonly compiled: WeakMap<EventStreamField, CompiledField>;
  readonly live: Set<symbol>;
}

interface CompiledField {
  readonly pick: MessagePicker;
  readonly where: CompiledMapping | undefined;
}

async function* stream(
  parts: Parts,
  operation: PreparedOperation,
  variables: Readonly<Record<string, unknown>>,
  context: OperationContext,
): AsyncGenerator<ExecutionResult, void, undefined> {
  const field = operation.eventStream;
  if (field === undefined)
    throw new HubError('BAD_USER_INPUT', 'expected a subscription to a field of the event log');
  const args = field.argumentsOf(variables);
  const binding = { topic: field.topic, field: field.field, principal: context.principal };
  const after =
    args.after === undefined || args.after === null ? undefined : parts.cursors.decode(args.after, binding);
  const compiled = compileField(parts, field);
  const queue = createEventQueue(parts.queueEventsMax);
  const lease = await parts.readers.acquire(field.topic);
  const { signal } = context;
  const offer = createFilter(compiled.where, args, queue.offer, queue.end);
  const feed: Feed = {
    log: parts.log,
    topic: field.topic,
    reader: lease.reader,
    queue,
    queueEventsMax: parts.queueEventsMax,
    signal,
    offer,
  };
  const fed = startFeed(parts, feed, after);
  const describe = createDescriber(parts, field, compiled.pick, binding);
  try {
    const work = (entry: QueueEntry) => execute(parts, operation, variables, context, describe(entry));
    yield* deliverInOrder(queue, work, EVENTS_AT_ONCE_MAX, signal);
  } finally {
    // Ends a feed that waits for the queue to be drained.
    queue.end();
    fed.stop();
    lease.release();
  }
}

function compileField(parts: Parts, field: EventStreamField): CompiledField {
  const known = parts.compiled.get(field);
  if (known !== undefined) return known;
  const compiled = {
    pick: compileMessage(field.message),
    where: field.where === undefined ? undefined : compileMapping(field.where, { roots: ['args'] }),
  };
  parts.compiled.set(field, compiled);
  return compiled;
}

/** Lets through gaps, and the events whose data the filter calls true, before anything is fetched for them. */
function createFilter(
  where: CompiledMapping | undefined,
  args: Readonly<Record<string, unknown>>,
  offer: (entry: LogEvent | LogGap) => void,
  end: (error: HubError) => void,
): (entry: LogEvent | LogGap) => void {
  if (where === undefined) return offer;
  return (entry) => {
    try {
      if (entry.kind === 'gap' || where.evaluate({ $: entry.event.data, args }) === true) offer(entry);
    } catch (thrown) {
      // Neither to deliver the event nor to drop it would be right.
      end(HubError.from(thrown));
    }
  };
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

/** What the engine is given for one entry, and what stands beside the answer. */
interface Described {
  readonly message: Record<string, unknown>;
  readonly extensions: Record<string, unknown> | undefined;
}

function createDescriber(
  parts: Parts,
  field: EventStreamField,
  pick: MessagePicker,
  binding: CursorBinding,
): (entry: QueueEntry) => Described {
  const cursorOf = (position: Position) => parts.cursors.encode(position, binding);
  const toGap = ({ from, to, reason }: StreamGap) => ({ from: cursorOf(from), to: cursorOf(to), reason });
  return (entry) => {
    if (entry.kind === 'event') {
      const cursor = cursorOf(entry.position);
      const message = { ...pick(entry.event.data), __typename: field.returnType, cursor, gap: null };
      return { message, extensions: undefined };
    }
    const gap = toGap(entry);
    const message = {
      ...pick({}),
      __typename: field.returnType,
      cursor: gap.to,
      gap: { __typename: 'Gap', ...gap },
    };
    return { message, extensions: { weft: { gap } } };
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
