// What every engine of the event log does: append in the caller's transaction, read from a position.
import type { CloudEvent } from './envelope.ts';

/** Runs SQL inside a transaction that the caller opened and will commit: `append` joins it. */
export interface SqlTransaction {
  query<Row extends Record<string, unknown>>(
    sql: string,
    parameters: readonly unknown[],
  ): Promise<readonly Row[]>;
}

/** A place in a topic, as text that means something to the engine alone. Positions follow commit order, those of different topics too. */
export type Position = string;

export interface LogEvent {
  readonly kind: 'event';
  readonly position: Position;
  readonly event: CloudEvent;
  /** Of the event's JSON, as the engine had it: near enough to bound what is kept. */
  readonly chars: number;
}

/** Events between `from` and `to` are no longer retained: told once, before the first event that is. */
export interface LogGap {
  readonly kind: 'gap';
  readonly from: Position;
  readonly to: Position;
  readonly reason: 'RETENTION';
}

export interface ReadOptions {
  /** Read what comes after this; absent: what comes after now. `START` reads all that is retained. */
  readonly after?: Position | undefined;
  /** Ends the iteration, without an error. */
  readonly signal: AbortSignal;
  /**
   * Ends the iteration when everything up to this position, itself included, was yielded. It must be one that `head` or
   * `read` has given: what lies beyond may still change.
   */
  readonly upTo?: Position | undefined;
  /** Events a batch at the most; default 500. */
  readonly batchEventsMax?: number;
  /**
   * How long the first event after a pause may wait for others that come with it in one batch; default 0. Every batch is a
   * question to the engine, and a checkpoint for most who read. An engine that brings events by itself need not wait.
   */
  readonly gatherMs?: number;
}

/** The position before the first event that was ever appended. */
export const START: Position = '0.0';

export interface EventLog {
  /**
   * A position that everything committed after this call lies beyond: take it, then read a snapshot, then `read` after
   * it, and nothing is missed. What was committed just before, while an older transaction was open, may lie beyond too
   * and be seen twice, with the same `source` and `id`.
   * @throws HubError STORE_UNAVAILABLE
   */
  head(topic: string, signal?: AbortSignal): Promise<Position>;
  /**
   * Every retained event after a position once, in order, in batches that are never empty; then waits and yields new
   * ones. Survives restarts of the engine: it reconnects and goes on. Ends when the signal aborts.
   */
  read(topic: string, options: ReadOptions): AsyncIterable<readonly (LogEvent | LogGap)[]>;
  /** Drops events of the topic older than `olderThanMs`; readers behind it are told of the gap. Returns how many went. */
  trim(topic: string, olderThanMs: number): Promise<number>;
  /**
   * Below 0 when `left` comes before `right`, 0 when they are the same place.
   * @throws HubError INVALID_CURSOR for a text that is no position of this engine
   */
  compare(left: Position, right: Position): number;
  close(): Promise<void>;
}

/** How an engine writes: in the caller's transaction, durable when that commits. */
export interface EventAppender {
  /**
   * Appends events to a topic in the caller's transaction.
   * @returns how many were new; an event whose `source` and `id` are in the log already is not appended again
   */
  append(transaction: SqlTransaction, topic: string, events: readonly CloudEvent[]): Promise<number>;
}
