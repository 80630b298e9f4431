// The event log in PostgreSQL: reads the outbox table itself, woken by NOTIFY, with polling behind it.
import { delay } from '@weft/core/deadline';
import { HubError } from '@weft/core/errors';
import type { Logger } from '@weft/core/logger';
import type { EventLog, LogEvent, LogGap, Position, ReadOptions } from '../event-log.ts';
import { followOn } from './announcement.ts';
import { type Batch, readBatch } from './batch.ts';
import { type Listener, startListener } from './listener.ts';
import { orUnavailable, readHead } from './outbox.ts';
import { openPool, type StorePool } from './pool.ts';
import { comparePositions, POSITION_MAX } from './position.ts';
import { trimTopic } from './trim.ts';

export interface PostgresLogOptions {
  readonly databaseUrl: string;
  readonly logger: Logger;
  /** How long a quiet topic is left alone when no announcement comes; default 1,000 ms. */
  readonly pollMs?: number;
}

const POLL_MS = 1_000;
/** Between looks while an earlier transaction keeps committed events back; longer once it has lasted a second. */
const PENDING_POLL_MS = 15;
const PENDING_POLL_MS_LONG = 100;
const PENDING_ROUNDS_SHORT = 64;

const BATCH_EVENTS = 500;
const BATCH_EVENTS_MAX = 5_000;
const RETRY_DELAY_MS_MIN = 50;
const RETRY_DELAY_MS_MAX = 2_000;

/**
 * Opens the log of a database whose `events` schema is migrated. Connects when it is first used and again whenever the
 * server comes back; a reader waits for it and goes on from its position. `close()` ends every reader and connection.
 */
export function openPostgresLog(options: PostgresLogOptions): EventLog {
  const { databaseUrl, logger } = options;
  const pool = openPool(databaseUrl, logger);
  const closing = new AbortController();
  let listener: Listener | undefined;
  const source = (): Source => {
    listener ??= startListener(databaseUrl, logger);
    return { pool, listener, logger, pollMs: options.pollMs ?? POLL_MS };
  };
  return {
    head: (topic) => orUnavailable(() => readHead(pool, topic)),
    read: (topic, read) =>
      readTopic(source(), topic, { ...read, signal: AbortSignal.any([read.signal, closing.signal]) }),
    trim: (topic, olderThanMs) => orUnavailable(() => trimTopic(pool, topic, { olderThanMs })),
    compare: comparePositions,
    async close() {
      if (closing.signal.aborted) return;
      closing.abort();
      await listener?.close();
      await pool.end();
    },
  };
}

interface Source {
  readonly pool: StorePool;
  readonly listener: Listener;
  readonly logger: Logger;
  readonly pollMs: number;
}

async function* readTopic(
  source: Source,
  topic: string,
  options: ReadOptions,
): AsyncGenerator<readonly (LogEvent | LogGap)[], void, undefined> {
  const { signal, upTo = POSITION_MAX, gatherMs = 0 } = options;
  const eventsMax = Math.min(options.batchEventsMax ?? BATCH_EVENTS, BATCH_EVENTS_MAX);
  let after = options.after ?? (await untilAnswered(source, signal, () => readHead(source.pool, topic)));
  let pendingRounds = 0;
  while (!signal.aborted && after !== undefined && comparePositions(after, upTo) < 0) {
    // Taken before reading: an announcement in the middle of the query must not be slept through.
    const seen = source.listener.announced(topic);
    const position = after;
    const batch = await untilAnswered(source, signal, () =>
      readBatch(source.pool, topic, position, upTo, eventsMax),
    );
    if (batch === undefined) return;
    after = lastPosition(batch) ?? after;
    if (batch.entries.length > 0) yield batch.entries;
    if (batch.full) continue;
    if (options.upTo !== undefined) return;
    pendingRounds = batch.pending ? pendingRounds + 1 : 0;
    const waited = { pollMs: pauseMs(source.pollMs, pendingRounds), gatherMs, signal };
    for await (const events of readTold(source.listener, { topic, seen, after, eventsMax }, waited)) {
      after = events.at(-1)?.position ?? after;
      yield events;
    }
  }
}

interface Place {
  readonly topic: string;
  /** What had been announced when everything up to `after` was read. */
  readonly seen: number;
  readonly after: Position;
  readonly eventsMax: number;
}

/** Waits, and yields what is told with its announcement, as long as that follows on what was read. Ends when there is something to read. */
async function* readTold(
  listener: Listener,
  { topic, seen, after, eventsMax }: Place,
  { pollMs, gatherMs, signal }: { pollMs: number; gatherMs: number; signal: AbortSignal },
): AsyncGenerator<readonly LogEvent[], void, undefined> {
  let [last, lastSeen] = [after, seen];
  for (;;) {
    await listener.wait(topic, lastSeen, pollMs, signal);
    if (gatherMs > 0) await delay(gatherMs, signal).catch(() => undefined);
    if (signal.aborted) return;
    const nowSeen = listener.announced(topic);
    const told = listener.toldSince(topic, lastSeen);
    const events = told && followOn(told, last, eventsMax);
    if (events === undefined) return;
    lastSeen = nowSeen;
    last = events.at(-1)?.position ?? last;
    if (events.length > 0) yield events;
  }
}

function lastPosition(batch: Batch): Position | undefined {
  const last = batch.entries.at(-1);
  return last?.kind === 'gap' ? last.to : last?.position;
}

function pauseMs(pollMs: number, pendingRounds: number): number {
  if (pendingRounds === 0) return pollMs;
  return pendingRounds <= PENDING_ROUNDS_SHORT ? PENDING_POLL_MS : PENDING_POLL_MS_LONG;
}

/** Asks again with growing pauses until the server answers; undefined when the signal aborts first. */
async function untilAnswered<T>(
  source: Source,
  signal: AbortSignal,
  ask: () => Promise<T>,
): Promise<T | undefined> {
  let delayMs = RETRY_DELAY_MS_MIN;
  while (!signal.aborted) {
    try {
      return await ask();
    } catch (thrown) {
      if (thrown instanceof HubError) throw thrown;
      if (signal.aborted) return undefined;
      source.logger.warn(
        { err: thrown, delayMs },
        'the event log does not answer; reading again from the same position',
      );
      // An abort ends the pause with a rejection, and the loop with it.
      await delay(delayMs, signal).catch(() => undefined);
      delayMs = Math.min(delayMs * 2, RETRY_DELAY_MS_MAX);
    }
  }
  return undefined;
}
