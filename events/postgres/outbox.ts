// The outbox as everybody asks it: connections that end in time, the head of a topic, the log's own name.
import { HubError } from '@weft/core/errors';
import type { Logger } from '@weft/core/logger';
import pg from 'pg';
import { type Position, START } from '../event-log.ts';
import { formatPosition } from './position.ts';

const CONNECTIONS_MAX = 4;
const CONNECT_TIMEOUT_MS = 5_000;
const QUERY_TIMEOUT_MS = 10_000;

/** Connects when it is first used; a connection that breaks is replaced. */
export function openPool(connectionString: string, logger: Logger, name = 'weft events reader'): pg.Pool {
  const pool = new pg.Pool({
    connectionString,
    max: CONNECTIONS_MAX,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: QUERY_TIMEOUT_MS,
    statement_timeout: QUERY_TIMEOUT_MS,
    application_name: name,
    // Readers ask the same few questions for ever, each by an index: to plan one anew takes as long as to answer it.
    options: '-c plan_cache_mode=force_generic_plan',
  });
  // An idle connection that breaks is replaced when the next one is needed.
  pool.on('error', (err) => logger.debug({ err }, 'an idle connection of the event log ended'));
  return pool;
}

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
export async function readHead(pool: pg.Pool, topic: string): Promise<Position> {
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
export async function readLogId(pool: pg.Pool): Promise<string> {
  const { rows } = await pool.query<{ id: string }>('SELECT id FROM events.log LIMIT 1');
  const id = rows[0]?.id;
  if (id === undefined)
    throw new HubError('STORE_UNAVAILABLE', 'The event log has no name: events.log is empty.');
  return id;
}
