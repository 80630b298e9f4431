// Finds changes by polling: a cursor with overlap and a checkpoint, looked at page by page until closed.
import { delay } from '@weft/core/deadline';
import { HubError, invariant } from '@weft/core/errors';
import { type RunningSystem, sourceOf } from '../load/system.ts';
import type { IngestPlan } from '../plan.ts';
import type { SqlRow } from '../sql/engine.ts';
import type { CursorPlace } from '../sql/statement.ts';
import { upstreamError } from '../upstream-error.ts';
import { readCheckpoint } from './checkpoint.ts';
import { stepBack } from './cursor.ts';
import { applyPage, type PollOptions, type PollState, type PollTask, placeOf } from './poll-page.ts';

/** Pages of one turn; a table that brings more goes on in the next turn, at once. */
const PAGES_MAX = 20;
const BACK_OFF_MS_MAX = 2_000;
/** A table whose cursor is not understood is read from its start every time: seldom. */
const BLIND_WAIT_MS = 30_000;
/** Most looks go back this far only. */
const SHORT_OVERLAP_MS = 5_000;
/** A look back over the whole overlap is paid for: after N rows that were read again, none for N ms. */
const AGAIN_MS_A_ROW = 1;
/** What is late must be found before the checkpoint has moved on by the overlap. */
const AGAIN_OVERLAP_SHARE = 0.2;

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
      if (state.look === undefined) {
        task.onBlind?.(undefined);
        failures = 0;
      }
    } catch (thrown) {
      if (task.signal.aborted) return;
      failures += 1;
      const error = HubError.from(thrown);
      waitMs = waitAfter(task, error, failures);
      if (failures === 1) tellFailure(task, error, waitMs);
      // What was applied is not certain: begin again from what is stored.
      if (error.origin === 'HUB') state = undefined;
    }
    await delay(waitMs, task.signal).catch(() => undefined); // Aborted: the loop's condition ends it.
  }
}

const BLIND = 'CURSOR_NOT_UNDERSTOOD';

function waitAfter(task: PollTask, error: HubError, failures: number): number {
  if (error.details.reason === BLIND) return BLIND_WAIT_MS;
  return Math.min(task.poll.everyMs * 2 ** Math.min(failures, 16), BACK_OFF_MS_MAX);
}

function tellFailure({ logger, ingest, onBlind }: PollTask, error: HubError, waitMs: number): void {
  const facts = { err: error, type: ingest.type, waitMs };
  if (error.details.reason !== BLIND) {
    logger.warn(facts, 'poll failed and will be tried again');
    return;
  }
  onBlind?.(error.message);
  logger.error(facts, 'the cursor of a poll is neither a time nor a number: mend the column in the SDL');
}

async function openState({ store, system, ingest }: PollTask): Promise<PollState> {
  const checkpoint = await store.transaction((transaction) =>
    readCheckpoint(transaction, system.plan.name, ingest.type),
  );
  return { checkpoint, head: undefined, look: undefined, wholeDueAtMs: 0, seen: new Map() };
}

/**
 * Reads what is new, page by page. Returns whether there is more at once.
 * @throws HubError UPSTREAM_INVALID when a table's cursor is not understood: its rows were applied, but every turn would begin at its start
 */
async function turn(task: PollTask, state: PollState): Promise<boolean> {
  state.look ??= beginLook(task, state);
  const { look } = state;
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const rows = await readPage(task, look.place);
    await applyPage(task, state, rows);
    look.rows += rows.length;
    const last = rows.at(-1);
    if (last === undefined || rows.length < task.poll.rowsMax) {
      endLook(task, state, look);
      return false;
    }
    look.place = placeOf(task.poll, last);
  }
  return true;
}

/** Now and then the whole overlap behind the checkpoint, else only what is near the furthest row that was seen. */
function beginLook({ poll }: PollTask, state: PollState): NonNullable<PollState['look']> {
  const whole = state.head === undefined || performance.now() >= state.wholeDueAtMs;
  const from = whole ? state.checkpoint : state.head;
  const backMs = whole ? poll.overlapMs : Math.min(poll.overlapMs, SHORT_OVERLAP_MS);
  return { whole, rows: 0, place: from === undefined ? undefined : stepBack(from, backMs) };
}

function endLook(task: PollTask, state: PollState, look: NonNullable<PollState['look']>): void {
  state.look = undefined;
  if (look.whole) {
    const restMs = Math.min(look.rows * AGAIN_MS_A_ROW, task.poll.overlapMs * AGAIN_OVERLAP_SHARE);
    state.wholeDueAtMs = performance.now() + restMs;
  }
  if (look.rows === 0 || state.head !== undefined || state.checkpoint !== undefined) return;
  const { name, protocol } = task.source.plan;
  throw upstreamError(
    'UPSTREAM_INVALID',
    `expected a time or a whole number in ${task.poll.cursor[0]} of ${task.poll.table}`,
    { system: task.system.plan.name, source: name, operation: task.poll.table },
    { reason: BLIND, protocol },
  );
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
