// The subgraph directory: divisions, centres, departments, posts, workers.
import type { Logger } from '@weft/core/logger';
import type { OwnedSubgraph } from '../owned-subgraph.ts';
import { readPrincipal } from '../principal.ts';
import { openStore } from '../store.ts';
import { addToDirectory, readAdditions } from './additions.ts';
import { PrismaClient } from './generated/client.ts';
import { likeDepartments, type NamedDepartment } from './like-departments.ts';
import { createDirectoryLoaders } from './loaders.ts';
import { createDirectoryResolvers } from './resolvers.ts';
import { seedDirectory } from './seed.ts';

/** Departments that are looked through for those that are like a text. */
const LIKE_OF_MAX = 1_000;

/** Of divisions, or of centres. */
interface Known {
  /** Whether there is one of that code. */
  has(code: string): Promise<boolean>;
}

/** The directory, and what its siblings may ask it without the graph. */
export interface OpenDirectory extends OwnedSubgraph {
  readonly divisions: Known;
  readonly centres: Known;
  readonly departments: Known & {
    /** Those that somebody may have meant by what is the code of none, the likest first; a few. */
    like(text: string): Promise<readonly NamedDepartment[]>;
  };
}

/**
 * Opens the store and seeds it when it is new.
 * @param additionsFile the setting WEFT_DIRECTORY_FILE
 * @throws OperatorError for what is wrong in that file
 */
export async function openDirectory(
  databaseUrl: string,
  logger: Logger,
  additionsFile?: string | undefined,
): Promise<OpenDirectory> {
  const additions = readAdditions(additionsFile);
  const prisma = new PrismaClient({ adapter: openStore(databaseUrl, 'directory', logger) });
  try {
    await seedDirectory(prisma, logger);
    await addToDirectory(prisma, additions);
  } catch (thrown) {
    await prisma.$disconnect();
    throw thrown;
  }
  return {
    name: 'directory',
    title: '区划与机构目录',
    sdlFile: new URL('./schema.graphql', import.meta.url),
    resolvers: createDirectoryResolvers(prisma),
    createContext: (principal) => ({
      loaders: createDirectoryLoaders(prisma),
      principal: readPrincipal(principal),
    }),
    divisions: { has: knows((code) => prisma.division.findUnique({ where: { code } })) },
    centres: { has: knows((code) => prisma.centre.findUnique({ where: { code } })) },
    departments: {
      has: knows((code) => prisma.department.findUnique({ where: { code } })),
      like: async (text) =>
        likeDepartments(
          text,
          await prisma.department.findMany({ orderBy: { code: 'asc' }, take: LIKE_OF_MAX }),
        ),
    },
    close: () => prisma.$disconnect(),
  };
}

/** They are added and never taken away: what was found once need not be looked for again. */
function knows(find: (code: string) => PromiseLike<object | null>): (code: string) => Promise<boolean> {
  const known = new Set<string>();
  return async (code) => {
    if (known.has(code)) return true;
    if ((await find(code)) === null) return false;
    known.add(code);
    return true;
  };
}
