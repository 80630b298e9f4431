// Counts what gateways tell of use: operations by client and day, calls by system and minute; each report once.
import { createHash } from 'node:crypto';
import { HubError } from '@weft/core/errors';
import { TRANSACTION_LIMITS } from '../store.ts';
import type { Prisma, PrismaClient } from './generated/client.ts';
import { bad } from './version.ts';

export interface UsageReport {
  readonly gateway: string;
  readonly sequence: number;
  readonly from: Date;
  readonly to: Date;
  readonly operations: readonly OperationReport[];
  readonly systems: readonly SystemReport[];
  readonly dropped: number;
}

export interface OperationReport {
  readonly hash: string;
  readonly document?: string | null;
  readonly name?: string | null;
  readonly clientName?: string | null;
  readonly clientVersion?: string | null;
  readonly kind: string;
  readonly count: number;
  readonly errors: number;
  readonly lastSeen: Date;
  readonly coordinates: readonly string[];
}

export interface SystemReport {
  readonly name: string;
  readonly calls: number;
  readonly failures: number;
  readonly p50Ms?: number | null;
  readonly p99Ms?: number | null;
}

/** Of one report. */
const OPERATIONS_MAX = 2_000;
const SYSTEMS_MAX = 1_000;
const COORDINATES_MAX = 5_000;
/** Distinct operations that are known at once; further ones are passed over until old ones are forgotten. */
const KNOWN_OPERATIONS_MAX = 50_000;
const DOCUMENT_LENGTH_MAX = 100_000;
const NAME_LENGTH_MAX = 200;
const GATEWAY = /^[\w.:@/-]{1,200}$/;
const HASH = /^[0-9a-f]{64}$/;

/**
 * @returns false when operations are not known here by their hash and came without their document: they are not counted
 * @throws HubError BAD_USER_INPUT, LIMIT_EXCEEDED
 */
export async function recordUsage(prisma: PrismaClient, report: UsageReport): Promise<boolean> {
  requireReport(report);
  return await prisma.$transaction(async (tx) => {
    const { gateway, sequence, dropped } = report;
    const added = await tx.usageReport.createMany({
      data: [{ gateway, sequence, dropped, receivedAt: new Date() }],
      skipDuplicates: true,
    });
    if (added.count === 0) return true;
    const told = [...report.operations].map(cleaned).sort((a, b) => (a.hash < b.hash ? -1 : 1));
    const known = await learnOperations(tx, told);
    await countOperations(
      tx,
      told.filter(({ hash }) => known.has(hash)),
    );
    await countSystems(tx, report);
    return told.every(({ hash }) => known.has(hash));
  }, TRANSACTION_LIMITS);
}

function requireReport({ gateway, operations, systems }: UsageReport): void {
  if (!GATEWAY.test(gateway)) throw bad('report.gateway', 'expected a name without blanks');
  requireLimit('OPERATIONS_MAX', operations.length, OPERATIONS_MAX);
  requireLimit('SYSTEMS_MAX', systems.length, SYSTEMS_MAX);
  for (const { hash, coordinates, document } of operations) {
    if (!HASH.test(hash)) throw bad('report.operations.hash', 'expected 64 hex digits');
    requireLimit('COORDINATES_MAX', coordinates.length, COORDINATES_MAX);
    requireLimit('DOCUMENT_LENGTH_MAX', document?.length ?? 0, DOCUMENT_LENGTH_MAX);
    if (typeof document === 'string' && createHash('sha256').update(document).digest('hex') !== hash)
      throw bad('report.operations.hash', 'expected the SHA-256 of the document');
  }
}

function requireLimit(limit: string, got: number, max: number): void {
  if (got > max)
    throw new HubError('LIMIT_EXCEEDED', `report: ${limit} is ${max}, got ${got}`, {
      details: { limit, max, got },
    });
}

interface Cleaned {
  readonly hash: string;
  readonly document: string | null;
  readonly name: string;
  readonly clientName: string;
  readonly clientVersion: string;
  readonly kind: string;
  readonly count: number;
  readonly errors: number;
  readonly lastSeen: Date;
  readonly coordinates: string[];
}

/** Names are a client's own words: PostgreSQL takes no NUL, and nobody needs a long one. */
function cleaned(told: OperationReport): Cleaned {
  const text = (value: string | null | undefined) =>
    (value ?? '').replaceAll('\0', '').slice(0, NAME_LENGTH_MAX);
  return {
    ...told,
    document: told.document?.replaceAll('\0', '') ?? null,
    name: text(told.name),
    clientName: text(told.clientName),
    clientVersion: text(told.clientVersion),
    kind: text(told.kind),
    coordinates: [...new Set(told.coordinates.map(text))].sort(),
  };
}

/** @returns the hashes that are known by then */
async function learnOperations(
  tx: Prisma.TransactionClient,
  told: readonly Cleaned[],
): Promise<ReadonlySet<string>> {
  const hashes = [...new Set(told.map(({ hash }) => hash))];
  const before = await tx.operation.findMany({ where: { hash: { in: hashes } }, select: { hash: true } });
  const known = new Set(before.map(({ hash }) => hash));
  const fresh = new Map(
    told
      .filter(({ hash, document }) => !known.has(hash) && document !== null)
      .map(({ hash, document, name, kind, coordinates }) => [
        hash,
        { hash, document, name, kind, coordinates, firstSeen: new Date() },
      ]),
  );
  if (fresh.size === 0) return known;
  const room = Math.max(0, KNOWN_OPERATIONS_MAX - (await tx.operation.count()));
  const data = [...fresh.values()].slice(0, room);
  await tx.operation.createMany({ data, skipDuplicates: true });
  for (const { hash } of data) known.add(hash);
  return known;
}

/** One statement, in the order of hashes, so that two gateways do not wait for each other in a ring. */
async function countOperations(tx: Prisma.TransactionClient, told: readonly Cleaned[]): Promise<void> {
  if (told.length === 0) return;
  const rows = JSON.stringify(
    told.map(({ hash, clientName, clientVersion, count, errors, lastSeen }) => ({
      hash,
      client_name: clientName,
      client_version: clientVersion,
      count,
      errors,
      last_seen: lastSeen.toISOString(),
    })),
  );
  await tx.$executeRaw`
    INSERT INTO registry.operation_use AS known (hash, day, client_name, client_version, count, errors, last_seen)
    SELECT hash, (last_seen AT TIME ZONE 'UTC')::date AS day, client_name, client_version,
           sum(count), sum(errors), max(last_seen)
    FROM jsonb_to_recordset(${rows}::jsonb)
      AS told(hash text, client_name text, client_version text, count bigint, errors bigint, last_seen timestamptz)
    GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
    ON CONFLICT (hash, day, client_name, client_version) DO UPDATE SET
      count = known.count + excluded.count, errors = known.errors + excluded.errors,
      last_seen = GREATEST(known.last_seen, excluded.last_seen)`;
}

/** Medians are joined by count; of the slowest calls the slowest report stands. */
async function countSystems(tx: Prisma.TransactionClient, { systems, to }: UsageReport): Promise<void> {
  const called = systems.filter(({ name, calls }) => calls > 0 && name.length <= NAME_LENGTH_MAX);
  if (called.length === 0) return;
  const minute = new Date(Math.floor(to.getTime() / 60_000) * 60_000).toISOString();
  const rows = JSON.stringify(
    called.map(({ p50Ms = null, p99Ms = null, ...each }) => ({ ...each, p50Ms, p99Ms })),
  );
  await tx.$executeRaw`
    INSERT INTO registry.system_use AS known (name, minute, calls, failures, p50_ms, p99_ms)
    SELECT name, ${minute}::timestamptz, sum(calls), sum(failures),
           sum("p50Ms" * calls) / NULLIF(sum(calls) FILTER (WHERE "p50Ms" IS NOT NULL), 0), max("p99Ms")
    FROM jsonb_to_recordset(${rows}::jsonb)
      AS told(name text, calls bigint, failures bigint, "p50Ms" float8, "p99Ms" float8)
    GROUP BY name ORDER BY name
    ON CONFLICT (name, minute) DO UPDATE SET
      calls = known.calls + excluded.calls, failures = known.failures + excluded.failures,
      p50_ms = COALESCE((known.p50_ms * known.calls + excluded.p50_ms * excluded.calls)
                        / NULLIF(known.calls + excluded.calls, 0), known.p50_ms, excluded.p50_ms),
      p99_ms = GREATEST(known.p99_ms, excluded.p99_ms)`;
}
