// Resolvers of the subgraph directory.
import { requirePageSize } from '../page-size.ts';
import type { Principal } from '../principal.ts';
import type { Centre, Department, Division, PrismaClient, Worker } from './generated/client.ts';
import type { DirectoryLoaders } from './loaders.ts';
import { LIST_LIMIT, listWorkers, type PageArguments, workersOfPlace } from './worker-pages.ts';

export interface DirectoryContext {
  readonly loaders: DirectoryLoaders;
  /** Undefined for the anonymous. */
  readonly principal?: Principal | undefined;
}

interface CodeArguments {
  readonly code: string;
}
interface DivisionsArguments {
  readonly parent?: string | null;
  readonly level?: number | null;
  readonly first: number | null;
}
interface CentresArguments {
  readonly parent?: string | null;
  readonly first: number | null;
}

/** Resolvers over one Prisma client; lists go to it directly, everything by key through the request's loaders. */
export function createDirectoryResolvers(prisma: PrismaClient) {
  return {
    Query: {
      division: (_: unknown, { code }: CodeArguments, { loaders }: DirectoryContext) =>
        loaders.divisions.load(code),
      divisions: (_: unknown, args: DivisionsArguments) => listDivisions(prisma, args),
      centre: (_: unknown, { code }: CodeArguments, { loaders }: DirectoryContext) =>
        loaders.centres.load(code),
      centres: (_: unknown, { parent, first }: CentresArguments) =>
        prisma.centre.findMany({
          where: { parentCode: parent ?? null },
          orderBy: { code: 'asc' },
          take: requireListSize(first),
        }),
      department: (_: unknown, { code }: CodeArguments, { loaders }: DirectoryContext) =>
        loaders.departments.load(code),
      departments: (_: unknown, { first }: { readonly first: number | null }) =>
        prisma.department.findMany({ orderBy: { code: 'asc' }, take: requireListSize(first) }),
      posts: (_: unknown, { first }: { readonly first: number | null }) =>
        prisma.post.findMany({ orderBy: { code: 'asc' }, take: requireListSize(first) }),
      worker: (_: unknown, { number }: { readonly number: string }, { loaders }: DirectoryContext) =>
        loadWorker(loaders, number),
      workers: (_: unknown, args: Parameters<typeof listWorkers>[1]) => listWorkers(prisma, args),
      me: (_: unknown, __: unknown, { principal }: DirectoryContext) => principal ?? null,
    },
    Division: divisionResolvers,
    Centre: centreResolvers,
    Department: departmentResolvers,
    Post: {
      __resolveReference: ({ code }: CodeArguments) => prisma.post.findUnique({ where: { code } }),
    },
    Worker: workerResolvers,
    Me: meResolvers,
  };
}

const departmentResolvers = {
  __resolveReference: ({ code }: CodeArguments, { loaders }: DirectoryContext): Promise<Department | null> =>
    loaders.departments.load(code),
  workers: ({ code }: Department, args: PageArguments, { loaders }: DirectoryContext) =>
    workersOfPlace(loaders, { of: 'department', code }, args),
};

const workerResolvers = {
  __resolveReference: ({ number }: Pick<Worker, 'number'>, { loaders }: DirectoryContext) =>
    loadWorker(loaders, number),
  division: ({ divisionCode }: Worker, _: unknown, { loaders }: DirectoryContext) =>
    loaders.divisions.load(divisionCode),
  centre: ({ centreCode }: Worker, _: unknown, { loaders }: DirectoryContext) =>
    centreCode === null ? null : loaders.centres.load(centreCode),
  department: ({ departmentCode }: Worker, _: unknown, { loaders }: DirectoryContext) =>
    departmentCode === null ? null : loaders.departments.load(departmentCode),
  posts: ({ number }: Worker, _: unknown, { loaders }: DirectoryContext) => loaders.postsOf.load(number),
  roles: async ({ number }: Worker, _: unknown, { loaders }: DirectoryContext) => [
    ...new Set((await loaders.postsOf.load(number)).map(({ role }) => role)),
  ],
  gridWorker: ({ number, isGridWorker }: Worker) => (isGridWorker ? { id: number } : null),
};

const meResolvers = {
  worker: ({ subject }: Principal, _: unknown, { loaders }: DirectoryContext) =>
    subject === undefined ? null : loadWorker(loaders, subject),
  division: ({ division }: Principal, _: unknown, { loaders }: DirectoryContext) =>
    division === undefined ? null : loaders.divisions.load(division),
  department: ({ department }: Principal, _: unknown, { loaders }: DirectoryContext) =>
    department === undefined ? null : loaders.departments.load(department),
};

/** A subject may be any text: a NUL cannot be sent to PostgreSQL. */
function loadWorker(loaders: DirectoryLoaders, number: string): Promise<Worker | null> {
  return number.includes('\0') ? Promise.resolve(null) : loaders.workers.load(number);
}

const divisionResolvers = {
  __resolveReference: ({ code }: CodeArguments, { loaders }: DirectoryContext) =>
    loaders.divisions.load(code),
  levelName: ({ level }: Division) => LEVEL_NAMES[level] ?? `${level}级`,
  parent: ({ parentCode }: Division, _: unknown, { loaders }: DirectoryContext) =>
    parentCode === null ? null : loaders.divisions.load(parentCode),
  ancestors: (division: Division, _: unknown, { loaders }: DirectoryContext) =>
    loadAncestors(division, loaders),
  fullName: async (division: Division, _: unknown, { loaders }: DirectoryContext) =>
    [...(await loadAncestors(division, loaders)), division].map(({ name }) => name).join(''),
  children: (
    { code }: Division,
    { first }: { readonly first: number | null },
    { loaders }: DirectoryContext,
  ) => loaders.children.load({ parent: code, first: requireListSize(first) }),
  centre: (division: Division, _: unknown, { loaders }: DirectoryContext) =>
    loadNearestCentre(division, loaders),
};

const centreResolvers = {
  __resolveReference: ({ code }: CodeArguments, { loaders }: DirectoryContext) => loaders.centres.load(code),
  division: ({ divisionCode }: Centre, _: unknown, { loaders }: DirectoryContext) =>
    loaders.divisions.load(divisionCode),
  parent: ({ parentCode }: Centre, _: unknown, { loaders }: DirectoryContext) =>
    parentCode === null ? null : loaders.centres.load(parentCode),
  children: ({ code }: Centre, { first }: { readonly first: number | null }, { loaders }: DirectoryContext) =>
    loaders.childCentres.load({ parent: code, first: requireListSize(first) }),
  workers: ({ code }: Centre, args: PageArguments, { loaders }: DirectoryContext) =>
    workersOfPlace(loaders, { of: 'centre', code }, args),
};

/** As the statistical standards name the levels; what lies below is named locally. */
const LEVEL_NAMES: Readonly<Record<number, string>> = {
  1: '省级',
  2: '地级',
  3: '县级',
  4: '乡级',
  5: '村级',
};

function requireListSize(first: number | null): number {
  return requirePageSize(first, LIST_LIMIT);
}

/** With both a parent and a level: those of that level anywhere below the parent. With neither: the highest ones. */
function listDivisions(
  prisma: PrismaClient,
  { parent, level, first }: DivisionsArguments,
): Promise<Division[]> {
  const below = parent ?? null;
  const where =
    level === undefined || level === null
      ? { parentCode: below }
      : below === null
        ? { level }
        : { level, ancestorCodes: { has: below } };
  return prisma.division.findMany({ where, orderBy: { code: 'asc' }, take: requireListSize(first) });
}

async function loadAncestors({ ancestorCodes }: Division, loaders: DirectoryLoaders): Promise<Division[]> {
  const ancestors = await Promise.all(ancestorCodes.map((code) => loaders.divisions.load(code)));
  return ancestors.filter((division) => division !== null);
}

async function loadNearestCentre(
  { code, ancestorCodes }: Division,
  loaders: DirectoryLoaders,
): Promise<Centre | null> {
  const chain = [...ancestorCodes, code];
  const centres = await Promise.all(chain.map((each) => loaders.centresOfDivisions.load(each)));
  return centres.findLast((centre) => centre !== null) ?? null;
}
