// One loader a kind of key and request: whatever a query asks of a list goes to PostgreSQL as one statement.
import DataLoader from 'dataloader';
import { findSimilar, type Similar } from './duplicates.ts';
import type {
  Attachment,
  AttachmentReference,
  Attempt,
  CoHandler,
  ExternalNumber,
  Incident,
  IncidentStep,
  Notification,
  PrismaClient,
  Progress,
  Reporter,
} from './generated/client.ts';
import { isIncidentId } from './identity.ts';

/** What a step refers to, with what it is. */
export type LoadedAttachment = AttachmentReference & { readonly attachment: Attachment };

type Lists<Row> = DataLoader<string, readonly Row[]>;

export interface IncidentLoaders {
  readonly incidents: DataLoader<string, Incident | null>;
  readonly externalNumbers: Lists<ExternalNumber>;
  readonly steps: Lists<IncidentStep>;
  readonly attempts: Lists<Attempt>;
  readonly reporters: Lists<Reporter>;
  /** By `<report> <number>`. */
  readonly reporterOf: DataLoader<string, Reporter | null>;
  readonly coHandlers: Lists<CoHandler>;
  readonly notifications: Lists<Notification>;
  readonly problems: Lists<Progress>;
  readonly similar: Lists<Similar>;
  readonly attachments: Lists<LoadedAttachment>;
}

/** Keys in one statement, at the most. */
const BATCH_KEYS_MAX = 1_000;

/** Loaders for one request: what they have read is forgotten with it. */
export function createIncidentLoaders(prisma: PrismaClient): IncidentLoaders {
  const of = (ids: readonly string[]) => ({ incidentId: { in: [...ids] } });
  return {
    incidents: new DataLoader((ids: readonly string[]) => loadIncidents(prisma, ids), {
      maxBatchSize: BATCH_KEYS_MAX,
    }),
    externalNumbers: listsByIncident((ids) =>
      prisma.externalNumber.findMany({ where: of(ids), orderBy: [{ kind: 'asc' }, { number: 'asc' }] }),
    ),
    steps: listsByIncident((ids) =>
      prisma.incidentStep.findMany({ where: of(ids), orderBy: { sequence: 'asc' } }),
    ),
    attempts: listsByIncident((ids) =>
      prisma.attempt.findMany({ where: of(ids), orderBy: { number: 'asc' } }),
    ),
    reporters: listsByIncident((ids) =>
      prisma.reporter.findMany({
        where: of(ids),
        orderBy: [{ reportedAt: 'asc' }, { reportId: 'asc' }, { number: 'asc' }],
      }),
    ),
    reporterOf: new DataLoader((keys: readonly string[]) => loadReporters(prisma, keys), {
      maxBatchSize: BATCH_KEYS_MAX,
    }),
    coHandlers: listsByIncident((ids) =>
      prisma.coHandler.findMany({ where: of(ids), orderBy: [{ addedAt: 'asc' }, { department: 'asc' }] }),
    ),
    notifications: listsByIncident((ids) =>
      prisma.notification.findMany({
        where: of(ids),
        orderBy: [{ sequence: 'asc' }, { reportId: 'asc' }, { number: 'asc' }],
      }),
    ),
    attachments: listsByIncident((ids) =>
      prisma.attachmentReference.findMany({
        where: of(ids),
        orderBy: [{ sequence: 'asc' }, { position: 'asc' }],
        include: { attachment: true },
      }),
    ),
    problems: lists(
      (ids) =>
        prisma.progress.findMany({
          where: { ...of(ids), problem: { not: null } },
          orderBy: { sequence: 'asc' },
        }),
      ({ incidentId }) => incidentId ?? '',
    ),
    similar: lists(
      (ids) => findSimilar(prisma, ids),
      ({ of: id }) => id,
    ),
  };
}

async function loadIncidents(prisma: PrismaClient, ids: readonly string[]): Promise<(Incident | null)[]> {
  const known = ids.filter(isIncidentId);
  const rows = known.length === 0 ? [] : await prisma.incident.findMany({ where: { id: { in: known } } });
  const byId = new Map(rows.map((row) => [row.id, row]));
  return ids.map((id) => byId.get(id) ?? null);
}

async function loadReporters(prisma: PrismaClient, keys: readonly string[]): Promise<(Reporter | null)[]> {
  const reports = [...new Set(keys.map((key) => key.slice(0, key.indexOf(' '))))];
  const rows = await prisma.reporter.findMany({ where: { reportId: { in: reports } } });
  const byKey = new Map(rows.map((row) => [`${row.reportId} ${row.number}`, row]));
  return keys.map((key) => byKey.get(key) ?? null);
}

function listsByIncident<Row extends { readonly incidentId: string }>(
  load: (ids: readonly string[]) => Promise<readonly Row[]>,
): Lists<Row> {
  return lists(load, ({ incidentId }) => incidentId);
}

function lists<Row>(
  load: (ids: readonly string[]) => Promise<readonly Row[]>,
  idOf: (row: Row) => string,
): Lists<Row> {
  return new DataLoader(
    async (ids) => {
      const found = new Map(ids.map((id): [string, Row[]] => [id, []]));
      for (const row of await load(ids)) found.get(idOf(row))?.push(row);
      return ids.map((id) => found.get(id) ?? []);
    },
    { maxBatchSize: BATCH_KEYS_MAX },
  );
}
