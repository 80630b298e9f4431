// The graph of now, and the one lock under which it becomes another.
import type { Prisma, PrismaClient } from './generated/client.ts';

/** One system in the graph, in the version that it has there. */
export interface MemberVersion {
  readonly system: string;
  readonly owner: string;
  readonly id: string;
  readonly number: number;
  readonly sdl: string;
  readonly url: string;
  readonly subscriptionsUrl: string | null;
  readonly subscriptionsProtocol: string | null;
  /** Of one that is proposed, and was made of files: path to text. */
  readonly folder?: Readonly<Record<string, string>> | null;
}

export interface Head {
  /** 0 before the first publication. */
  readonly number: number;
  readonly members: ReadonlyMap<string, MemberVersion>;
}

/** Keeps this lock apart from others of the database. */
const LOCK_CLASS = 320_508_008;

/**
 * Waits until no other transaction changes the registry, and holds it until this one ends. Before anything is written, so that
 * events stand in the order of publications (docs/events.md).
 */
export async function lockRegistry(tx: Prisma.TransactionClient): Promise<void> {
  await tx.$executeRaw`SELECT pg_advisory_xact_lock(${LOCK_CLASS}::int, 0)`;
}

const MEMBER_VERSION = {
  id: true,
  number: true,
  sdl: true,
  url: true,
  subscriptionsUrl: true,
  subscriptionsProtocol: true,
  registration: { select: { owner: true } },
} as const satisfies Prisma.VersionSelect;

type MemberRow = Prisma.VersionGetPayload<{ select: typeof MEMBER_VERSION }>;

/** The latest publication with all its members. */
export async function readHead(prisma: PrismaClient): Promise<Head> {
  const latest = await prisma.publication.findFirst({
    orderBy: { number: 'desc' },
    select: {
      number: true,
      members: { select: { system: true, of: { select: MEMBER_VERSION } } },
    },
  });
  if (latest === null) return { number: 0, members: new Map() };
  const members = latest.members.map(({ system, of }) => [system, toMember(system, of)] as const);
  return { number: latest.number, members: new Map(members) };
}

/** A stored version as a member; null when there is none. @param version its id, or its number */
export async function findVersion(
  prisma: PrismaClient,
  system: string,
  version: string,
): Promise<MemberVersion | null> {
  const where = /^\d{1,9}$/.test(version)
    ? { system_number: { system, number: Number(version) } }
    : { system_id: { system, id: version } };
  const row = await prisma.version.findUnique({ where, select: { ...MEMBER_VERSION, folder: true } });
  if (row === null) return null;
  const folder = row.folder as MemberVersion['folder'];
  return { ...toMember(system, row), folder: folder ?? null };
}

function toMember(system: string, { registration, ...version }: MemberRow): MemberVersion {
  return { system, owner: registration.owner, ...version };
}

/** The number of the latest publication; 0 when there is none. */
export async function latestNumber(tx: Prisma.TransactionClient): Promise<number> {
  const { _max } = await tx.publication.aggregate({ _max: { number: true } });
  return _max.number ?? 0;
}
