// What one request reads of the registry: each thing once, those of a list together.
import DataLoader from 'dataloader';
import { asRead } from './as-read.ts';
import type { Drift, Lease, Prisma, PrismaClient, Registration, System } from './generated/client.ts';

/** How long back `latency` and `errorRate` look. */
const USE_WINDOW_MS = 300_000;

const VERSION = {
  system: true,
  id: true,
  number: true,
  url: true,
  commit: true,
  pushedAt: true,
  pushedBy: true,
} as const satisfies Prisma.VersionSelect;

/** A version without its SDL, which is long and seldom asked for. */
export type VersionRow = Prisma.VersionGetPayload<{ select: typeof VERSION }>;

export interface MemberKey {
  readonly system: string;
  readonly id: string;
}

/** Of the last five minutes. */
export interface SystemUseRow {
  readonly name: string;
  readonly calls: bigint;
  readonly failures: bigint;
  readonly p50_ms: number | null;
  readonly p99_ms: number | null;
}

export interface RegistryLoaders {
  readonly systems: DataLoader<string, System | null>;
  /** Of systems that have not left. */
  readonly registrations: DataLoader<string, Registration | null>;
  /** What the graph of now has of a system. */
  readonly published: DataLoader<string, MemberKey | null>;
  readonly versions: DataLoader<MemberKey, VersionRow | null, string>;
  /** The one that runs longest. */
  readonly leases: DataLoader<string, Lease | null>;
  readonly uses: DataLoader<string, SystemUseRow | null>;
  /** Of systems that differ now. */
  readonly drifts: DataLoader<string, Drift | null>;
  /** Of publications. */
  readonly members: DataLoader<number, readonly MemberKey[]>;
}

/** Loaders for one request: what they have read is forgotten with it. */
export function createRegistryLoaders(prisma: PrismaClient): RegistryLoaders {
  const leases = new DataLoader((names: readonly string[]) => readLeases(prisma, names));
  return {
    systems: new DataLoader(async (names: readonly string[]) => {
      const [rows, running] = await Promise.all([
        prisma.system.findMany({ where: { name: { in: [...names] } } }),
        leases.loadMany(names),
      ]);
      const now = new Date();
      const byName = new Map(rows.map((row) => [row.name, row]));
      return names.map((name, at) => {
        const row = byName.get(name);
        const lease = running[at];
        const until = lease instanceof Error ? undefined : lease?.expiresAt;
        return row === undefined ? null : asRead(row, now, until);
      });
    }),
    registrations: new DataLoader(async (names: readonly string[]) => {
      const rows = await prisma.registration.findMany({
        where: { name: { in: [...names] }, removedAt: null },
      });
      return inOrder(names, rows, ({ name }) => name);
    }),
    published: new DataLoader((names: readonly string[]) => readPublished(prisma, names)),
    versions: new DataLoader((keys: readonly MemberKey[]) => readVersions(prisma, keys), {
      cacheKeyFn: keyText,
    }),
    leases,
    uses: new DataLoader((names: readonly string[]) => readUses(prisma, names)),
    drifts: new DataLoader(async (names: readonly string[]) => {
      const rows = await prisma.drift.findMany({
        where: { system: { in: [...names] }, NOT: { differences: { isEmpty: true } } },
      });
      return inOrder(names, rows, ({ system }) => system);
    }),
    members: new DataLoader(async (numbers: readonly number[]) => {
      const rows = await prisma.member.findMany({
        where: { publication: { in: [...numbers] } },
        orderBy: { system: 'asc' },
      });
      return numbers.map((number) =>
        rows
          .filter(({ publication }) => publication === number)
          .map(({ system, version: id }) => ({ system, id })),
      );
    }),
  };
}

function keyText({ system, id }: MemberKey): string {
  return `${system} ${id}`;
}

function inOrder<Key, Row>(
  keys: readonly Key[],
  rows: readonly Row[],
  keyOf: (row: Row) => Key,
): (Row | null)[] {
  const byKey = new Map(rows.map((row) => [keyOf(row), row]));
  return keys.map((key) => byKey.get(key) ?? null);
}

async function readPublished(prisma: PrismaClient, names: readonly string[]): Promise<(MemberKey | null)[]> {
  const latest = await prisma.publication.findFirst({
    orderBy: { number: 'desc' },
    select: { members: { where: { system: { in: [...names] } } } },
  });
  const members = (latest?.members ?? []).map(({ system, version: id }) => ({ system, id }));
  return inOrder(names, members, ({ system }) => system);
}

async function readVersions(
  prisma: PrismaClient,
  keys: readonly MemberKey[],
): Promise<(VersionRow | null)[]> {
  const wanted = keys.map(({ system, id }) => ({ system, id }));
  const rows = await prisma.version.findMany({ where: { OR: wanted }, select: VERSION });
  return inOrder(keys.map(keyText), rows, keyText);
}

/** The latest first. */
export async function listVersions(
  prisma: PrismaClient,
  system: string,
  first: number,
): Promise<readonly VersionRow[]> {
  return await prisma.version.findMany({
    where: { system },
    orderBy: { number: 'desc' },
    take: first,
    select: VERSION,
  });
}

async function readLeases(prisma: PrismaClient, names: readonly string[]): Promise<(Lease | null)[]> {
  const rows = await prisma.lease.findMany({
    where: { system: { in: [...names] } },
    orderBy: { expiresAt: 'asc' },
  });
  return inOrder(names, rows, ({ system }) => system);
}

async function readUses(prisma: PrismaClient, names: readonly string[]): Promise<(SystemUseRow | null)[]> {
  const since = new Date(Date.now() - USE_WINDOW_MS);
  const rows = await prisma.$queryRaw<SystemUseRow[]>`
    SELECT name, sum(calls)::bigint AS calls, sum(failures)::bigint AS failures,
           sum(p50_ms * calls) / NULLIF(sum(calls) FILTER (WHERE p50_ms IS NOT NULL), 0) AS p50_ms,
           max(p99_ms) AS p99_ms
    FROM registry.system_use WHERE minute >= ${since} AND name = ANY(${[...names]}::text[]) GROUP BY name`;
  return inOrder(names, rows, ({ name }) => name);
}
