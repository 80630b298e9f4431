// The file in which a simulated system keeps its books: SQLite, safe against the death of the process.
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** How long a write waits for another process that holds the file. */
const BUSY_MS_MAX = 2_000;

/**
 * Opens (and creates) the file and applies the table definitions.
 * In WAL mode with synchronous=NORMAL a commit is in the operating system's hands when it returns: `kill -9` loses
 * nothing that was acknowledged; only a power cut could.
 */
export function openBookFile(file: string, definitions: string): DatabaseSync {
  mkdirSync(dirname(file), { recursive: true });
  const database = new DatabaseSync(file, { timeout: BUSY_MS_MAX });
  database.exec('pragma journal_mode = wal; pragma synchronous = normal;');
  database.exec(definitions);
  return database;
}

/** Runs `work` in one transaction; what it throws rolls everything back. */
export function inTransaction<T>(database: DatabaseSync, work: () => T): T {
  database.exec('begin immediate');
  try {
    const result = work();
    database.exec('commit');
    return result;
  } catch (thrown) {
    database.exec('rollback');
    throw thrown;
  }
}

export const COUNTER_TABLE =
  'create table if not exists counter (prefix text primary key, last integer not null)';

/** The next running number below a prefix, six digits at least; call it within a transaction. */
export function nextNumber(database: DatabaseSync, prefix: string): string {
  const row = database
    .prepare(
      'insert into counter (prefix, last) values (?, 1) on conflict (prefix) do update set last = last + 1 returning last',
    )
    .get(prefix);
  return `${prefix}${String(row?.last).padStart(6, '0')}`;
}
