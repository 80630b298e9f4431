// Applies the rows of one file: a batch and its checkpoint commit together, so that a restart neither loses nor doubles.
import { HubError } from '@weft/core/errors';
import type { EventAppender } from '@weft/events/event-log';
import type { MappingScope } from '@weft/schema/mapping/compile';
import { brokenAt, type FileRow } from '../files/rows.ts';
import type { FilesPlan, IngestPlan } from '../plan.ts';
import { type Change, changeProblem, decodeChange } from './change.ts';
import { arrivalOf, lockFile, moveRowsDone, settleFile, type TakenFile } from './file-book.ts';
import { type Quarantined, quarantine } from './quarantine.ts';
import { applyChanges, DROPPED_AT_ONCE, dropOlder, lockRecords } from './records.ts';
import { isDataError, type Store } from './store.ts';

const BATCH_ROWS_MAX = 200;
const BATCH_BYTES_MAX = 2_000_000;
/** Rows of one file that are put aside; at more the file is not what it should be, and is given up. */
const BAD_ROWS_MAX = 1_000;
/** How quarantine knows a row, by its arrival, and a whole file, by its number in the book. */
export const ROW_ITEM = 'row:';
export const FILE_ITEM = 'file:';
/** Versions of a mode that knows none: what is there stays. */
export const SAME_VERSION = '0';

/** What taking one file needs to know. */
export interface FileTask {
  readonly store: Store;
  readonly appender: EventAppender;
  readonly system: string;
  readonly ingest: IngestPlan;
  readonly plan: FilesPlan;
  readonly scope: MappingScope;
  readonly path: string;
  readonly taken: TakenFile;
  readonly signal: AbortSignal;
}

export type FileOutcome =
  | { readonly kind: 'DONE'; readonly rows: number; readonly bad: number; readonly dropped: number }
  | { readonly kind: 'REJECTED'; readonly reason: string }
  /** Another host takes it. */
  | { readonly kind: 'ELSEWHERE' };

interface DecodedRow {
  readonly change: Change | undefined;
  readonly bad: Quarantined | undefined;
  readonly problem: string | undefined;
  readonly line: number;
  readonly payload: unknown;
  readonly arrival: string;
}

/**
 * Takes the rows that are not taken yet. What is wrong with the file as a whole ends it as REJECTED, with a word in quarantine.
 * @param readRows begins at the first row each time
 * @throws HubError STORE_UNAVAILABLE, or the signal's reason: the next look goes on where this one was
 */
export async function takeRows(task: FileTask, readRows: () => AsyncIterable<FileRow>): Promise<FileOutcome> {
  try {
    if (task.plan.onBad === 'REJECT_FILE') await findBad(task, readRows());
    return await applyRows(task, readRows());
  } catch (thrown) {
    const isOfTheFile = thrown instanceof HubError && typeof thrown.details.line === 'number';
    if (!isOfTheFile) throw thrown;
    return rejectFile(task, thrown.message, Buffer.from(thrown.message));
  }
}

/** Ends a file as rejected; a replay of its word in quarantine has it taken again. */
export async function rejectFile(task: FileTask, reason: string, body: Buffer): Promise<FileOutcome> {
  const item = { ...itemOf(task), dedupeId: `${FILE_ITEM}${task.taken.id}`, reason, body, place: task.path };
  const isOurs = await task.store.transaction(async (transaction) => {
    if (!(await settleFile(transaction, task.taken.id, 'REJECTED'))) return false;
    await quarantine(transaction, [item]);
    return true;
  });
  return isOurs ? { kind: 'REJECTED', reason } : { kind: 'ELSEWHERE' };
}

/** Nothing of a file may be taken when one row of it is bad: all are looked at before the first is applied. */
async function findBad(task: FileTask, rows: AsyncIterable<FileRow>): Promise<void> {
  let number = 0;
  for await (const row of rows) {
    task.signal.throwIfAborted();
    number += 1;
    const { problem } = decodeRow(task, row, number);
    if (problem !== undefined) throw brokenAt(row.line, problem);
  }
}

async function applyRows(task: FileTask, rows: AsyncIterable<FileRow>): Promise<FileOutcome> {
  let number = 0;
  let done = task.taken.rowsDone;
  let badRows = task.taken.rowsBad;
  let bytes = 0;
  let batch: DecodedRow[] = [];
  const flush = async () => {
    if (batch.length === 0) return true;
    const bad = await applyBatch(task, batch, done);
    if (bad === undefined) return false;
    done += batch.length;
    badRows += bad;
    bytes = 0;
    const last = batch.at(-1);
    batch = [];
    if (badRows > BAD_ROWS_MAX)
      throw brokenAt(last?.line ?? 0, `more than ${BAD_ROWS_MAX} rows are bad`, 'BAD_ROWS_MAX');
    return true;
  };
  for await (const row of rowsOrBreak(rows, async () => void (await flush()))) {
    task.signal.throwIfAborted();
    number += 1;
    if (number <= task.taken.rowsDone) continue;
    batch.push(decodeRow(task, row, number));
    bytes += row.bytes;
    const isFull = batch.length >= BATCH_ROWS_MAX || bytes >= BATCH_BYTES_MAX;
    if (isFull && !(await flush())) return { kind: 'ELSEWHERE' };
  }
  if (!(await flush())) return { kind: 'ELSEWHERE' };
  return settle(task, done, badRows);
}

/** What was whole before a file broke is applied before it is told to be broken. */
async function* rowsOrBreak(
  rows: AsyncIterable<FileRow>,
  flush: () => Promise<void>,
): AsyncGenerator<FileRow> {
  try {
    yield* rows;
  } catch (thrown) {
    await flush();
    throw thrown;
  }
}

async function settle(task: FileTask, rows: number, bad: number): Promise<FileOutcome> {
  // Who cannot read a row cannot say that its record is gone.
  const dropped = task.plan.mode === 'REPLACE_ALL' && bad === 0 ? await dropAbsent(task) : 0;
  const isOurs = await task.store.transaction((transaction) =>
    settleFile(transaction, task.taken.id, 'DONE'),
  );
  return isOurs ? { kind: 'DONE', rows, bad, dropped } : { kind: 'ELSEWHERE' };
}

/** What no row of the file has: its version is of an earlier file. A part at a time; a restart does the rest. */
async function dropAbsent({ store, system, ingest, taken, signal }: FileTask): Promise<number> {
  let dropped = 0;
  for (;;) {
    signal.throwIfAborted();
    const part = await store.transaction((transaction) =>
      dropOlder(transaction, system, ingest.type, arrivalOf(taken.id, 0)),
    );
    dropped += part;
    if (part < DROPPED_AT_ONCE) return dropped;
  }
}

/** @returns how many of the rows were put aside; undefined when another host has taken them */
async function applyBatch(
  task: FileTask,
  rows: readonly DecodedRow[],
  done: number,
): Promise<number | undefined> {
  try {
    return await storeBatch(task, rows, done);
  } catch (thrown) {
    if (!isDataError(thrown)) throw thrown;
    // One of them cannot be stored as it is: each goes alone, so that the others are not lost with it.
    let bad = 0;
    for (const [index, row] of rows.entries()) {
      const alone = await storeAlone(task, row, done + index);
      if (alone === undefined) return undefined;
      bad += alone;
    }
    return bad;
  }
}

async function storeAlone(task: FileTask, row: DecodedRow, done: number): Promise<number | undefined> {
  try {
    return await storeBatch(task, [row], done);
  } catch (thrown) {
    if (!isDataError(thrown)) throw thrown;
    const reason = `cannot be stored: ${(thrown as { code?: unknown }).code}`;
    return storeBatch(task, [{ ...row, change: undefined, bad: badRow(task, row, reason) }], done);
  }
}

function storeBatch(task: FileTask, rows: readonly DecodedRow[], done: number): Promise<number | undefined> {
  const changes = rows.flatMap(({ change }) => change ?? []);
  const bad = rows.flatMap((row) => row.bad ?? []);
  return task.store.transaction(async (transaction) => {
    await lockFile(transaction, task.taken.id);
    await lockRecords(transaction, changes);
    const step = { rows: rows.length, bad: bad.length };
    if (!(await moveRowsDone(transaction, task.taken.id, done, step))) return undefined;
    const { unreported } = await applyChanges(transaction, task.appender, changes);
    const rowOf = new Map(rows.map((row) => [row.change, row]));
    const reports = unreported.flatMap((change) => {
      const row = rowOf.get(change);
      return row === undefined ? [] : [badRow(task, row, changeProblem(change))];
    });
    await quarantine(transaction, [...bad, ...reports]);
    return bad.length;
  });
}

function decodeRow(task: FileTask, row: FileRow, number: number): DecodedRow {
  const { line, payload } = row;
  const arrival = task.plan.mode === 'APPEND' ? SAME_VERSION : arrivalOf(task.taken.id, number);
  const known = { line, payload, arrival: arrivalOf(task.taken.id, number) };
  const bad = (reason: string): DecodedRow => ({
    ...known,
    change: undefined,
    bad: badRow(task, known, reason),
    problem: reason,
  });
  if (row.problem !== undefined) return bad(row.problem);
  const decoded = decodeChange(task.system, task.ingest, payload, task.scope, new Date(), arrival);
  if (decoded.kind === 'change')
    return { ...known, change: decoded.change, bad: undefined, problem: undefined };
  return bad(decoded.kind === 'bad' ? decoded.reason : `expected ${keyNames(task.ingest)}`);
}

function keyNames({ keyField, keyFields }: IngestPlan): string {
  return `a key in ${(keyFields ?? [keyField]).join(' and ')}`;
}

function badRow(
  task: FileTask,
  row: Pick<DecodedRow, 'line' | 'payload' | 'arrival'>,
  reason: string,
): Quarantined {
  return {
    ...itemOf(task),
    dedupeId: `${ROW_ITEM}${row.arrival}`,
    reason: `line ${row.line}: ${reason}`,
    body: Buffer.from(JSON.stringify(row.payload)),
    place: `${task.path}:${row.line}`,
  };
}

function itemOf({ system, ingest }: FileTask): Pick<Quarantined, 'system' | 'source' | 'type'> {
  return { system, source: ingest.source, type: ingest.type };
}
