// Reads a topic of the incident library from a stored checkpoint, and does its work in the transaction that moves it.
import { delay } from '@weft/core/deadline';
import { invariant } from '@weft/core/errors';
import type { Logger } from '@weft/core/logger';
import type { SqlTransaction, StoreTransaction } from '@weft/core/sql-store';
import {
  type EventAppender,
  type EventLog,
  type LogEvent,
  type LogGap,
  type Position,
  START,
} from '@weft/events/event-log';
import type { Draft } from '../commands/accept.ts';
import type { Store } from '../ingest/store.ts';

/** What every reader of this folder works with. */
export interface ReaderOptions {
  readonly log: EventLog;
  /** Closed by the caller, after this. */
  readonly store: Store;
  readonly appender: EventAppender;
  /** Told of each source whose commands may have been committed. */
  readonly onMade: (system: string, source: string) => void;
  readonly logger: Logger;
}

/** A source that commands are written to. */
export type Lane = Pick<Draft, 'system' | 'source'>;

export interface TopicReader {
  /** Ends after the transaction in flight. */
  close(): Promise<void>;
}

export interface ReaderWork {
  readonly topic: string;
  /** The key of the checkpoint. */
  readonly reader: string;
  /** Whether there is anything to do for an event. */
  readonly concerns: (event: LogEvent) => boolean;
  /** @returns the sources whose commands it made */
  readonly apply: (transaction: StoreTransaction, event: LogEvent) => Promise<readonly Lane[]>;
  /** As the log tells it: what failed, and what is not done of what the log no longer has. */
  readonly failed: string;
  readonly lost: string;
}

/** Events in one transaction, at the most. */
const BATCH_EVENTS_MAX = 100;
/** An event waits so long for company: what is to be done for it is no answer that somebody waits for. */
const GATHER_MS = 30;
/** Batches that are of no concern move the checkpoint only this often: they are none the worse for being read again. */
const MOVED_EVERY_MS = 1_000;
/** While another host works on a batch. */
const OTHER_AT_WORK_MS = 200;
const RETRY_MS_MIN = 100;
const RETRY_MS_MAX = 5_000;

/**
 * Reads until closed. Several hosts may: of each batch one does the work, in the transaction that moves the checkpoint, and
 * the others go on behind it.
 */
export function startTopicReader(options: ReaderOptions, work: ReaderWork): TopicReader {
  const stop = new AbortController();
  const ended = run({ ...options, ...work }, stop.signal);
  return {
    async close() {
      stop.abort();
      await ended;
    },
  };
}

type Running = ReaderOptions & ReaderWork;

async function run(running: Running, signal: AbortSignal): Promise<void> {
  let retryMs = RETRY_MS_MIN;
  const worked = () => {
    retryMs = RETRY_MS_MIN;
  };
  while (!signal.aborted) {
    let waitMs = OTHER_AT_WORK_MS;
    try {
      await readFromCheckpoint(running, signal, worked);
    } catch (err) {
      running.logger.warn({ err, retryMs }, running.failed);
      waitMs = retryMs;
      retryMs = Math.min(retryMs * 2, RETRY_MS_MAX);
    }
    await delay(waitMs, signal).catch(() => undefined);
  }
}

/** Returns when the signal aborts, or when another host is at work: then reading starts over from where that one has come. */
async function readFromCheckpoint(running: Running, signal: AbortSignal, worked: () => void): Promise<void> {
  const { log, store, topic, reader, concerns } = running;
  let stored = await store.transaction((transaction) => readCheckpoint(transaction, reader));
  let movedAtMs = performance.now();
  const options = { after: stored, signal, batchEventsMax: BATCH_EVENTS_MAX, gatherMs: GATHER_MS };
  for await (const batch of log.read(topic, options)) {
    const isOfConcern = batch.some((item) => item.kind === 'gap' || concerns(item));
    if (!isOfConcern && performance.now() - movedAtMs < MOVED_EVERY_MS) continue;
    const next = await applyBatch(running, stored, batch);
    if (next === undefined) return;
    stored = next;
    movedAtMs = performance.now();
    worked();
  }
}

async function readCheckpoint(transaction: SqlTransaction, reader: string): Promise<Position> {
  await transaction.query(
    'INSERT INTO connectors.dispatch_checkpoint (reader, position) VALUES ($1, $2) ON CONFLICT DO NOTHING',
    [reader, START],
  );
  const [row] = await transaction.query<{ readonly position: string }>(
    'SELECT position FROM connectors.dispatch_checkpoint WHERE reader = $1',
    [reader],
  );
  invariant(row !== undefined, `the reader ${reader} has a checkpoint`);
  return row.position;
}

/**
 * @param from as the checkpoint says
 * @returns the position after the batch; undefined when another host works, or has moved the checkpoint
 */
async function applyBatch(
  { store, reader, concerns, apply, onMade, lost, logger }: Running,
  from: Position,
  batch: readonly (LogEvent | LogGap)[],
): Promise<Position | undefined> {
  const last = batch.at(-1);
  invariant(last !== undefined, 'a batch of the log is never empty');
  const to = last.kind === 'event' ? last.position : last.to;
  const made = await store.transaction(async (transaction) => {
    // Locked until the commands are committed: one host at a time works.
    const [held] = await transaction.query(
      'SELECT 1 AS held FROM connectors.dispatch_checkpoint WHERE reader = $1 AND position = $2 FOR UPDATE SKIP LOCKED',
      [reader, from],
    );
    if (held === undefined) return undefined;
    const lanes: Lane[] = [];
    for (const item of batch) {
      if (item.kind === 'gap') logger.error({ gap: item }, lost);
      else if (concerns(item)) lanes.push(...(await apply(transaction, item)));
    }
    await transaction.later.query(
      'UPDATE connectors.dispatch_checkpoint SET position = $2, updated_at = now() WHERE reader = $1',
      [reader, to],
    );
    return lanes;
  });
  if (made === undefined) return undefined;
  for (const { system, source } of made) onMade(system, source);
  return to;
}
