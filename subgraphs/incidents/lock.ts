// Lets one transaction at a time work on an incident, in a way that keeps its events in their order.
import { invariant } from '@weft/core/errors';
import type { Prisma } from './generated/client.ts';

/** Keeps these locks apart from others of the database. */
const LOCK_CLASS = 320_508_002;

/**
 * Waits until no other transaction holds one of these incidents, and holds them until this one ends. The log's order is
 * that of transactions, which PostgreSQL numbers at their first write (docs/events.md): whoever wrote before they waited
 * would tell of a later step in an earlier place. So nothing may have been written, and a row lock would be a write.
 */
export async function lockIncidents(tx: Prisma.TransactionClient, ids: readonly string[]): Promise<void> {
  // In one order, or two who want the same two would wait for each other.
  const rows = await tx.$queryRaw<{ held: string | null; xid: string | null }[]>`
    SELECT pg_advisory_xact_lock(${LOCK_CLASS}::int, hash)::text AS held, pg_current_xact_id_if_assigned()::text AS xid
    FROM (SELECT DISTINCT hashtext(id) AS hash FROM unnest(${[...ids]}::text[]) AS id ORDER BY 1) AS hashes`;
  invariant(
    rows.every(({ xid }) => xid === null),
    'an incident is locked before anything is written in its transaction',
  );
}
