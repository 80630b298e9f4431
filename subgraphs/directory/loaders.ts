// One loader a kind of key and request: whatever a query asks of a list goes to PostgreSQL as one statement.
import DataLoader from 'dataloader';
import type { Centre, Department, Division, PrismaClient } from './generated/client.ts';

/** The children of one division, at most `first` of them. */
export interface ChildrenKey {
  readonly parent: string;
  readonly first: number;
}

export interface DirectoryLoaders {
  readonly divisions: DataLoader<string, Division | null>;
  readonly children: DataLoader<ChildrenKey, readonly Division[], string>;
  readonly centres: DataLoader<string, Centre | null>;
  /** By the code of their division. */
  readonly centresOfDivisions: DataLoader<string, Centre | null>;
  readonly departments: DataLoader<string, Department | null>;
}

/** Keys in one statement, at the most. */
const BATCH_KEYS_MAX = 1_000;

/** Loaders for one request: what they have read is forgotten with it. */
export function createDirectoryLoaders(prisma: PrismaClient): DirectoryLoaders {
  return {
    divisions: byKey(
      (codes) => prisma.division.findMany({ where: { code: { in: codes } } }),
      (row) => row.code,
    ),
    centres: byKey(
      (codes) => prisma.centre.findMany({ where: { code: { in: codes } } }),
      (row) => row.code,
    ),
    centresOfDivisions: byKey(
      (codes) => prisma.centre.findMany({ where: { divisionCode: { in: codes } } }),
      (row) => row.divisionCode,
    ),
    departments: byKey(
      (codes) => prisma.department.findMany({ where: { code: { in: codes } } }),
      (row) => row.code,
    ),
    children: new DataLoader((keys: readonly ChildrenKey[]) => loadChildren(prisma, keys), {
      maxBatchSize: BATCH_KEYS_MAX,
      cacheKeyFn: ({ parent, first }) => `${first} ${parent}`,
    }),
  };
}

function byKey<Row>(
  load: (keys: string[]) => Promise<Row[]>,
  keyOf: (row: Row) => string,
): DataLoader<string, Row | null> {
  return new DataLoader(
    async (keys) => {
      const rows = new Map((await load([...keys])).map((row) => [keyOf(row), row]));
      return keys.map((key) => rows.get(key) ?? null);
    },
    { maxBatchSize: BATCH_KEYS_MAX },
  );
}

/** The limit holds for each parent by itself, hence LATERAL. */
async function loadChildren(
  prisma: PrismaClient,
  keys: readonly ChildrenKey[],
): Promise<(readonly Division[])[]> {
  const rows = await prisma.$queryRaw<(Division & { place: number })[]>`
    SELECT asked.place::int AS place, child.*
    FROM json_to_recordset(${JSON.stringify(keys.map((key, place) => ({ ...key, place })))}::json)
      AS asked(parent text, first int, place int)
    CROSS JOIN LATERAL (
      SELECT code, name, level, parent_code AS "parentCode", ancestor_codes AS "ancestorCodes"
      FROM directory.division WHERE parent_code = asked.parent ORDER BY code LIMIT asked.first
    ) child
    ORDER BY asked.place, child.code`;
  const lists = keys.map((): Division[] => []);
  for (const { place, ...division } of rows) lists[place]?.push(division);
  return lists;
}
