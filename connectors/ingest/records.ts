// Keeps the newest version of every record, in the caller's transaction.
import type { EventAppender, SqlTransaction } from '@weft/events/event-log';
import { type Change, INCIDENT_REPORT_TOPIC } from './change.ts';

export interface AppliedCounts {
  /** Versions that became events. */
  readonly changed: number;
  /** Versions that came after a newer one: counted, no event. */
  readonly late: number;
}

interface StoredRecord extends Record<string, unknown> {
  readonly system: string;
  readonly type: string;
  readonly key: string;
  readonly order_key: string;
  readonly reported: boolean;
}

/** What one record becomes by the changes of one batch. */
interface Folded {
  readonly newest: Change;
  readonly accepted: readonly Change[];
  readonly late: number;
  readonly report: Change['report'];
}

// Locked in the order of the key, so that two batches never wait for each other in a circle.
const LOCK = `
SELECT r.system, r.type, r.key, r.order_key, r.reported
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

const COUNT_LATE = `
UPDATE connectors.record r SET late_count = r.late_count + n.late
FROM unnest($1::text[], $2::text[], $3::text[], $4::int[]) AS n(system, type, key, late)
WHERE (r.system, r.type, r.key) = (n.system, n.type, n.key)`;

/**
 * Applies changes in the order given: a newer version replaces the record and becomes an event, the same version does
 * nothing, an older one is counted as late. The first version of a record also hands its report to the incident library.
 */
export async function applyChanges(
  transaction: SqlTransaction,
  appender: EventAppender,
  changes: readonly Change[],
): Promise<AppliedCounts> {
  if (changes.length === 0) return { changed: 0, late: 0 };
  const groups = Map.groupBy(changes, identity);
  const heads = [...groups.values()].map((group) => group[0] as Change);
  const stored = await transaction.query<StoredRecord>(LOCK, identityColumns(heads));
  const storedByIdentity = new Map(stored.map((record) => [identity(record), record]));
  const folded = [...groups].map(([id, group]) => fold(group, storedByIdentity.get(id)));
  const advanced = await upsert(
    transaction,
    folded.filter(({ accepted }) => accepted.length > 0),
  );
  await countLate(
    transaction,
    folded.filter(({ accepted, late }) => accepted.length === 0 && late > 0),
  );
  const told = folded.filter(({ newest }) => advanced.has(identity(newest)));
  await appendByTopic(transaction, appender, told);
  return {
    changed: told.reduce((sum, { accepted }) => sum + accepted.length, 0),
    late: folded.reduce((sum, { late }) => sum + late, 0),
  };
}

/** Pure: which of a record's changes advance it, given what is stored. */
export function fold(
  changes: readonly Change[],
  stored: Pick<StoredRecord, 'order_key' | 'reported'> | undefined,
): Folded {
  let current = stored?.order_key;
  let newest = changes[0] as Change;
  let late = 0;
  const accepted: Change[] = [];
  for (const change of changes) {
    if (current !== undefined && change.orderKey === current) continue;
    if (current !== undefined && change.orderKey < current) {
      late += 1;
      continue;
    }
    current = change.orderKey;
    newest = change;
    accepted.push(change);
  }
  const report =
    stored?.reported === true ? undefined : accepted.find((change) => change.report !== undefined)?.report;
  return { newest, accepted, late, report };
}

async function upsert(transaction: SqlTransaction, folded: readonly Folded[]): Promise<ReadonlySet<string>> {
  if (folded.length === 0) return new Set();
  const newest = folded.map((record) => record.newest);
  const rows = await transaction.query<StoredRecord>(UPSERT, [
    ...identityColumns(newest),
    newest.map((change) => change.orderKey),
    newest.map((change) => JSON.stringify(change.data)),
    folded.map((record) => record.late),
    folded.map((record) => record.report !== undefined),
  ]);
  return new Set(rows.map(identity));
}

async function countLate(transaction: SqlTransaction, folded: readonly Folded[]): Promise<void> {
  if (folded.length === 0) return;
  const heads = folded.map((record) => record.newest);
  await transaction.query(COUNT_LATE, [...identityColumns(heads), folded.map((record) => record.late)]);
}

/** Topics in the order of their names: a stable order keeps two batches from waiting for each other. */
async function appendByTopic(
  transaction: SqlTransaction,
  appender: EventAppender,
  told: readonly Folded[],
): Promise<void> {
  const entries = told.flatMap(({ accepted, report }) => [
    ...accepted.map(({ topic, event }) => ({ topic, event })),
    ...(report === undefined ? [] : [{ topic: INCIDENT_REPORT_TOPIC, event: report }]),
  ]);
  const byTopic = [...Map.groupBy(entries, ({ topic }) => topic)].sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [topic, group] of byTopic) {
    await appender.append(
      transaction,
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
