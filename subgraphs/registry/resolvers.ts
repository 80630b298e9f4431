// Resolvers of the subgraph registry.
import DataLoader from 'dataloader';
import { requirePageSize } from '../page-size.ts';
import { asRead } from './as-read.ts';
import type { PrismaClient, System } from './generated/client.ts';

/** Of every list of the registry. */
const LIST_LIMIT = { name: 'LIST_ITEMS_MAX', itemsMax: 500, itemsUsual: 100 };

export interface RegistryContext {
  readonly loaders: { readonly systems: DataLoader<string, System | null> };
}

interface NameArguments {
  readonly name: string;
}

/** Loaders for one request: what they have read is forgotten with it. */
export function createRegistryLoaders(prisma: PrismaClient): RegistryContext['loaders'] {
  return {
    systems: new DataLoader(async (names: readonly string[]) => {
      const rows = await prisma.system.findMany({ where: { name: { in: [...names] } } });
      const now = new Date();
      const byName = new Map(rows.map((row) => [row.name, asRead(row, now)]));
      return names.map((name) => byName.get(name) ?? null);
    }),
  };
}

export function createRegistryResolvers(prisma: PrismaClient) {
  return {
    Query: {
      systems: async (_: unknown, { first }: { readonly first: number | null }) => {
        const rows = await prisma.system.findMany({
          orderBy: { name: 'asc' },
          take: requirePageSize(first, LIST_LIMIT),
        });
        const now = new Date();
        return rows.map((row) => asRead(row, now));
      },
      system: (_: unknown, { name }: NameArguments, { loaders }: RegistryContext) =>
        loaders.systems.load(name),
    },
    System: {
      __resolveReference: ({ name }: NameArguments, { loaders }: RegistryContext) =>
        loaders.systems.load(name),
    },
  };
}
