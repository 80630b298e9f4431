// Runs statements on a SQLite file through a thread of its own, one after the other.
import { Worker } from 'node:worker_threads';
import type { EngineLimits, SqlEngine, SqlRow } from './engine.ts';
import type { SqliteRequest, SqliteResponse, SqliteWorkerData } from './sqlite-worker.ts';

/** What the thread reported, or that it is gone; `code` is SQLite's or the system's. */
export class SqliteFailure extends Error {
  readonly code: string;
  constructor(message: string, code: string) {
    super(message);
    this.name = 'SqliteFailure';
    this.code = code;
  }
}

/** Kept below the call's time-out so that a locked file is told as such, not as a time-out. */
const BUSY_SHARE = 0.6;

interface Statement {
  readonly request: SqliteRequest;
  readonly resolve: (rows: readonly SqlRow[]) => void;
  readonly reject: (reason: unknown) => void;
  /** Its caller has left: what the thread makes of it is nobody's. */
  isLeft: boolean;
}

/** Opens nothing yet: the thread starts with the first statement, and anew after one that had to be cut off. */
export function openSqlite(path: string, limits: EngineLimits): SqlEngine {
  const lane = new Lane(path, Math.floor(limits.timeoutMs * BUSY_SHARE));
  let nextId = 0;
  return {
    close: () => lane.close(),
    query(sql, bindings, signal) {
      signal.throwIfAborted();
      const { promise, resolve, reject } = Promise.withResolvers<readonly SqlRow[]>();
      const request: SqliteRequest = { id: ++nextId, sql, bindings: bindings.map(bindable) };
      const statement: Statement = { request, resolve, reject, isLeft: false };
      lane.add(statement);
      const onAbort = () => {
        reject(signal.reason);
        lane.leave(statement, isTimeout(signal.reason));
      };
      signal.addEventListener('abort', onAbort, { once: true });
      return promise.finally(() => signal.removeEventListener('abort', onAbort));
    },
  };
}

/** Those that wait are held here, and not by the thread: a statement that hangs takes none of them with it. */
class Lane {
  readonly #workerData: SqliteWorkerData;
  readonly #waiting = new Set<Statement>();
  #running: Statement | undefined;
  #thread: Worker | undefined;

  constructor(path: string, busyTimeoutMs: number) {
    this.#workerData = { path, busyTimeoutMs };
  }

  add(statement: Statement): void {
    this.#waiting.add(statement);
    this.#next();
  }

  /** A caller who left must not end the statements of others; a time-out means that the thread hangs, in this one or in one whose caller has left. */
  leave(statement: Statement, isTooLate: boolean): void {
    statement.isLeft = true;
    this.#waiting.delete(statement);
    if (!isTooLate || this.#running?.isLeft !== true) return;
    void this.#thread?.terminate();
    this.#thread = undefined;
    this.#running = undefined;
    this.#next();
  }

  async close(): Promise<void> {
    const thread = this.#thread;
    this.#thread = undefined;
    const reason = new SqliteFailure('the thread of the file was ended', 'THREAD_ENDED');
    this.#running?.reject(reason);
    this.#running = undefined;
    for (const statement of this.#waiting) statement.reject(reason);
    this.#waiting.clear();
    await thread?.terminate();
  }

  #next(): void {
    if (this.#running !== undefined) return;
    const [statement] = this.#waiting;
    if (statement === undefined) return;
    this.#waiting.delete(statement);
    this.#running = statement;
    this.#thread ??= this.#start();
    this.#thread.postMessage(statement.request);
  }

  #start(): Worker {
    const thread = new Worker(new URL('./sqlite-worker.ts', import.meta.url), {
      workerData: this.#workerData,
    });
    thread.unref();
    thread.on('message', (response: SqliteResponse) => this.#settle(thread, response));
    thread.on('error', (thrown) => this.#lose(thread, thrown));
    return thread;
  }

  #settle(thread: Worker, response: SqliteResponse): void {
    const statement = this.#running;
    if (thread !== this.#thread || statement?.request.id !== response.id) return;
    this.#running = undefined;
    if ('rows' in response) statement.resolve(response.rows);
    else statement.reject(new SqliteFailure(response.error.message, response.error.code));
    this.#next();
  }

  /** What ran when the thread ended has ended with it; those that wait have a new one, which each of them ends at most once. */
  #lose(thread: Worker, cause: unknown): void {
    if (thread !== this.#thread) return;
    this.#thread = undefined;
    const statement = this.#running;
    this.#running = undefined;
    const failure = new SqliteFailure('the thread of the file ended', 'THREAD_ENDED');
    failure.cause = cause;
    statement?.reject(failure);
    this.#next();
  }
}

function isTimeout(reason: unknown): boolean {
  return reason instanceof Error && reason.name === 'TimeoutError';
}

function bindable(value: unknown): string | number | bigint | null {
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'string') return value;
  if (typeof value === 'boolean') return value ? 1 : 0;
  return value === null || value === undefined ? null : JSON.stringify(value);
}
