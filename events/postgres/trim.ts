// Ends the retention of old events: always a prefix of the topic, and where it ends is written down with it.
import type pg from 'pg';
import type { Position } from '../event-log.ts';
import { RETENTION_ROWS_MAX } from '../limits.ts';
import type { StorePool } from './pool.ts';
import { formatPosition, POSITION_MAX, type PositionParts, parsePosition } from './position.ts';

export interface Retention {
  /** Events that were appended longer ago are dropped. */
  readonly olderThanMs?: number | undefined;
  /** The oldest are dropped until the topic's events have no more bytes of JSON than this. */
  readonly bytesMax?: number | undefined;
  /** Nothing behind this is dropped: what the live engine has not acknowledged. */
  readonly upTo?: Position | undefined;
}

// Cheap, since it is asked often and mostly in vain.
const IS_DUE = `
SELECT coalesce((SELECT appended_at <= now() - $2::float8 * interval '1 millisecond'
                 FROM events.event WHERE topic = $1 ORDER BY tx, seq LIMIT 1), false)
    OR coalesce((SELECT bytes > $3::bigint FROM events.retention WHERE topic = $1), false) AS due`;

const IS_UNCOUNTED = `
SELECT EXISTS (
  SELECT FROM events.event e WHERE e.topic = $1 AND (e.tx, e.seq) > (
    coalesce((SELECT counted_tx FROM events.retention WHERE topic = $1), '0'),
    coalesce((SELECT counted_seq FROM events.retention WHERE topic = $1), 0))) AS uncounted`;

// Several may trim: each statement takes the row first, so that the bytes are added and taken off once.
const LOCK = `
INSERT INTO events.retention (topic, trimmed_tx, trimmed_seq) VALUES ($1, '0', 0)
ON CONFLICT (topic) DO UPDATE SET topic = EXCLUDED.topic
RETURNING bytes`;

const COUNT = `
WITH fresh AS (
  SELECT e.tx, e.seq, octet_length(e.envelope::text) AS bytes FROM events.event e, events.retention r
  WHERE r.topic = $1 AND e.topic = $1 AND (e.tx, e.seq) > (r.counted_tx, r.counted_seq)
    AND e.tx < pg_snapshot_xmin(pg_current_snapshot())
  ORDER BY e.tx, e.seq LIMIT ${RETENTION_ROWS_MAX}
), last AS (SELECT tx, seq FROM fresh ORDER BY tx DESC, seq DESC LIMIT 1)
UPDATE events.retention r
SET bytes = r.bytes + (SELECT sum(bytes) FROM fresh), counted_tx = last.tx, counted_seq = last.seq
FROM last WHERE r.topic = $1
RETURNING (SELECT count(*)::int FROM fresh) AS counted`;

// `kept` is the first event that is young enough; what stands before it goes, even if its clock says otherwise,
// so that what is retained has no holes. Of bytes, `running` adds up from the oldest: it goes while too many would be left.
const TRIM = `
WITH kept AS (
  SELECT tx, seq FROM events.event
  WHERE topic = $1 AND ($2::float8 IS NULL OR appended_at > now() - $2 * interval '1 millisecond')
  ORDER BY tx, seq LIMIT 1
), oldest AS (
  SELECT e.tx, e.seq, octet_length(e.envelope::text) AS bytes FROM events.event e
  WHERE e.topic = $1 AND e.tx < pg_snapshot_xmin(pg_current_snapshot()) AND (e.tx, e.seq) <= ($4::xid8, $5::bigint)
  ORDER BY e.tx, e.seq LIMIT ${RETENTION_ROWS_MAX}
), running AS (
  SELECT *, sum(bytes) OVER (ORDER BY tx, seq) - bytes AS before FROM oldest
), gone AS (
  DELETE FROM events.event e USING running o
  WHERE e.seq = o.seq AND (
    NOT EXISTS (SELECT FROM kept WHERE (kept.tx, kept.seq) <= (o.tx, o.seq))
    OR o.before < (SELECT bytes FROM events.retention WHERE topic = $1) - $3::bigint
  )
  RETURNING o.tx, o.seq, o.bytes
), last AS (SELECT tx, seq FROM gone ORDER BY tx DESC, seq DESC LIMIT 1
), marked AS (
  UPDATE events.retention r
  SET trimmed_tx = last.tx, trimmed_seq = last.seq,
      bytes = r.bytes - coalesce((SELECT sum(bytes) FROM gone WHERE (gone.tx, gone.seq) <= (r.counted_tx, r.counted_seq)), 0),
      counted_tx = CASE WHEN (r.counted_tx, r.counted_seq) < (last.tx, last.seq) THEN last.tx ELSE r.counted_tx END,
      counted_seq = CASE WHEN (r.counted_tx, r.counted_seq) < (last.tx, last.seq) THEN last.seq ELSE r.counted_seq END
  FROM last WHERE r.topic = $1
)
SELECT count(*)::int AS trimmed FROM gone`;

/** Deletes events of a topic that it need not keep; returns how many. Several at once do no harm. */
export async function trimTopic(pool: StorePool, topic: string, retention: Retention): Promise<number> {
  const upTo = parsePosition(retention.upTo ?? POSITION_MAX);
  if (retention.bytesMax !== undefined) await countBytes(pool, topic);
  const limits = [retention.olderThanMs ?? null, retention.bytesMax ?? null];
  const { rows } = await pool.query<{ due: boolean }>(IS_DUE, [topic, ...limits]);
  if (rows[0]?.due !== true) return 0;
  const parameters = [topic, ...limits, upTo.tx, upTo.seq];
  let trimmed = 0;
  // Ends because each round deletes at least one of finitely many old rows, or is the last.
  for (;;) {
    const round = await inTransaction(pool, async (client) => {
      await client.query(LOCK, [topic]);
      const { rows } = await client.query<{ trimmed: number }>(TRIM, parameters);
      return rows[0]?.trimmed ?? 0;
    });
    trimmed += round;
    if (round < RETENTION_ROWS_MAX) return trimmed;
  }
}

async function countBytes(pool: StorePool, topic: string): Promise<void> {
  const { rows: looked } = await pool.query<{ uncounted: boolean }>(IS_UNCOUNTED, [topic]);
  if (looked[0]?.uncounted !== true) return;
  // Ends when everything that is committed has been counted: faster than it can be appended for ever.
  for (;;) {
    const counted = await inTransaction(pool, async (client) => {
      await client.query(LOCK, [topic]);
      const { rows } = await client.query<{ counted: number }>(COUNT, [topic]);
      return rows[0]?.counted ?? 0;
    });
    if (counted < RETENTION_ROWS_MAX) return;
  }
}

/** Up to where, itself included, the topic is not retained; START when nothing was ever dropped. */
export async function readTrimmed(pool: StorePool, topic: string): Promise<Position> {
  const { rows } = await pool.query<PositionParts>(
    'SELECT trimmed_tx AS tx, trimmed_seq AS seq FROM events.retention WHERE topic = $1',
    [topic],
  );
  return formatPosition(rows[0] ?? { tx: '0', seq: '0' });
}

async function inTransaction<T>(pool: StorePool, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  try {
    await client.query('BEGIN');
    const result = await work(client);
    await client.query('COMMIT');
    client.release();
    return result;
  } catch (thrown) {
    // With the connection its transaction ends, whatever state it is in.
    client.release(true);
    throw thrown;
  }
}
