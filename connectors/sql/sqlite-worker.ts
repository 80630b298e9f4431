// The thread that owns one SQLite file: a locked or slow file blocks this thread and nothing else.
import { statSync } from 'node:fs';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';

/** What the thread is started with. */
export interface SqliteWorkerData {
  readonly path: string;
  readonly busyTimeoutMs: number;
}

export interface SqliteRequest {
  readonly id: number;
  readonly sql: string;
  readonly bindings: readonly SQLInputValue[];
}

export type SqliteResponse =
  | { readonly id: number; readonly rows: readonly Readonly<Record<string, unknown>>[] }
  | { readonly id: number; readonly error: { readonly message: string; readonly code: string } };

const { path, busyTimeoutMs } = workerData as SqliteWorkerData;
let open: { readonly database: DatabaseSync; readonly inode: number } | undefined;

parentPort?.on('message', (request: SqliteRequest) => parentPort?.postMessage(answer(request)));

function answer(request: SqliteRequest): SqliteResponse {
  try {
    const statement = current().prepare(request.sql);
    // Without this, one integer above 2^53 makes the whole statement throw.
    statement.setReadBigInts(true);
    const rows = statement.all(...request.bindings);
    return { id: request.id, rows: rows.map(withPlainIntegers) };
  } catch (thrown) {
    const { message, errcode, code } = thrown as { message: string; errcode?: number; code?: string };
    return {
      id: request.id,
      error: { message, code: errcode === undefined ? (code ?? 'UNKNOWN') : sqliteCode(errcode) },
    };
  }
}

/** Integers as numbers where a number holds them exactly, else as text, as the other engines give them. */
function withPlainIntegers(row: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(row).map(([column, value]) => [column, plainInteger(value)]));
}

function plainInteger(value: unknown): unknown {
  if (typeof value !== 'bigint') return value;
  const asNumber = Number(value);
  return Number.isSafeInteger(asNumber) ? asNumber : String(value);
}

/** An open handle outlives its file: it is looked for each time, and opened anew when another took its place. */
function current(): DatabaseSync {
  let inode: number;
  try {
    inode = statSync(path).ino;
  } catch (thrown) {
    closeCurrent();
    throw thrown;
  }
  if (open?.inode !== inode) {
    closeCurrent();
    open = { database: new DatabaseSync(path, { readOnly: true, timeout: busyTimeoutMs }), inode };
  }
  return open.database;
}

function closeCurrent(): void {
  open?.database.close();
  open = undefined;
}

/** Primary result codes of https://www.sqlite.org/rescode.html; the extended bits are dropped. */
function sqliteCode(errcode: number): string {
  const names: Readonly<Record<number, string>> = {
    1: 'SQLITE_ERROR',
    5: 'SQLITE_BUSY',
    6: 'SQLITE_LOCKED',
    8: 'SQLITE_READONLY',
    10: 'SQLITE_IOERR',
    11: 'SQLITE_CORRUPT',
    14: 'SQLITE_CANTOPEN',
    26: 'SQLITE_NOTADB',
  };
  return names[errcode & 0xff] ?? `SQLITE_${errcode & 0xff}`;
}
