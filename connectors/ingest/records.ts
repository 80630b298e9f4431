// Keeps the newest version of every record, in the caller's transaction.
import { createHash } from 'node:crypto';
import { invariant } from '@weft/core/errors';
import type { StoreTransaction } from '@weft/core/sql-store';
import type { CloudEvent } from '@weft/events/envelope';
import type { EventAppender, SqlTransaction } from '@weft/events/event-log';
import { type Change, INCIDENT_REPORT_TOPIC, sortableOrder } from './change.ts';
import { INCIDENT_PROGRESS_TOPIC } from './progress.ts';

export interface Applied {
  /** Versions that became events. */
  readonly changed: number;
  /** Versions that came after a newer one: counted, no event. */
  readonly late: number;
  /** Accepted changes whose report could not be read, of records not reported yet, or whose progress could not. */
  readonly unreported: readonly Change[];
}

interface StoredRecord extends Record<string, unknown> {
  readonly system: string;
  readonly type: string;
  readonly key: string;
  readonly order_key: string;
  readonly reported: boolean;
  /** MD5 of the stored data's text. */
  readonly print: string;
}

/** Records that one transaction may change: each is a lock in the shared memory of the database. */
export const LOCKS_MAX = 1_000;

export const DROPPED_AT_ONCE = 2_000;

/** What one record becomes by the changes of one batch. */
interface Folded {
  readonly newest: Change;
  /** Whether the newest is newer than what is stored. */
  readonly advances: boolean;
  /** What is told: newer versions, but for those that must differ to be told. */
  readonly accepted: readonly Change[];
  /** Older than what is known: kept beside the record. */
  readonly late: readonly Change[];
  readonly report: Change['report'];
  /** Of every version, also of those that are late or known: the log has each once. */
  readonly progress: readonly CloudEvent[];
  readonly unreported: readonly Change[];
}

// The log orders events by transaction id, so a transaction must have none yet while it waits for another that works on
// the same record: an advisory lock takes none, a row lock and every write do. In one order, so that two batches never
// wait for each other in a circle; records that are not there yet are locked likewise.
const LOCK = `
SELECT count(pg_advisory_xact_lock(place)) FROM (
  SELECT DISTINCT hashtextextended(concat_ws(chr(31), system, type, key), 0) AS place
  FROM unnest($1::text[], $2::text[], $3::text[]) AS k(system, type, key)
  ORDER BY 1 LIMIT ${LOCKS_MAX}
) AS places`;

const READ = `
SELECT r.system, r.type, r.key, r.order_key, r.reported, md5(r.data::text) AS print
FROM connectors.record r
JOIN unnest($1::text[], $2::text[], $3::text[]) AS k(system, type, key) USING (system, type, key)
ORDER BY 1, 2, 3 FOR UPDATE OF r`;

// The condition matters when another process made the record after we looked.
const UPSERT = `
INSERT INTO connectors.record (system, type, key, order_key, data, late_count, reported, updated_at)
SELECT system, type, key, order_key, data::json, late, reported, now()
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::int[], $7::boolean[])
  AS n(system, type, key, order_key, data, late, reported)
ORDER BY 1, 2, 3
ON CONFLICT (system, type, key) DO UPDATE SET
  order_key = excluded.order_key, data = excluded.data, updated_at = excluded.updated_at,
  late_count = connectors.record.late_count + excluded.late_count,
  reported = connectors.record.reported OR excluded.reported
WHERE connectors.record.order_key COLLATE "C" < excluded.order_key COLLATE "C"
RETURNING system, type, key`;

const NOTE = `
UPDATE connectors.record r SET late_count = r.late_count + n.late, reported = r.reported OR n.reported
FROM unnest($1::text[], $2::text[], $3::text[], $4::int[], $5::boolean[]) AS n(system, type, key, late, reported)
WHERE (r.system, r.type, r.key) = (n.system, n.type, n.key)`;

/**
 * Waits for the transactions that work on the same records. Comes before everything in a transaction that writes.
 * @param records at most LOCKS_MAX
 */
export async function lockRecords(
  transaction: StoreTransaction,
  records: readonly Identity[],
): Promise<void> {
  if (records.length === 0) return;
  invariant(records.length <= LOCKS_MAX, `expected at most ${LOCKS_MAX} records, got ${records.length}`);
  await transaction.later.query(LOCK, identityColumns(records));
}

/**
 * Applies changes in the order given: a newer version replaces the record and becomes an event, the same version does
 * nothing, an older one is counted as late. The first report of a record is also handed to the incident library.
 * The caller has locked the records before it wrote anything.
 */
export async function applyChanges(
  transaction: StoreTransaction,
  appender: EventAppender,
  changes: readonly Change[],
): Promise<Applied> {
  if (changes.length === 0) return { changed: 0, late: 0, unreported: [] };
  const groups = Map.groupBy(changes, identity);
  const heads = [...groups.values()].map((group) => group[0] as Change);
  const stored = await transaction.query<StoredRecord>(READ, identityColumns(heads));
  const storedByIdentity = new Map(stored.map((record) => [identity(record), record]));
  const folded = [...groups].map(([id, group]) => fold(group, storedByIdentity.get(id)));
  const advanced = await upsert(
    transaction,
    folded.filter(({ advances }) => advances),
  );
  const standing = folded.filter(({ advances }) => !advances);
  await note(
    transaction,
    standing.filter(({ late, report }) => late.length > 0 || report !== undefined),
  );
  await keepLate(
    transaction,
    folded.flatMap(({ late }) => late),
  );
  const told = [...folded.filter(({ newest }) => advanced.has(identity(newest))), ...standing];
  await appendByTopic(transaction, appender, told);
  return {
    changed: told.reduce((sum, { accepted }) => sum + accepted.length, 0),
    late: folded.reduce((sum, { late }) => sum + late.length, 0),
    unreported: told.flatMap(({ unreported }) => unreported),
  };
}

/** Drops records of a type whose version is older than `version`, whole digits: DROPPED_AT_ONCE at most. @returns how many */
export async function dropOlder(
  transaction: SqlTransaction,
  system: string,
  type: string,
  version: string,
): Promise<number> {
  const sql = `DELETE FROM connectors.record WHERE system = $1 AND type = $2 AND key IN (
      SELECT key FROM connectors.record WHERE system = $1 AND type = $2 AND order_key COLLATE "C" < $3 COLLATE "C"
      LIMIT ${DROPPED_AT_ONCE}
    ) AND order_key COLLATE "C" < $3 COLLATE "C" RETURNING 1 AS dropped`;
  return (await transaction.query(sql, [system, type, sortableOrder(version) ?? ''])).length;
}

/** Pure: which of a record's changes advance it, given what is stored. */
export function fold(
  changes: readonly Change[],
  stored: (Pick<StoredRecord, 'order_key' | 'reported'> & { readonly print?: string }) | undefined,
): Folded {
  let current = stored?.order_key;
  let newest = changes[0] as Change;
  const late: Change[] = [];
  let advances = false;
  let print = stored?.print;
  const accepted: Change[] = [];
  for (const change of changes) {
    if (current !== undefined && change.orderKey === current) continue;
    if (current !== undefined && change.orderKey < current) {
      late.push(change);
      continue;
    }
    current = change.orderKey;
    newest = change;
    advances = true;
    const isTold = change.toldWhenDifferent !== true || printOf(change) !== print;
    if (isTold) accepted.push(change);
    if (change.toldWhenDifferent === true) print = printOf(change);
  }
  const isReported = stored?.reported === true;
  const hasReport = (change: Change) => change.report !== undefined;
  // A report that could not be read may come again in its right form under the same version.
  const report = isReported ? undefined : (accepted.find(hasReport) ?? changes.find(hasReport))?.report;
  const isUnreported = !isReported && report === undefined;
  const telling = changes.filter((change) => change.toldWhenDifferent !== true || accepted.includes(change));
  const unreported = changes.filter(
    (change) =>
      (isUnreported && change.reportProblem !== undefined && accepted.includes(change)) ||
      (change.progressProblem !== undefined && telling.includes(change)),
  );
  const progress = telling.flatMap((change) => change.progress ?? []);
  return { newest, advances, accepted, late, report, progress, unreported };
}

function printOf({ data }: Change): string {
  return createHash('md5').update(JSON.stringify(data)).digest('hex');
}

async function upsert(transaction: SqlTransaction, folded: readonly Folded[]): Promise<ReadonlySet<string>> {
  if (folded.length === 0) return new Set();
  const newest = folded.map((record) => record.newest);
  const rows = await transaction.query<StoredRecord>(UPSERT, [
    ...identityColumns(newest),
    newest.map((change) => change.orderKey),
    newest.map((change) => JSON.stringify(change.data)),
    folded.map((record) => record.late.length),
    folded.map((record) => record.report !== undefined),
  ]);
  return new Set(rows.map(identity));
}

/** What a record that stays at its version learns: how many came late, and that it is reported by now. */
async function note(transaction: SqlTransaction, folded: readonly Folded[]): Promise<void> {
  if (folded.length === 0) return;
  const heads = folded.map((record) => record.newest);
  await transaction.query(NOTE, [
    ...identityColumns(heads),
    folded.map((record) => record.late.length),
    folded.map((record) => record.report !== undefined),
  ]);
}

const KEEP_LATE = `
INSERT INTO connectors.late_change (system, type, key, order_key, data)
SELECT system, type, key, order_key, data::json
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[]) AS n(system, type, key, order_key, data)
ON CONFLICT DO NOTHING`;

/** A version that comes after a newer one is no event and changes nothing, and is not lost either. */
async function keepLate(transaction: SqlTransaction, late: readonly Change[]): Promise<void> {
  if (late.length === 0) return;
  await transaction.query(KEEP_LATE, [
    ...identityColumns(late),
    late.map(({ orderKey }) => orderKey),
    late.map(({ data }) => JSON.stringify(data)),
  ]);
}

/** Topics in the order of their names: a stable order keeps two batches from waiting for each other. */
async function appendByTopic(
  transaction: StoreTransaction,
  appender: EventAppender,
  told: readonly Folded[],
): Promise<void> {
  const entries = told.flatMap(({ accepted, report, progress }) => [
    ...accepted.map(({ topic, event }) => ({ topic, event })),
    ...(report === undefined ? [] : [{ topic: INCIDENT_REPORT_TOPIC, event: report }]),
    ...progress.map((event) => ({ topic: INCIDENT_PROGRESS_TOPIC, event })),
  ]);
  const byTopic = [...Map.groupBy(entries, ({ topic }) => topic)].sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [topic, group] of byTopic) {
    await appender.append(
      transaction.later,
      topic,
      group.map(({ event }) => event),
    );
  }
}

type Identity = Pick<Change, 'system' | 'type' | 'key'>;

function identity({ system, type, key }: Identity): string {
  return `${system}\u0000${type}\u0000${key}`;
}

function identityColumns(records: readonly Identity[]): [string[], string[], string[]] {
  return [
    records.map(({ system }) => system),
    records.map(({ type }) => type),
    records.map(({ key }) => key),
  ];
}
