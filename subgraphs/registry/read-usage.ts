// What clients have used of the graph, as gateways told it.
import type { UsedOperation } from '@weft/schema/registry-checks';
import type { CheckWindow } from './check-graph.ts';
import type { PrismaClient } from './generated/client.ts';

/** Operations, of one client and version each, that a check looks at: the most used ones. */
const OPERATIONS_MAX = 2_000;
/** A longer document stays where it is: its coordinates say what it uses. */
const DOCUMENT_LENGTH_MAX = 20_000;
export const DAY_MS = 86_400_000;

interface UseRow {
  readonly hash: string;
  readonly document: string | null;
  readonly name: string;
  readonly client_name: string;
  readonly client_version: string;
  readonly count: bigint;
  readonly errors: bigint;
  readonly last_seen: Date;
  readonly coordinates: string[];
}

/**
 * The most used operations first, `countMin` by all clients that count together. A subscription that runs is told with a count of 0,
 * and counts as one use.
 */
export async function readUsedOperations(
  prisma: PrismaClient,
  { days, countMin, excludedClients }: CheckWindow,
): Promise<readonly UsedOperation[]> {
  const from = new Date(Date.now() - days * DAY_MS).toISOString();
  const rows = await prisma.$queryRaw<UseRow[]>`
    SELECT * FROM (
      SELECT hash, max(CASE WHEN length(document) <= ${DOCUMENT_LENGTH_MAX} THEN document END) AS document,
             max(name) AS name, client_name, client_version,
             sum(count)::bigint AS count, sum(errors)::bigint AS errors, max(last_seen) AS last_seen, coordinates,
             sum(GREATEST(sum(count), 1)) OVER (PARTITION BY hash) AS uses
      FROM registry.operation_use JOIN registry.operation USING (hash)
      WHERE day >= ${dayBefore(days)}::date AND last_seen >= ${from}::timestamptz AND (client_name = ''
        OR NOT ARRAY[client_name, client_name || '@' || client_version] && ${[...excludedClients]}::text[])
      GROUP BY hash, client_name, client_version, coordinates) AS used
    WHERE uses >= ${countMin}
    ORDER BY uses DESC, hash, count DESC, client_name, client_version LIMIT ${OPERATIONS_MAX}`;
  return rows.map((row) => ({
    hash: row.hash,
    document: row.document ?? undefined,
    name: row.name,
    clientName: row.client_name,
    clientVersion: row.client_version,
    count: Number(row.count),
    errors: Number(row.errors),
    lastSeen: row.last_seen.toISOString(),
    coordinates: row.coordinates,
  }));
}

/** As `OperationUse` tells it. */
export type ToldUse = Omit<UsedOperation, 'coordinates'>;

/** Who uses a coordinate; the most used first. */
export async function readUsesOf(
  prisma: PrismaClient,
  coordinate: string,
  days: number,
  first: number,
): Promise<readonly ToldUse[]> {
  const rows = await prisma.$queryRaw<UseRow[]>`
    SELECT hash, max(document) AS document, max(name) AS name, client_name, client_version,
           sum(count)::bigint AS count, sum(errors)::bigint AS errors, max(last_seen) AS last_seen
    FROM registry.operation_use JOIN registry.operation USING (hash)
    WHERE day >= ${dayBefore(days)}::date AND coordinates @> ARRAY[${coordinate}::text]
    GROUP BY hash, client_name, client_version
    ORDER BY sum(count) DESC, hash LIMIT ${first}`;
  return rows.map((row) => ({
    hash: row.hash,
    document: row.document ?? undefined,
    name: row.name,
    clientName: row.client_name,
    clientVersion: row.client_version,
    count: Number(row.count),
    errors: Number(row.errors),
    lastSeen: row.last_seen.toISOString(),
  }));
}

/** The first day (UTC) that counts, as PostgreSQL reads it. */
function dayBefore(days: number): string {
  return new Date(Date.now() - days * DAY_MS).toISOString().slice(0, 10);
}
