// Fills one subscriber's queue: from the log while it is behind, then from the shared reader, without gap or double.
import { HubError } from '@weft/core/errors';
import type { EventLog, LogEvent, LogGap, Position } from '@weft/events/event-log';
import type { EventQueue } from './event-queue.ts';
import type { TopicReader } from './topic-reader.ts';

/** Events read at a time for one subscriber that is behind. */
const CATCH_UP_EVENTS_MAX = 200;

export interface Feed {
  readonly log: EventLog;
  readonly topic: string;
  readonly reader: TopicReader;
  readonly queue: EventQueue;
  readonly queueEventsMax: number;
  readonly signal: AbortSignal;
  /** Filters, then offers to the queue. Must not throw. */
  offer(entry: LogEvent | LogGap): void;
}

/** From now on, everything that the shared reader hands out. Returns how to stop. */
export function feedLive(feed: Feed): () => void {
  return feed.reader.listen({ onEntry: feed.offer, onEnd: (error) => feed.queue.end(error) });
}

/**
 * Everything after a position. While the subscriber is behind, it reads for itself and no faster than it is consumed;
 * it joins the shared reader when its queue is empty and what it lacks is at hand there.
 * @returns how to stop
 * @throws HubError INVALID_CURSOR when the log has not come to the position: it is from another log
 */
export async function feedAfter(feed: Feed, after: Position): Promise<() => void> {
  const { log, reader, queue, signal } = feed;
  await requireReached(feed, after);
  let position = after;
  while (!signal.aborted) {
    await queue.drained();
    if (log.compare(position, reader.oldest()) >= 0) return join(feed, position);
    position = await readUpTo(feed, position, reader.position());
  }
  return () => undefined;
}

async function requireReached({ log, topic, reader, signal }: Feed, after: Position): Promise<void> {
  if (log.compare(after, reader.position()) <= 0) return;
  if (log.compare(after, await log.head(topic, signal)) <= 0) return;
  throw new HubError('INVALID_CURSOR', 'The cursor is from another event log: this one has not come so far.');
}

/** Runs to its end without waiting: nothing is handed out between looking back and listening. */
function join({ log, reader, queue, offer }: Feed, position: Position): () => void {
  for (const event of reader.since(position)) offer(event);
  const isNew = (entry: LogEvent | LogGap) =>
    log.compare(entry.kind === 'event' ? entry.position : entry.to, position) > 0;
  return reader.listen({
    onEntry(entry) {
      // A cursor from another gateway may be ahead of this one's reader.
      if (isNew(entry)) offer(entry);
    },
    onEnd: (error) => queue.end(error),
  });
}

async function readUpTo(feed: Feed, after: Position, upTo: Position): Promise<Position> {
  const { log, topic, queue, signal } = feed;
  // A batch is offered to an empty queue and fits.
  const batchEventsMax = Math.min(CATCH_UP_EVENTS_MAX, feed.queueEventsMax);
  let position = upTo;
  for await (const batch of log.read(topic, { after, upTo, signal, batchEventsMax })) {
    for (const entry of batch) {
      feed.offer(entry);
      const reached = entry.kind === 'event' ? entry.position : entry.to;
      if (log.compare(reached, position) > 0) position = reached;
    }
    await queue.drained();
    if (signal.aborted) break;
  }
  return position;
}
