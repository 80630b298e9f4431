// One loader a kind of key and request: whatever a query asks of a list goes to PostgreSQL as one statement.
import DataLoader from 'dataloader';
import type { ExternalNumber, Incident, IncidentStep, PrismaClient } from './generated/client.ts';
import { isIncidentId } from './identity.ts';

export interface IncidentLoaders {
  readonly incidents: DataLoader<string, Incident | null>;
  readonly externalNumbers: DataLoader<string, readonly ExternalNumber[]>;
  readonly steps: DataLoader<string, readonly IncidentStep[]>;
}

/** Keys in one statement, at the most. */
const BATCH_KEYS_MAX = 1_000;

/** Loaders for one request: what they have read is forgotten with it. */
export function createIncidentLoaders(prisma: PrismaClient): IncidentLoaders {
  return {
    incidents: new DataLoader((ids: readonly string[]) => loadIncidents(prisma, ids), {
      maxBatchSize: BATCH_KEYS_MAX,
    }),
    externalNumbers: listsByIncident((ids) =>
      prisma.externalNumber.findMany({
        where: { incidentId: { in: ids } },
        orderBy: [{ kind: 'asc' }, { number: 'asc' }],
      }),
    ),
    steps: listsByIncident((ids) =>
      prisma.incidentStep.findMany({ where: { incidentId: { in: ids } }, orderBy: { sequence: 'asc' } }),
    ),
  };
}

async function loadIncidents(prisma: PrismaClient, ids: readonly string[]): Promise<(Incident | null)[]> {
  const known = ids.filter(isIncidentId);
  const rows = known.length === 0 ? [] : await prisma.incident.findMany({ where: { id: { in: known } } });
  const byId = new Map(rows.map((row) => [row.id, row]));
  return ids.map((id) => byId.get(id) ?? null);
}

function listsByIncident<Row extends { readonly incidentId: string }>(
  load: (ids: string[]) => Promise<Row[]>,
): DataLoader<string, readonly Row[]> {
  return new DataLoader(
    async (ids) => {
      const lists = new Map(ids.map((id): [string, Row[]] => [id, []]));
      for (const row of await load([...ids])) lists.get(row.incidentId)?.push(row);
      return ids.map((id) => lists.get(id) ?? []);
    },
    { maxBatchSize: BATCH_KEYS_MAX },
  );
}
