// A reader of one topic that does its work and moves its checkpoint in one transaction, so that each event counts once.
import { delay } from '@weft/core/deadline';
import { invariant } from '@weft/core/errors';
import type { Logger } from '@weft/core/logger';
import {
  type EventLog,
  type LogEvent,
  type LogGap,
  type Position,
  type SqlTransaction,
  START,
} from '@weft/events/event-log';
import { type BatchSize, createBatchSize } from './batch-size.ts';
import { isDataError, isStoreAway, isTimedOut } from './store.ts';

/** Events in one transaction, at the most. */
export const BATCH_EVENTS_MAX = 200;
const RETRY_DELAY_MS_MIN = 50;
const RETRY_DELAY_MS_MAX = 2_000;
/** Between tries of one event that alone runs into the time-out: it holds up those behind it until somebody acts. */
const STUCK_RETRY_DELAY_MS = 30_000;

/** What one consumer reads, where it keeps its checkpoint, and what it does. `Transaction` is the owner's Prisma transaction. */
export interface ConsumerOptions<Transaction> {
  readonly log: EventLog;
  readonly topic: string;
  /** The key of its checkpoint in the table `checkpoint` of `schema`. */
  readonly name: string;
  readonly schema: string;
  readonly transact: <Result>(run: (transaction: Transaction) => Promise<Result>) => Promise<Result>;
  readonly sql: (transaction: Transaction) => SqlTransaction;
  /** See `ReadOptions`; default 0. */
  readonly gatherMs?: number;
  /** Does the work of some events, at most 200, in order. Must not fail because of what an event says: see `refuse`. */
  readonly apply: (transaction: Transaction, events: readonly LogEvent[]) => Promise<void>;
  /** Puts aside one event whose `apply` fails because of its data, so that it never blocks those behind it. */
  readonly refuse: (transaction: Transaction, event: LogEvent, reason: string) => Promise<void>;
  readonly logger: Logger;
}

export interface Consumer {
  /** Ends after the transaction in flight. */
  close(): Promise<void>;
}

/** Starts reading at the checkpoint and goes on until closed; while the store or the log is away it tries again with back-off. */
export function startConsumer<Transaction>(options: ConsumerOptions<Transaction>): Consumer {
  const stop = new AbortController();
  const ended = consumeForEver(options, stop.signal);
  return {
    close: async () => {
      stop.abort();
      await ended;
    },
  };
}

async function consumeForEver<Transaction>(
  options: ConsumerOptions<Transaction>,
  signal: AbortSignal,
): Promise<void> {
  const size = createBatchSize(BATCH_EVENTS_MAX);
  let retryDelayMs = RETRY_DELAY_MS_MIN;
  const progress = () => {
    retryDelayMs = RETRY_DELAY_MS_MIN;
  };
  while (!signal.aborted) {
    try {
      await consumeFromCheckpoint(options, signal, size, progress);
    } catch (thrown) {
      if (signal.aborted) return;
      const outcome = isTimedOut(thrown) ? size.timedOut() : 'same';
      // Fewer events are another try, not the same one again.
      if (outcome === 'halved') retryDelayMs = RETRY_DELAY_MS_MIN;
      const waitMs = outcome === 'stuck' ? STUCK_RETRY_DELAY_MS : retryDelayMs;
      logFailure(options, thrown, outcome, size.eventsMax(), waitMs);
      // Closing cuts the wait short.
      await delay(waitMs, signal).catch(() => undefined);
      retryDelayMs = Math.min(retryDelayMs * 2, RETRY_DELAY_MS_MAX);
    }
  }
}

function logFailure<Transaction>(
  { logger, name }: ConsumerOptions<Transaction>,
  thrown: unknown,
  outcome: ReturnType<BatchSize['timedOut']>,
  eventsMax: number,
  retryDelayMs: number,
): void {
  const fields = { err: thrown, consumer: name, eventsMax, retryDelayMs };
  if (outcome === 'stuck') {
    logger.error(fields, 'one event alone runs into the time-out of the store; those behind it wait');
  } else {
    const level = isStoreAway(thrown) ? 'warn' : 'error';
    logger[level](fields, 'consumer stopped; trying again from its checkpoint');
  }
}

/** Returns when the signal aborts, when batches may be larger, or when another replica has moved the checkpoint: then reading starts over from there. */
async function consumeFromCheckpoint<Transaction>(
  options: ConsumerOptions<Transaction>,
  signal: AbortSignal,
  size: BatchSize,
  progress: () => void,
): Promise<void> {
  const { log, topic, transact, gatherMs = 0 } = options;
  let position = await transact((transaction) => lockCheckpoint(options, transaction));
  const batchEventsMax = size.eventsMax();
  for await (const batch of log.read(topic, { after: position, signal, batchEventsMax, gatherMs })) {
    const next = await applyBatch(options, position, batch);
    if (next === undefined) return;
    position = next;
    progress();
    if (size.cameThrough()) return;
  }
}

/**
 * Only what fails because of an event's own data is taken apart: any other failure may pass, and the whole is tried again.
 * @returns the position after the batch, or undefined when the checkpoint is not where this reader believes it to be
 */
async function applyBatch<Transaction>(
  options: ConsumerOptions<Transaction>,
  position: Position,
  batch: readonly (LogEvent | LogGap)[],
): Promise<Position | undefined> {
  const events = batch.filter((item) => item.kind === 'event');
  for (const item of batch) {
    if (item.kind === 'gap')
      options.logger.error(
        { consumer: options.name, gap: item },
        'events are no longer retained: they are lost to this consumer',
      );
  }
  const last = batch.at(-1);
  invariant(last !== undefined, 'a batch of the log is never empty');
  const to = last.kind === 'event' ? last.position : last.to;
  try {
    return await step(options, position, to, (transaction) => options.apply(transaction, events));
  } catch (thrown) {
    if (!isDataError(thrown)) throw thrown;
    options.logger.warn(
      { err: thrown, consumer: options.name, events: events.length },
      'a batch failed; taking its events one by one',
    );
    return await applyOneByOne(options, position, to, events);
  }
}

async function applyOneByOne<Transaction>(
  options: ConsumerOptions<Transaction>,
  from: Position,
  to: Position,
  events: readonly LogEvent[],
): Promise<Position | undefined> {
  let position: Position | undefined = from;
  for (const event of events) {
    if (position === undefined) return undefined;
    const before: Position = position;
    try {
      position = await step(options, before, event.position, (transaction) =>
        options.apply(transaction, [event]),
      );
    } catch (thrown) {
      if (!isDataError(thrown)) throw thrown;
      const reason = thrown instanceof Error ? thrown.message : String(thrown);
      options.logger.error(
        { err: thrown, consumer: options.name, position: event.position },
        'an event cannot be applied; put aside',
      );
      position = await step(options, before, event.position, (transaction) =>
        options.refuse(transaction, event, reason),
      );
    }
  }
  return position === undefined || position === to
    ? position
    : await step(options, position, to, async () => undefined);
}

/** One transaction: the checkpoint is locked, the work done, the checkpoint moved. */
async function step<Transaction>(
  options: ConsumerOptions<Transaction>,
  from: Position,
  to: Position,
  work: (transaction: Transaction) => Promise<void>,
): Promise<Position | undefined> {
  const { schema, name } = options;
  return await options.transact(async (transaction) => {
    const stored = await lockCheckpoint(options, transaction);
    if (stored !== from) return undefined;
    await work(transaction);
    await options
      .sql(transaction)
      .query(
        `UPDATE "${schema}".checkpoint SET position = $2, updated_at = now() WHERE consumer = $1 RETURNING 1 AS moved`,
        [name, to],
      );
    return to;
  });
}

/** The stored position, its row locked until the transaction ends; a consumer that is new starts at the beginning of the log. */
async function lockCheckpoint<Transaction>(
  options: ConsumerOptions<Transaction>,
  transaction: Transaction,
): Promise<Position> {
  const { schema, name } = options;
  const sql = options.sql(transaction);
  const read = () =>
    sql.query<{ position: string }>(
      `SELECT position FROM "${schema}".checkpoint WHERE consumer = $1 FOR UPDATE`,
      [name],
    );
  const [known] = await read();
  if (known !== undefined) return known.position;
  await sql.query(
    `INSERT INTO "${schema}".checkpoint (consumer, position, updated_at) VALUES ($1, $2, now()) ON CONFLICT (consumer) DO NOTHING`,
    [name, START],
  );
  const [row] = await read();
  invariant(row !== undefined, `consumer ${name} has a checkpoint`);
  return row.position;
}
