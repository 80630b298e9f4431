// Runs statements on a SQLite file through a thread of its own.
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

interface Pending {
  readonly resolve: (rows: readonly SqlRow[]) => void;
  readonly reject: (reason: unknown) => void;
}

/** Opens nothing yet: the thread starts with the first statement, and anew after one that had to be cut off. */
export function openSqlite(path: string, limits: EngineLimits): SqlEngine {
  const pending = new Map<number, Pending>();
  let worker: Worker | undefined;
  let nextId = 0;
  const start = (): Worker => {
    const busyTimeoutMs = Math.floor(limits.timeoutMs * BUSY_SHARE);
    const thread = new Worker(new URL('./sqlite-worker.ts', import.meta.url), {
      workerData: { path, busyTimeoutMs } satisfies SqliteWorkerData,
    });
    thread.unref();
    thread.on('message', (response: SqliteResponse) => settle(pending, response));
    const gone = () => {
      if (worker === thread) worker = undefined;
      failAll(pending, new SqliteFailure('the thread of the file ended', 'THREAD_ENDED'));
    };
    thread.on('error', gone);
    return thread;
  };
  const stop = async () => {
    const thread = worker;
    worker = undefined;
    failAll(pending, new SqliteFailure('the thread of the file was ended', 'THREAD_ENDED'));
    await thread?.terminate();
  };
  return {
    close: stop,
    query(sql, bindings, signal) {
      signal.throwIfAborted();
      worker ??= start();
      const id = ++nextId;
      const { promise, resolve, reject } = Promise.withResolvers<readonly SqlRow[]>();
      pending.set(id, { resolve, reject });
      worker.postMessage({ id, sql, bindings: bindings.map(bindable) } satisfies SqliteRequest);
      const onAbort = () => {
        if (!pending.delete(id)) return;
        reject(signal.reason);
        // A caller who left must not end the statements of others; a time-out means that the thread hangs.
        if (isTimeout(signal.reason)) void stop();
      };
      signal.addEventListener('abort', onAbort, { once: true });
      return promise.finally(() => signal.removeEventListener('abort', onAbort));
    },
  };
}

function settle(pending: Map<number, Pending>, response: SqliteResponse): void {
  const waiting = pending.get(response.id);
  if (!pending.delete(response.id) || waiting === undefined) return;
  if ('rows' in response) waiting.resolve(response.rows);
  else waiting.reject(new SqliteFailure(response.error.message, response.error.code));
}

function failAll(pending: Map<number, Pending>, reason: SqliteFailure): void {
  for (const waiting of pending.values()) waiting.reject(reason);
  pending.clear();
}

function isTimeout(reason: unknown): boolean {
  return reason instanceof Error && reason.name === 'TimeoutError';
}

function bindable(value: unknown): string | number | bigint | null {
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'string') return value;
  if (typeof value === 'boolean') return value ? 1 : 0;
  return value === null || value === undefined ? null : JSON.stringify(value);
}
