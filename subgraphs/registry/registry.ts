// The subgraph registry: which systems take part, and how they are.
import type { Logger } from '@weft/core/logger';
import type { EventLog } from '@weft/events/event-log';
import type { OwnedSubgraph } from '../owned-subgraph.ts';
import { openStore } from '../store.ts';
import { PrismaClient } from './generated/client.ts';
import { announcePresence, type Presence } from './presence.ts';
import { startProjection } from './projection.ts';
import { createRegistryLoaders, createRegistryResolvers } from './resolvers.ts';

/** The registry, which can also tell of the subgraphs that are served beside it. */
export interface Registry extends OwnedSubgraph {
  announce(systems: readonly { readonly name: string; readonly title: string }[]): Promise<Presence>;
}

/** Opens the store and starts the projection of the topic system. */
export function openRegistry(databaseUrl: string, log: EventLog, logger: Logger): Registry {
  const prisma = new PrismaClient({ adapter: openStore(databaseUrl, 'registry', logger) });
  const projection = startProjection(prisma, log, logger);
  return {
    name: 'registry',
    title: '系统登记',
    sdlFile: new URL('./schema.graphql', import.meta.url),
    resolvers: createRegistryResolvers(prisma),
    createContext: () => ({ loaders: createRegistryLoaders(prisma) }),
    announce: (systems) => announcePresence(prisma, systems, logger),
    close: async () => {
      await projection.close();
      await prisma.$disconnect();
    },
  };
}
