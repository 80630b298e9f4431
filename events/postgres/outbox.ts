// The outbox as everybody asks it: the head of a topic, the log's own name.
import { HubError } from '@weft/core/errors';
import { type Position, START } from '../event-log.ts';
import type { StorePool } from './pool.ts';
import { formatPosition } from './position.ts';

/**
 * The last settled event, or where retention ended: what commits from now on lies above. Never a number that no
 * committed row carries: after a crash PostgreSQL hands out the numbers of transactions that left nothing on disk again.
 */
const READ_HEAD = `
SELECT tx, seq FROM (
  (SELECT tx, seq FROM events.event
   WHERE topic = $1 AND tx < pg_snapshot_xmin(pg_current_snapshot())
   ORDER BY tx DESC, seq DESC LIMIT 1)
  UNION ALL
  (SELECT trimmed_tx, trimmed_seq FROM events.retention WHERE topic = $1)
) AS settled(tx, seq)
ORDER BY tx DESC, seq DESC LIMIT 1`;

/** The head of a topic: see `EventLog.head`. Rejects with what the pool rejects with. */
export async function readHead(pool: StorePool, topic: string): Promise<Position> {
  const { rows } = await pool.query<{ tx: string; seq: string }>(READ_HEAD, [topic]);
  return rows[0] === undefined ? START : formatPosition(rows[0]);
}

/** @throws HubError STORE_UNAVAILABLE for whatever is thrown that is no HubError */
export async function orUnavailable<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (cause) {
    if (cause instanceof HubError) throw cause;
    throw new HubError('STORE_UNAVAILABLE', 'The event log does not answer.', { cause });
  }
}

/** Tells this log from others that a live engine may carry. */
export async function readLogId(pool: StorePool): Promise<string> {
  const { rows } = await pool.query<{ id: string }>('SELECT id FROM events.log LIMIT 1');
  const id = rows[0]?.id;
  if (id === undefined)
    throw new HubError('STORE_UNAVAILABLE', 'The event log has no name: events.log is empty.');
  return id;
}
