// What the live engine has acknowledged of each topic, kept in PostgreSQL: below it trimming may go, and loss shows against it.

import type { Position } from '../event-log.ts';
import type { StorePool } from '../postgres/pool.ts';
import { formatPosition, type PositionParts, parsePosition } from '../postgres/position.ts';
import { LEASE_NAME } from './lease.ts';

export interface Acknowledged {
  readonly generation: string;
  readonly position: Position;
}

/** Undefined when this engine has never had the topic. */
export async function readAcknowledged(
  pool: StorePool,
  topic: string,
  engine: string,
): Promise<Acknowledged | undefined> {
  const { rows } = await pool.query<PositionParts & { generation: string }>(
    'SELECT generation, acked_tx AS tx, acked_seq AS seq FROM events.relay_topic WHERE topic = $1 AND engine = $2',
    [topic, engine],
  );
  const row = rows[0];
  return row && { generation: row.generation, position: formatPosition(row) };
}

const WRITE = `
INSERT INTO events.relay_topic (topic, engine, generation, acked_tx, acked_seq)
SELECT $1, $2, $3, $4::xid8, $5::bigint FROM events.relay_lease WHERE name = $6 AND fence = $7::bigint
ON CONFLICT (topic) DO UPDATE SET engine = EXCLUDED.engine, generation = EXCLUDED.generation,
  acked_tx = EXCLUDED.acked_tx, acked_seq = EXCLUDED.acked_seq, updated_at = now()`;

/** False, and nothing written, when the lease is another's by now. */
export async function writeAcknowledged(
  pool: StorePool,
  topic: string,
  engine: string,
  { generation, position }: Acknowledged,
  fence: bigint,
): Promise<boolean> {
  const { tx, seq } = parsePosition(position);
  const { rowCount } = await pool.query(WRITE, [
    topic,
    engine,
    generation,
    tx,
    seq,
    LEASE_NAME,
    String(fence),
  ]);
  return rowCount === 1;
}

const IS_IN_OUTBOX = `
SELECT ($2::xid8, $3::bigint) = ('0'::xid8, 0)
  OR EXISTS (SELECT FROM events.event WHERE topic = $1 AND tx = $2::xid8 AND seq = $3::bigint)
  OR EXISTS (SELECT FROM events.retention WHERE topic = $1 AND (trimmed_tx, trimmed_seq) >= ($2::xid8, $3::bigint))
  AS found`;

/** Whether a position is one of the topic's, or lies before what is retained. */
export async function isInOutbox(pool: StorePool, topic: string, position: Position): Promise<boolean> {
  const { tx, seq } = parsePosition(position);
  const { rows } = await pool.query<{ found: boolean }>(IS_IN_OUTBOX, [topic, tx, seq]);
  return rows[0]?.found === true;
}

// One look into the index a topic, however many events it has.
const TOPICS = `
WITH RECURSIVE topics AS (
  (SELECT topic FROM events.event ORDER BY topic LIMIT 1)
  UNION ALL
  SELECT (SELECT e.topic FROM events.event e WHERE e.topic > topics.topic ORDER BY e.topic LIMIT 1)
  FROM topics WHERE topics.topic IS NOT NULL
)
SELECT topic FROM topics WHERE topic IS NOT NULL UNION SELECT topic FROM events.relay_topic`;

/** Every topic that has events, or had them. */
export async function listTopics(pool: StorePool): Promise<readonly string[]> {
  const { rows } = await pool.query<{ topic: string }>(TOPICS);
  return rows.map(({ topic }) => topic);
}
