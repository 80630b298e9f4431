// Reads lists and counts of incidents; pages are cut by key, so that new incidents never shift them.
import { HubError } from '@weft/core/errors';
import { requirePageSize } from '../page-size.ts';
import type { Actor } from './actor.ts';
import { visibleFilter, visibleParts } from './authority.ts';
import type { Incident, Prisma, PrismaClient } from './generated/client.ts';
import { isIncidentId } from './identity.ts';
import { STATE_LABELS } from './labels.ts';
import { CODE_LENGTH_MAX, isDivisionCode } from './report-limits.ts';

/** Of every page of incidents. */
export const PAGE_LIMIT = { name: 'PAGE_INCIDENTS_MAX', itemsMax: 200, itemsUsual: 20 };

export interface IncidentsArguments {
  readonly division?: string | null;
  readonly state?: string | null;
  readonly first: number | null;
  readonly after?: string | null;
}

/** IncidentConnection; the total is counted only when it is asked for. */
export interface IncidentPage {
  readonly edges: readonly { readonly cursor: string; readonly node: Incident }[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
  readonly totalCount: () => Promise<number>;
}

/** @throws HubError LIMIT_EXCEEDED, BAD_USER_INPUT, INVALID_CURSOR */
export async function listIncidents(
  prisma: PrismaClient,
  actor: Actor,
  args: IncidentsArguments,
): Promise<IncidentPage> {
  const asked = [divisionFilter(args.division), args.state ? { state: args.state } : {}];
  return await pageOf(prisma, actor, asked, args);
}

/**
 * One page of the incidents that all of these filters take in and the one who asks may see.
 * @throws HubError LIMIT_EXCEEDED, INVALID_CURSOR
 */
export async function pageOf(
  prisma: PrismaClient,
  actor: Actor,
  asked: readonly Prisma.IncidentWhereInput[],
  args: { readonly first: number | null; readonly after?: string | null },
): Promise<IncidentPage> {
  const first = requirePageSize(args.first, PAGE_LIMIT);
  const where: Prisma.IncidentWhereInput = {
    AND: [visibleFilter(actor), ...asked],
  };
  const after = args.after ? decodeCursor(args.after) : undefined;
  const rows = await prisma.incident.findMany({
    where: after === undefined ? where : { AND: [where, afterFilter(after)] },
    orderBy: [{ reportedAt: 'desc' }, { id: 'asc' }],
    // One more than asked for tells whether there is a next page.
    take: first + 1,
  });
  const edges = rows.slice(0, first).map((node) => ({ cursor: encodeCursor(node), node }));
  return {
    edges,
    pageInfo: { hasNextPage: rows.length > first, endCursor: edges.at(-1)?.cursor ?? null },
    totalCount: () => countAll(prisma, actor, asked),
  };
}

async function countAll(
  prisma: PrismaClient,
  actor: Actor,
  asked: readonly Prisma.IncidentWhereInput[],
): Promise<number> {
  const counts = visibleParts(actor).map((part) =>
    prisma.incident.count({ where: { AND: [part, ...asked] } }),
  );
  return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
}

/** Every state that occurs, in the order of the way of an incident. */
export async function countIncidents(prisma: PrismaClient, actor: Actor, division?: string | null) {
  const inDivision = divisionFilter(division);
  const groups = await Promise.all(
    visibleParts(actor).map((part) =>
      prisma.incident.groupBy({ by: ['state'], where: { AND: [part, inDivision] }, _count: { _all: true } }),
    ),
  );
  const counts = new Map<string, number>();
  for (const { state, _count } of groups.flat()) counts.set(state, (counts.get(state) ?? 0) + _count._all);
  return (Object.keys(STATE_LABELS) as (keyof typeof STATE_LABELS)[])
    .filter((state) => counts.has(state))
    .map((state) => ({ state, stateLabel: STATE_LABELS[state], count: counts.get(state) ?? 0 }));
}

/** A grid code stands at many incidents: the latest is answered. */
export async function findByExternalNumber(
  prisma: PrismaClient,
  actor: Actor,
  kind: string,
  number: string,
): Promise<Incident | null> {
  // Longer ones are never stored, and a NUL cannot be sent to PostgreSQL.
  if ([kind, number].some((text) => text.length > CODE_LENGTH_MAX || text.includes('\0'))) return null;
  return await prisma.incident.findFirst({
    where: { AND: [{ externalNumbers: { some: { kind, number } } }, visibleFilter(actor)] },
    orderBy: [{ reportedAt: 'desc' }, { id: 'asc' }],
  });
}

/**
 * Codes are hierarchical: what lies below a division begins with its code.
 * @throws HubError BAD_USER_INPUT for what is no code
 */
export function divisionFilter(division: string | null | undefined): Prisma.IncidentWhereInput {
  if (division === undefined || division === null) return {};
  if (isDivisionCode(division)) return { division: { startsWith: division } };
  throw new HubError('BAD_USER_INPUT', 'division: expected a code of letters, digits and hyphens', {
    details: { argument: 'division' },
  });
}

interface PageKey {
  readonly reportedAt: Date;
  readonly id: string;
}

function afterFilter({ reportedAt, id }: PageKey): Prisma.IncidentWhereInput {
  return { reportedAt: { lte: reportedAt }, OR: [{ reportedAt: { lt: reportedAt } }, { id: { gt: id } }] };
}

const CURSOR_VERSION = '1';
const CURSOR_LENGTH_MAX = 200;

function encodeCursor({ reportedAt, id }: PageKey): string {
  return Buffer.from(`${CURSOR_VERSION} ${reportedAt.getTime()} ${id}`).toString('base64url');
}

function decodeCursor(cursor: string): PageKey {
  const text = cursor.length > CURSOR_LENGTH_MAX ? '' : Buffer.from(cursor, 'base64url').toString('utf8');
  const [version, time, id, ...rest] = text.split(' ');
  const reportedAt = new Date(/^-?\d{1,16}$/.test(time ?? '') ? Number(time) : Number.NaN);
  if (
    version === CURSOR_VERSION &&
    id !== undefined &&
    isIncidentId(id) &&
    rest.length === 0 &&
    !Number.isNaN(reportedAt.getTime())
  ) {
    return { reportedAt, id };
  }
  throw new HubError('INVALID_CURSOR', 'after: not a cursor of incidents', {
    details: { argument: 'after' },
  });
}
