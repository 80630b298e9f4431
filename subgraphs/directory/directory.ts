// The subgraph directory: divisions, centres, departments.
import type { Logger } from '@weft/core/logger';
import type { OwnedSubgraph } from '../owned-subgraph.ts';
import { openStore } from '../store.ts';
import { PrismaClient } from './generated/client.ts';
import { createDirectoryLoaders } from './loaders.ts';
import { createDirectoryResolvers } from './resolvers.ts';
import { seedDirectory } from './seed.ts';

/** Opens the store and seeds it when it is new. */
export async function openDirectory(databaseUrl: string, logger: Logger): Promise<OwnedSubgraph> {
  const prisma = new PrismaClient({ adapter: openStore(databaseUrl, 'directory', logger) });
  await seedDirectory(prisma, logger);
  return {
    name: 'directory',
    title: '区划与机构目录',
    sdlFile: new URL('./schema.graphql', import.meta.url),
    resolvers: createDirectoryResolvers(prisma),
    createContext: () => ({ loaders: createDirectoryLoaders(prisma) }),
    close: () => prisma.$disconnect(),
  };
}
