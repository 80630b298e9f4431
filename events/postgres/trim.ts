// Ends the retention of old events: always a prefix of the topic, and where it ends is written down with it.
import type pg from 'pg';

/** Rows of one statement: a long delete would hold a snapshot, and with it every reader, back. */
const TRIM_ROWS_MAX = 5_000;

// `kept` is the first event that is young enough; what stands before it goes, even if its clock says otherwise,
// so that what is retained has no holes.
const TRIM = `
WITH kept AS (
  SELECT tx, seq FROM events.event
  WHERE topic = $1 AND appended_at > now() - $2 * interval '1 millisecond'
  ORDER BY tx, seq LIMIT 1
), old AS (
  SELECT e.seq FROM events.event e
  WHERE e.topic = $1 AND e.tx < pg_snapshot_xmin(pg_current_snapshot())
    AND NOT EXISTS (SELECT FROM kept WHERE (kept.tx, kept.seq) <= (e.tx, e.seq))
  ORDER BY e.tx, e.seq LIMIT ${TRIM_ROWS_MAX}
), gone AS (
  DELETE FROM events.event e USING old WHERE e.seq = old.seq RETURNING e.tx, e.seq
), marked AS (
  INSERT INTO events.retention AS r (topic, trimmed_tx, trimmed_seq)
  SELECT $1, tx, seq FROM gone ORDER BY tx DESC, seq DESC LIMIT 1
  ON CONFLICT (topic) DO UPDATE SET trimmed_tx = EXCLUDED.trimmed_tx, trimmed_seq = EXCLUDED.trimmed_seq
  WHERE (r.trimmed_tx, r.trimmed_seq) < (EXCLUDED.trimmed_tx, EXCLUDED.trimmed_seq)
)
SELECT count(*)::int AS trimmed FROM gone`;

/** Deletes the events of a topic older than `olderThanMs`; returns how many. Several at once do no harm. */
export async function trimTopic(pool: pg.Pool, topic: string, olderThanMs: number): Promise<number> {
  let trimmed = 0;
  // Ends because each round deletes at least one of finitely many old rows, or is the last.
  for (;;) {
    const { rows } = await pool.query<{ trimmed: number }>(TRIM, [topic, olderThanMs]);
    const round = rows[0]?.trimmed ?? 0;
    trimmed += round;
    if (round < TRIM_ROWS_MAX) return trimmed;
  }
}
