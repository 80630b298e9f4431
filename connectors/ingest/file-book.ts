// What is known of files that were taken in: which content of which path, and how far.
import type { SqlTransaction } from '@weft/events/event-log';
import type { FoundFile } from '../files/place.ts';

/** One content of a file, being taken or taken. */
export interface TakenFile {
  /** Grows with each that is taken. */
  readonly id: string;
  readonly rowsDone: number;
  readonly rowsBad: number;
  readonly state: 'TAKING' | 'DONE' | 'REJECTED';
}

interface FileRecord extends Record<string, unknown> {
  readonly id: string;
  readonly sha256: string;
  readonly rows_done: number;
  readonly rows_bad: number;
  readonly state: TakenFile['state'];
}

/** Whose files: each `@ingest` of a type has its own. */
export interface FileOwner {
  readonly system: string;
  readonly type: string;
}

const SETTLED = `
SELECT DISTINCT ON (path) path, size, modified_at, state FROM connectors.file
WHERE system = $1 AND type = $2 AND path = ANY($3::text[]) ORDER BY path, id DESC`;

const SEEN = `
UPDATE connectors.file SET seen_at = now()
WHERE system = $1 AND type = $2 AND path = ANY($3::text[]) AND seen_at < now() - interval '1 day'`;

/** Those of `files` that are not settled as they are now: new ones, changed ones, and those that were begun. */
export async function findUnsettled(
  transaction: SqlTransaction,
  { system, type }: FileOwner,
  files: readonly FoundFile[],
): Promise<readonly FoundFile[]> {
  const paths = files.map(({ path }) => path);
  await transaction.query(SEEN, [system, type, paths]);
  const known = await transaction.query<{ path: string; size: string; modified_at: Date; state: string }>(
    SETTLED,
    [system, type, paths],
  );
  const settled = new Set(
    known.flatMap(({ path, size, modified_at, state }) =>
      state === 'TAKING' ? [] : [`${path}\0${size}\0${modified_at.getTime()}`],
    ),
  );
  return files.filter(({ path, size, modifiedMs }) => !settled.has(`${path}\0${size}\0${modifiedMs}`));
}

const LATEST = `
SELECT id, sha256, rows_done, rows_bad, state FROM connectors.file
WHERE system = $1 AND type = $2 AND path = $3 ORDER BY id DESC LIMIT 1`;

const INSERT = `
INSERT INTO connectors.file (system, type, path, sha256, size, modified_at) VALUES ($1, $2, $3, $4, $5, $6)
RETURNING id, sha256, rows_done, rows_bad, state`;

/** The entry of this content: the one that is there when it is the path's latest, else a new one. One host at a time. */
export async function beginFile(
  transaction: SqlTransaction,
  { system, type }: FileOwner,
  { path, size, modifiedMs }: FoundFile,
  sha256: string,
): Promise<TakenFile> {
  await lockFile(transaction, `${system}\x1f${type}\x1f${path}`);
  const modifiedAt = new Date(modifiedMs);
  const [latest] = await transaction.query<FileRecord>(LATEST, [system, type, path]);
  if (latest?.sha256 === sha256) {
    const sql = 'UPDATE connectors.file SET size = $2, modified_at = $3, seen_at = now() WHERE id = $1';
    await transaction.query(sql, [latest.id, size, modifiedAt]);
    return takenOf(latest);
  }
  const inserted = await transaction.query<FileRecord>(INSERT, [
    system,
    type,
    path,
    sha256,
    size,
    modifiedAt,
  ]);
  return takenOf(inserted[0] as FileRecord);
}

/** Waits for whoever works on the same file; comes before everything else in a transaction. */
export async function lockFile(transaction: SqlTransaction, name: string): Promise<void> {
  await transaction.query('SELECT count(pg_advisory_xact_lock(hashtextextended($1, 1)))', [
    `file\x1f${name}`,
  ]);
}

/**
 * Moves the checkpoint of a file in the transaction that applies its rows.
 * @returns false when another host has moved it: nothing of the rows may be applied
 */
export async function moveRowsDone(
  transaction: SqlTransaction,
  id: string,
  from: number,
  { rows, bad }: { readonly rows: number; readonly bad: number },
): Promise<boolean> {
  const sql = `UPDATE connectors.file SET rows_done = rows_done + $3, rows_bad = rows_bad + $4
    WHERE id = $1 AND rows_done = $2 AND state = 'TAKING' RETURNING id`;
  return (await transaction.query(sql, [id, from, rows, bad])).length === 1;
}

/** Ends the taking of a file. @returns false when it was ended already */
export async function settleFile(
  transaction: SqlTransaction,
  id: string,
  state: 'DONE' | 'REJECTED',
): Promise<boolean> {
  const sql = `UPDATE connectors.file SET state = $2 WHERE id = $1 AND state = 'TAKING' RETURNING id`;
  return (await transaction.query(sql, [id, state])).length === 1;
}

/** Has a file taken from its first row again, when it still lies there: what of it is known changes nothing. */
export async function takeFileAgain(transaction: SqlTransaction, id: string): Promise<boolean> {
  const sql = `UPDATE connectors.file SET state = 'TAKING', rows_done = 0, rows_bad = 0 WHERE id = $1 RETURNING id`;
  return (await transaction.query(sql, [id])).length === 1;
}

const ROWS_DIGITS = 9;

/** The version of a row that carries none: files in the order in which they were taken, rows in that of the file. */
export function arrivalOf(id: string, row: number): string {
  return `${id}${String(row).padStart(ROWS_DIGITS, '0')}`;
}

function takenOf({ id, rows_done, rows_bad, state }: FileRecord): TakenFile {
  return { id, rowsDone: rows_done, rowsBad: rows_bad, state };
}
