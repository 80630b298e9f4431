// The subgraph incidents: the incident library (事件库) with its intake.
import type { Logger } from '@weft/core/logger';
import type { EventLog } from '@weft/events/event-log';
import type { OwnedSubgraph } from '../owned-subgraph.ts';
import { openStore } from '../store.ts';
import { PrismaClient } from './generated/client.ts';
import { startIntake } from './intake.ts';
import { createIncidentLoaders } from './loaders.ts';
import { createIncidentResolvers } from './resolvers.ts';

/** Opens the store and starts the intake of reports. */
export function openIncidents(databaseUrl: string, log: EventLog, logger: Logger): OwnedSubgraph {
  const prisma = new PrismaClient({ adapter: openStore(databaseUrl, 'incidents', logger) });
  const intake = startIntake(prisma, log, logger);
  return {
    name: 'incidents',
    title: '事件库',
    sdlFile: new URL('./schema.graphql', import.meta.url),
    resolvers: createIncidentResolvers(prisma),
    createContext: () => ({ loaders: createIncidentLoaders(prisma) }),
    close: async () => {
      await intake.close();
      await prisma.$disconnect();
    },
  };
}
