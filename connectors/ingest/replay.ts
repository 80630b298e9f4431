// Replays what is in quarantine after the description was mended: what is understood now is applied and leaves it.
import { HubError } from '@weft/core/errors';
import type { StoreTransaction } from '@weft/core/sql-store';
import type { EventAppender } from '@weft/events/event-log';
import type { SystemPlan } from '../plan.ts';
import { changeProblem } from './change.ts';
import { takeFileAgain } from './file-book.ts';
import { checkId, notFound } from './quarantine-book.ts';
import { applyChanges, lockRecords } from './records.ts';
import { decodeAgain, type Redecoded } from './replay-decode.ts';
import { isDataError, type Store } from './store.ts';

export interface ReplayOptions {
  readonly store: Store;
  readonly appender: EventAppender;
  /** As they are now. */
  readonly systems: readonly SystemPlan[];
  /** What mappings see as `$env`. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** What became of one item. */
export interface Replayed {
  readonly id: string;
  /** REPLAYED: it left quarantine. TAKEN_AGAIN: its file is, by the host's next look. FAILED: it stays, with `reason`. */
  readonly outcome: 'REPLAYED' | 'TAKEN_AGAIN' | 'FAILED';
  readonly reason: string | null;
}

/** Items of one call; more are replayed by another. */
export const REPLAY_ITEMS_MAX = 1_000;

interface ItemRow extends Record<string, unknown> {
  readonly system: string;
  readonly source: string;
  readonly dedupe_id: string;
  readonly type: string | null;
  readonly body: Buffer;
  readonly place: string | null;
}

const READ = `
SELECT system, source, dedupe_id, type, body, place FROM connectors.quarantine WHERE id = $1 AND discarded_at IS NULL`;

/**
 * Replays one item. A failure is no error: the new reason is kept with it, and counted.
 * @throws HubError NOT_FOUND, also for one that was discarded; STORE_UNAVAILABLE
 */
export async function replayQuarantined(options: ReplayOptions, id: string): Promise<Replayed> {
  checkId(id);
  const [row] = await options.store.transaction((transaction) => transaction.query<ItemRow>(READ, [id]));
  if (row === undefined) throw notFound(id);
  const decoded = decodeItem(options, row);
  if (decoded.kind === 'bad') return fail(options, id, decoded.reason);
  try {
    const settled = await options.store.transaction((transaction) =>
      settle(transaction, options, id, decoded),
    );
    // Somebody else has dealt with it meanwhile; what was applied twice is there once.
    if (settled === undefined) throw notFound(id);
    return settled;
  } catch (thrown) {
    if (!isDataError(thrown)) throw thrown;
    return fail(options, id, `cannot be stored: ${(thrown as { code?: unknown }).code}`);
  }
}

/**
 * Replays all of a system, or of one source of it, in the order in which they came: REPLAY_ITEMS_MAX at most.
 * @returns what became of each, and whether there are more
 * @throws HubError STORE_UNAVAILABLE: what was replayed before it stays replayed
 */
export async function replayAll(
  options: ReplayOptions,
  { system, source }: { readonly system: string; readonly source?: string | undefined },
): Promise<{ readonly replayed: readonly Replayed[]; readonly hasMore: boolean }> {
  const sql = `SELECT id FROM connectors.quarantine
    WHERE system = $1 AND ($2::text IS NULL OR source = $2) AND discarded_at IS NULL
    ORDER BY received_at, id LIMIT ${REPLAY_ITEMS_MAX + 1}`;
  const rows = await options.store.transaction((transaction) =>
    transaction.query<{ id: string }>(sql, [system, source ?? null]),
  );
  const replayed: Replayed[] = [];
  for (const { id } of rows.slice(0, REPLAY_ITEMS_MAX)) {
    const one = await replayQuarantined(options, id).catch((thrown: unknown) => {
      // Somebody else has dealt with it meanwhile.
      if (thrown instanceof HubError && thrown.code === 'NOT_FOUND') return undefined;
      throw thrown;
    });
    if (one !== undefined) replayed.push(one);
  }
  return { replayed, hasMore: rows.length > REPLAY_ITEMS_MAX };
}

function decodeItem({ systems, env }: ReplayOptions, row: ItemRow): Redecoded {
  const system = systems.find(({ name }) => name === row.system);
  if (system === undefined) return { kind: 'bad', reason: `there is no system '${row.system}' any more` };
  const { source, dedupe_id: dedupeId, type, body, place } = row;
  return decodeAgain(system, { source, dedupeId, type, body, place }, env);
}

async function settle(
  transaction: StoreTransaction,
  { appender }: ReplayOptions,
  id: string,
  decoded: Exclude<Redecoded, { kind: 'bad' }>,
): Promise<Replayed | undefined> {
  const changes = decoded.kind === 'changes' ? decoded.changes : [];
  await lockRecords(transaction, changes);
  const gone = 'DELETE FROM connectors.quarantine WHERE id = $1 AND discarded_at IS NULL RETURNING id';
  if (decoded.kind === 'file') {
    if (!(await takeFileAgain(transaction, decoded.id)))
      return keep(transaction, id, 'the file is not known any more');
    await transaction.query(gone, [id]);
    return { id, outcome: 'TAKEN_AGAIN', reason: null };
  }
  const { unreported } = await applyChanges(transaction, appender, changes);
  const problem = unreported[0] && changeProblem(unreported[0]);
  // The change stands, and its report is still wanting.
  if (problem !== undefined) return keep(transaction, id, problem);
  const left = await transaction.query(gone, [id]);
  return left.length === 0 ? undefined : { id, outcome: 'REPLAYED', reason: null };
}

function fail({ store }: ReplayOptions, id: string, reason: string): Promise<Replayed> {
  return store.transaction((transaction) => keep(transaction, id, reason));
}

async function keep(transaction: StoreTransaction, id: string, reason: string): Promise<Replayed> {
  const sql = `UPDATE connectors.quarantine SET reason = $2, attempts = attempts + 1, attempted_at = now() WHERE id = $1`;
  await transaction.query(sql, [id, reason]);
  return { id, outcome: 'FAILED', reason };
}
