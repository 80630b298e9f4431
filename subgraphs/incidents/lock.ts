// Lets one transaction at a time work on an incident, in a way that keeps its events in their order.
import { invariant } from '@weft/core/errors';
import type { SqlTransaction } from '@weft/events/event-log';

/** Keeps these locks apart from others of the database. */
const LOCK_CLASS = 320_508_002;

// In one order, or two who want the same two would wait for each other.
const LOCK = `
SELECT pg_advisory_xact_lock(${LOCK_CLASS}, hash)::text AS held, pg_current_xact_id_if_assigned()::text AS xid
FROM (SELECT DISTINCT hashtext(id) AS hash FROM unnest($1::text[]) AS id ORDER BY 1) AS hashes`;

/**
 * Waits until no other transaction holds one of these incidents, and holds them until this one ends. The log's order is
 * that of transactions, which PostgreSQL numbers at their first write (docs/events.md): whoever wrote before they waited
 * would tell of a later step in an earlier place. So nothing may have been written, and a row lock would be a write.
 */
export async function lockIncidents(tx: SqlTransaction, ids: readonly string[]): Promise<void> {
  const rows = await tx.query<{ held: string | null; xid: string | null }>(LOCK, [[...ids]]);
  invariant(
    rows.every(({ xid }) => xid === null),
    'an incident is locked before anything is written in its transaction',
  );
}
