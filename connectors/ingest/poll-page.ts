// Applies one page of a poll: what was seen already is passed over, and the checkpoint moves when all is stored.
import { createHash } from 'node:crypto';
import type { Logger } from '@weft/core/logger';
import type { EventAppender } from '@weft/events/event-log';
import type { MappingScope } from '@weft/schema/mapping/compile';
import type { GuardedSource, RunningSystem } from '../load/system.ts';
import type { IngestPlan, PollPlan } from '../plan.ts';
import type { SqlClient } from '../sql/client.ts';
import type { SqlRow } from '../sql/engine.ts';
import type { CursorPlace } from '../sql/statement.ts';
import { type Change, changeProblem, decodeChange } from './change.ts';
import { writeCheckpoint } from './checkpoint.ts';
import { isAfter, isReached, isUnderstood } from './cursor.ts';
import { type Quarantined, quarantine } from './quarantine.ts';
import { applyChanges, lockRecords } from './records.ts';
import { isDataError, type Store } from './store.ts';

/** Rows that are remembered so that the overlap does not bring them again. */
const SEEN_MAX = 50_000;
/** Changes of one transaction. */
const CHANGES_MAX = 500;

export interface PollOptions {
  readonly store: Store;
  readonly appender: EventAppender;
  readonly logger: Logger;
  /** Told why nothing of the table's cursor is understood, and undefined when it is. */
  readonly onBlind?: (reason: string | undefined) => void;
}

/** One poll's memory between turns. */
export interface PollState {
  /** As it is stored; never ahead of our clock. */
  checkpoint: CursorPlace | undefined;
  /** The furthest row that was seen, ahead of our clock or not. */
  head: CursorPlace | undefined;
  /** What the last turn had to leave: from where it goes on, and how many rows it has read. */
  look: { readonly whole: boolean; place: CursorPlace | undefined; rows: number } | undefined;
  /** When the whole overlap is read again, by the monotonic clock. */
  wholeDueAtMs: number;
  readonly seen: Map<string, string>;
}

export interface PollTask extends PollOptions {
  readonly system: RunningSystem;
  readonly ingest: IngestPlan;
  readonly poll: PollPlan;
  readonly source: GuardedSource;
  readonly client: SqlClient;
  readonly signal: AbortSignal;
}

interface SeenRow {
  readonly row: SqlRow;
  readonly place: CursorPlace;
  readonly print: string;
}

/** Applies the rows that were not seen before; the checkpoint moves in a transaction after theirs. */
export async function applyPage(task: PollTask, state: PollState, rows: readonly SqlRow[]): Promise<void> {
  const all = rows.map((row) => ({ row, place: placeOf(task.poll, row), print: fingerprint(row) }));
  const fresh = all.filter(({ place, print }) => state.seen.get(place.tie ?? '') !== print);
  const now = new Date();
  await storeRows(task, decodeRows(task, fresh, now));
  await moveCheckpoint(task, state, all, now);
  const furthest = all.findLast(({ place }) => isUnderstood(place.time))?.place;
  if (furthest !== undefined && isAfter(furthest, state.head)) state.head = furthest;
  for (const { place, print } of fresh) remember(state.seen, place.tie ?? '', print);
}

/** Of all rows, not only the fresh: one that was ahead of our clock counts when its time has come. */
async function moveCheckpoint(
  task: PollTask,
  state: PollState,
  all: readonly SeenRow[],
  now: Date,
): Promise<void> {
  const { timezone } = task.source.plan;
  const reached = all.findLast(({ place }) => isReached(place.time, timezone, now))?.place;
  if (reached === undefined || !isAfter(reached, state.checkpoint)) return;
  await task.store.transaction((transaction) =>
    writeCheckpoint(transaction, task.system.plan.name, task.ingest.type, reached),
  );
  state.checkpoint = reached;
}

interface DecodedRows {
  readonly changes: readonly PolledChange[];
  readonly bad: readonly Quarantined[];
}

interface PolledChange {
  readonly change: Change;
  readonly row: SqlRow;
}

async function storeRows(task: PollTask, { changes, bad }: DecodedRows): Promise<void> {
  if (bad.length > 0) await task.store.transaction((transaction) => quarantine(transaction, bad));
  for (let start = 0; start < changes.length; start += CHANGES_MAX) {
    const part = changes.slice(start, start + CHANGES_MAX);
    try {
      await storeChanges(task, part);
    } catch (thrown) {
      if (!isDataError(thrown)) throw thrown;
      await storeOneByOne(task, part);
    }
  }
}

function storeChanges(task: PollTask, polled: readonly PolledChange[]): Promise<void> {
  return task.store.transaction(async (transaction) => {
    const changes = polled.map(({ change }) => change);
    await lockRecords(transaction, changes);
    const { unreported } = await applyChanges(transaction, task.appender, changes);
    const rowOf = new Map(polled.map(({ change, row }) => [change, row]));
    await quarantine(
      transaction,
      unreported.map((change) => quarantinedRow(task, rowOf.get(change), changeProblem(change))),
    );
  });
}

/** One of them cannot be stored as it is: it goes to quarantine, and the others are not lost with it. */
async function storeOneByOne(task: PollTask, polled: readonly PolledChange[]): Promise<void> {
  for (const one of polled) {
    await storeChanges(task, [one]).catch((thrown: unknown) => {
      if (!isDataError(thrown)) throw thrown;
      const reason = `cannot be stored: ${(thrown as { code?: unknown }).code}`;
      return task.store.transaction((transaction) =>
        quarantine(transaction, [quarantinedRow(task, one.row, reason)]),
      );
    });
  }
}

function decodeRows(task: PollTask, fresh: readonly SeenRow[], now: Date): DecodedRows {
  const scope: MappingScope = { env: task.system.env, timezone: task.source.plan.timezone };
  const changes: PolledChange[] = [];
  const bad: Quarantined[] = [];
  for (const { row } of fresh) {
    const decoded = decodeChange(task.system.plan.name, task.ingest, row, scope, now);
    if (decoded.kind === 'change') changes.push({ change: decoded.change, row });
    else bad.push(quarantinedRow(task, row, decoded.kind === 'bad' ? decoded.reason : 'expected a key'));
  }
  const placeless = fresh.find(({ place }) => !isUnderstood(place.time));
  // One of a page is enough to tell it by: a column that is never understood would fill the quarantine.
  if (placeless !== undefined)
    bad.push(
      quarantinedRow(task, placeless.row, `expected a time or a whole number in ${task.poll.cursor[0]}`),
    );
  return { changes, bad };
}

function quarantinedRow(task: PollTask, row: unknown, reason: string): Quarantined {
  const body = Buffer.from(JSON.stringify(row));
  const dedupeId = `${task.ingest.type}:${createHash('sha256').update(body).digest('hex')}`;
  return {
    system: task.system.plan.name,
    source: task.ingest.source,
    dedupeId,
    type: task.ingest.type,
    reason,
    body,
  };
}

/** Where a row stands in the order of the cursor, as text. */
export function placeOf(poll: PollPlan, row: SqlRow): CursorPlace {
  const [timeColumn, tieColumn] = poll.cursor;
  return { time: String(row[timeColumn] ?? ''), tie: String(row[tieColumn] ?? '') };
}

function fingerprint(row: SqlRow): string {
  return createHash('sha1')
    .update(JSON.stringify(Object.values(row)))
    .digest('base64');
}

/** The oldest is forgotten first: coming again, it is found to be known by its version. */
function remember(seen: Map<string, string>, tie: string, print: string): void {
  seen.delete(tie);
  seen.set(tie, print);
  if (seen.size <= SEEN_MAX) return;
  const oldest = seen.keys().next();
  if (!oldest.done) seen.delete(oldest.value);
}
