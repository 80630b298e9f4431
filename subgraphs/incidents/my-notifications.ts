// What the one who asks is told of what they have reported.
import { HubError } from '@weft/core/errors';
import { type PageLimit, requirePageSize } from '../page-size.ts';
import type { Actor } from './actor.ts';
import type { Notification, Prisma, PrismaClient } from './generated/client.ts';
import { isIncidentId } from './identity.ts';

export interface MyNotificationsArguments {
  readonly first: number | null;
  readonly after?: string | null;
}

export interface NotificationPage {
  readonly edges: readonly { readonly cursor: string; readonly node: Notification }[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
}

const PAGE: PageLimit = { name: 'myNotificationsMax', itemsMax: 200, itemsUsual: 20 };

/**
 * The latest first.
 * @throws HubError UNAUTHENTICATED for the anonymous; BAD_USER_INPUT, LIMIT_EXCEEDED, INVALID_CURSOR
 */
export async function listMyNotifications(
  prisma: PrismaClient,
  { key: subject }: Actor,
  { first, after }: MyNotificationsArguments,
): Promise<NotificationPage> {
  if (subject === undefined)
    throw new HubError('UNAUTHENTICATED', 'myNotifications is for who gives credentials: give some');
  const size = requirePageSize(first, PAGE);
  const behind = after === undefined || after === null ? {} : behindFilter(decodeCursor(after));
  const rows = await prisma.notification.findMany({
    where: { AND: [{ reporter: { subject } }, behind] },
    orderBy: [{ createdAt: 'desc' }, { incidentId: 'asc' }, { sequence: 'asc' }, { reportId: 'asc' }],
    take: size + 1,
  });
  const edges = rows.slice(0, size).map((node) => ({ cursor: encodeCursor(node), node }));
  const pageInfo = { hasNextPage: rows.length > size, endCursor: edges.at(-1)?.cursor ?? null };
  return { edges, pageInfo };
}

/** Of a report they are one of those who told it: number 1, so that a report is one place. */
type Place = Pick<Notification, 'createdAt' | 'incidentId' | 'sequence' | 'reportId'>;

function behindFilter({ createdAt, incidentId, sequence, reportId }: Place): Prisma.NotificationWhereInput {
  return {
    OR: [
      { createdAt: { lt: createdAt } },
      { createdAt, incidentId: { gt: incidentId } },
      { createdAt, incidentId, sequence: { gt: sequence } },
      { createdAt, incidentId, sequence, reportId: { gt: reportId } },
    ],
  };
}

const CURSOR_LENGTH_MAX = 300;
const CURSOR = /^1 (\d{1,16}) (\S{36}) (\d{1,9}) (\S{36})$/;

function encodeCursor({ createdAt, incidentId, sequence, reportId }: Place): string {
  const text = `1 ${createdAt.getTime()} ${incidentId} ${sequence} ${reportId}`;
  return Buffer.from(text).toString('base64url');
}

function decodeCursor(cursor: string): Place {
  const text = cursor.length > CURSOR_LENGTH_MAX ? '' : Buffer.from(cursor, 'base64url').toString('utf8');
  const [, time, incidentId = '', sequence, reportId = ''] = CURSOR.exec(text) ?? [];
  const createdAt = new Date(Number(time));
  if (isIncidentId(incidentId) && isIncidentId(reportId) && !Number.isNaN(createdAt.getTime()))
    return { createdAt, incidentId, sequence: Number(sequence), reportId };
  throw new HubError('INVALID_CURSOR', 'after: not a cursor of notifications', {
    details: { argument: 'after' },
  });
}
