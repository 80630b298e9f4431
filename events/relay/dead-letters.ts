// Events that the live engine would not take: written down with the reason, listed, and tried anew when a person says so.
import type pg from 'pg';
import type { Position } from '../event-log.ts';
import { DEAD_LETTER_REASON_LENGTH_MAX } from '../limits.ts';
import type { StorePool } from '../postgres/pool.ts';
import { formatPosition, parsePosition } from '../postgres/position.ts';

export interface DeadLetter {
  readonly id: string;
  readonly topic: string;
  readonly position: Position;
  readonly source: string;
  readonly eventId: string;
  readonly engine: string;
  readonly reason: string;
  readonly tries: number;
  readonly failedAt: Date;
  /** Set while it waits to be tried anew. */
  readonly redriveAt: Date | null;
}

const WRITE = `
INSERT INTO events.dead_letter (topic, tx, seq, source, event_id, engine, reason, tries)
VALUES ($1, $2::xid8, $3::bigint, $4, $5, $6, $7, $8)
ON CONFLICT (topic, seq) DO UPDATE SET engine = EXCLUDED.engine, reason = EXCLUDED.reason,
  tries = events.dead_letter.tries + EXCLUDED.tries, failed_at = now(), redrive_at = NULL`;

export async function writeDeadLetter(
  pool: StorePool,
  letter: Pick<DeadLetter, 'topic' | 'position' | 'source' | 'eventId' | 'engine' | 'reason' | 'tries'>,
): Promise<void> {
  const { tx, seq } = parsePosition(letter.position);
  const { topic, source, eventId, engine, tries } = letter;
  const reason = letter.reason.slice(0, DEAD_LETTER_REASON_LENGTH_MAX);
  await pool.query(WRITE, [topic, tx, seq, source, eventId, engine, reason, tries]);
}

/** All of a topic: they are tried anew, or the marker that should stand for one of them was not taken either. */
export async function forgetDeadLetters(pool: StorePool, topic: string, at?: Position): Promise<void> {
  const seq = at === undefined ? null : parsePosition(at).seq;
  await pool.query(
    'DELETE FROM events.dead_letter WHERE topic = $1 AND ($2::bigint IS NULL OR seq = $2::bigint)',
    [topic, seq],
  );
}

const LIST = `
SELECT id::text, topic, tx::text, seq::text, source, event_id AS "eventId", engine, reason, tries,
       failed_at AS "failedAt", redrive_at AS "redriveAt"
FROM events.dead_letter ORDER BY id LIMIT $1`;

/** Oldest first. */
export async function listDeadLetters(
  queryable: Pick<pg.Client, 'query'>,
  lettersMax: number,
): Promise<readonly DeadLetter[]> {
  const { rows } = await queryable.query<Omit<DeadLetter, 'position'> & { tx: string; seq: string }>(LIST, [
    lettersMax,
  ]);
  return rows.map(({ tx, seq, ...letter }) => ({ ...letter, position: formatPosition({ tx, seq }) }));
}

/** Asks the relay to try one dead letter anew, or all of them; returns how many. The relay builds their topics anew. */
export async function redriveDeadLetters(
  queryable: Pick<pg.Client, 'query'>,
  id: string | 'all',
): Promise<number> {
  const { rowCount } = await queryable.query(
    'UPDATE events.dead_letter SET redrive_at = now() WHERE $1 OR id::text = $2',
    [id === 'all', id],
  );
  return rowCount ?? 0;
}

export async function listTopicsToRedrive(pool: StorePool): Promise<readonly string[]> {
  const { rows } = await pool.query<{ topic: string }>(
    'SELECT DISTINCT topic FROM events.dead_letter WHERE redrive_at IS NOT NULL',
  );
  return rows.map(({ topic }) => topic);
}
