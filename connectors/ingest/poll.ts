// Finds changes by polling: a cursor with overlap and a checkpoint; what was seen already is passed over.
import { createHash } from 'node:crypto';
import { delay } from '@weft/core/deadline';
import { HubError, invariant } from '@weft/core/errors';
import type { Logger } from '@weft/core/logger';
import type { EventAppender } from '@weft/events/event-log';
import type { MappingScope } from '@weft/schema/mapping/compile';
import { type GuardedSource, type RunningSystem, sourceOf } from '../load/system.ts';
import type { IngestPlan, PollPlan } from '../plan.ts';
import type { SqlClient } from '../sql/client.ts';
import type { SqlRow } from '../sql/engine.ts';
import type { CursorPlace } from '../sql/statement.ts';
import { type Change, decodeChange } from './change.ts';
import { readCheckpoint, writeCheckpoint } from './checkpoint.ts';
import { isAfter, isSaneTime, stepBack } from './cursor.ts';
import { type Quarantined, quarantine } from './quarantine.ts';
import { applyChanges } from './records.ts';
import { isDataError, type Store } from './store.ts';

/** Pages of one turn; a table that brings more goes on in the next turn, at once. */
const PAGES_MAX = 20;
/** Rows that are remembered so that the overlap does not bring them again. */
const SEEN_MAX = 50_000;
const BACK_OFF_MS_MAX = 2_000;

export interface PollOptions {
  readonly store: Store;
  readonly appender: EventAppender;
  readonly logger: Logger;
}

/** One poll's memory between turns. */
interface PollState {
  checkpoint: CursorPlace | undefined;
  /** Where the last turn had to stop; absent: begin at the checkpoint, less the overlap. */
  resumeAt: CursorPlace | undefined;
  readonly seen: Map<string, string>;
}

interface PollTask extends PollOptions {
  readonly system: RunningSystem;
  readonly ingest: IngestPlan;
  readonly poll: PollPlan;
  readonly source: GuardedSource;
  readonly client: SqlClient;
  readonly signal: AbortSignal;
}

/** Polls until closed; a source or a database that is away makes it slower, never ends it. */
export function startPoll(
  system: RunningSystem,
  ingest: IngestPlan,
  options: PollOptions,
): { close(): Promise<void> } {
  const source = sourceOf(system, ingest.source);
  invariant(
    ingest.from.kind === 'poll' && source.opened.protocol === 'sql',
    'a poll stands on an SQL source',
  );
  const closing = new AbortController();
  const task: PollTask = {
    ...options,
    system,
    ingest,
    poll: ingest.from,
    source,
    client: source.opened.client,
    signal: closing.signal,
  };
  const running = pollForEver(task);
  return {
    async close() {
      closing.abort();
      await running;
    },
  };
}

async function pollForEver(task: PollTask): Promise<void> {
  let state: PollState | undefined;
  let failures = 0;
  while (!task.signal.aborted) {
    let waitMs = task.poll.everyMs;
    try {
      state ??= await openState(task);
      if (await turn(task, state)) waitMs = 0;
      failures = 0;
    } catch (thrown) {
      if (task.signal.aborted) return;
      failures += 1;
      waitMs = Math.min(task.poll.everyMs * 2 ** Math.min(failures, 16), BACK_OFF_MS_MAX);
      const error = HubError.from(thrown);
      if (failures === 1)
        task.logger.warn(
          { err: error, type: task.ingest.type, waitMs },
          'poll failed and will be tried again',
        );
      // What was applied is not certain: begin again from what is stored.
      if (error.origin === 'HUB') state = undefined;
    }
    await delay(waitMs, task.signal).catch(() => undefined); // Aborted: the loop's condition ends it.
  }
}

async function openState({ store, system, ingest }: PollTask): Promise<PollState> {
  const checkpoint = await store.transaction((transaction) =>
    readCheckpoint(transaction, system.plan.name, ingest.type),
  );
  return { checkpoint, resumeAt: undefined, seen: new Map() };
}

/** Reads what is new, page by page. Returns whether there is more at once. */
async function turn(task: PollTask, state: PollState): Promise<boolean> {
  const { poll } = task;
  let place =
    state.resumeAt ??
    (state.checkpoint === undefined ? undefined : stepBack(state.checkpoint, poll.overlapMs));
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const rows = await readPage(task, place);
    await applyPage(task, state, rows);
    const last = rows.at(-1);
    if (last === undefined || rows.length < poll.rowsMax) {
      state.resumeAt = undefined;
      return false;
    }
    place = placeOf(poll, last);
    state.resumeAt = place;
  }
  return true;
}

function readPage(task: PollTask, after: CursorPlace | undefined): Promise<readonly SqlRow[]> {
  const correlationId = crypto.randomUUID();
  return task.source.guard.run({
    operation: task.poll.table,
    isRead: true,
    signal: task.signal,
    execute: (signal) => task.client.readChanges(task.poll, after, { signal, correlationId }),
  });
}

/** Applies the rows that were not seen before; one transaction holds them and the checkpoint. */
async function applyPage(task: PollTask, state: PollState, rows: readonly SqlRow[]): Promise<void> {
  const fresh = rows
    .map((row) => ({ row, place: placeOf(task.poll, row), print: fingerprint(row) }))
    .filter(({ place, print }) => state.seen.get(place.tie ?? '') !== print);
  if (fresh.length === 0) return;
  const now = new Date();
  const { timezone } = task.source.plan;
  const sane = fresh.filter(({ place }) => isSaneTime(place.time, timezone, now)).at(-1)?.place;
  const checkpoint = sane !== undefined && isAfter(sane, state.checkpoint) ? sane : state.checkpoint;
  await store(task, decodeRows(task, fresh, now), checkpoint);
  state.checkpoint = checkpoint;
  for (const { place, print } of fresh) remember(state.seen, place.tie ?? '', print);
}

interface DecodedRows {
  readonly changes: readonly Change[];
  readonly bad: readonly Quarantined[];
}

async function store(
  task: PollTask,
  decoded: DecodedRows,
  checkpoint: CursorPlace | undefined,
): Promise<void> {
  const write = (changes: readonly Change[], bad: readonly Quarantined[]) =>
    task.store.transaction(async (transaction) => {
      await quarantine(transaction, bad);
      await applyChanges(transaction, task.appender, changes);
      if (checkpoint === undefined) return;
      await writeCheckpoint(transaction, task.system.plan.name, task.ingest.type, checkpoint);
    });
  try {
    await write(decoded.changes, decoded.bad);
  } catch (thrown) {
    if (!isDataError(thrown)) throw thrown;
    await storeOneByOne(task, decoded, write);
  }
}

/** One of them cannot be stored as it is: it goes to quarantine, and the others are not lost with it. */
async function storeOneByOne(
  task: PollTask,
  decoded: DecodedRows,
  write: (changes: readonly Change[], bad: readonly Quarantined[]) => Promise<void>,
): Promise<void> {
  await write([], decoded.bad);
  for (const change of decoded.changes) {
    await write([change], []).catch((thrown: unknown) => {
      if (!isDataError(thrown)) throw thrown;
      const reason = `cannot be stored: ${(thrown as { code?: unknown }).code}`;
      return write([], [quarantinedRow(task, change.data, reason)]);
    });
  }
}

function decodeRows(task: PollTask, fresh: readonly { readonly row: SqlRow }[], now: Date): DecodedRows {
  const scope: MappingScope = { env: task.system.env, timezone: task.source.plan.timezone };
  const changes: Change[] = [];
  const bad: Quarantined[] = [];
  for (const { row } of fresh) {
    const decoded = decodeChange(task.system.plan.name, task.ingest, row, scope, now);
    if (decoded.kind === 'change') changes.push(decoded.change);
    else bad.push(quarantinedRow(task, row, decoded.kind === 'bad' ? decoded.reason : 'expected a key'));
  }
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

function placeOf(poll: PollPlan, row: SqlRow): CursorPlace {
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
