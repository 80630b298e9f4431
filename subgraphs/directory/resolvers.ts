// Resolvers of the subgraph directory.
import { requirePageSize } from '../page-size.ts';
import type { Centre, Department, Division, PrismaClient } from './generated/client.ts';
import type { DirectoryLoaders } from './loaders.ts';

/** Of every list of the directory. */
const LIST_LIMIT = { name: 'LIST_ITEMS_MAX', itemsMax: 500, itemsUsual: 100 };

export interface DirectoryContext {
  readonly loaders: DirectoryLoaders;
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
    },
    Division: divisionResolvers,
    Centre: centreResolvers,
    Department: {
      __resolveReference: (
        { code }: CodeArguments,
        { loaders }: DirectoryContext,
      ): Promise<Department | null> => loaders.departments.load(code),
    },
  };
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
