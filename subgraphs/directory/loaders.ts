// One loader a kind of key and request: whatever a query asks of a list goes to PostgreSQL as one statement.
import DataLoader from 'dataloader';
import type { Centre, Department, Division, Post, PrismaClient, Worker } from './generated/client.ts';

/** The children of one division, at most `first` of them. */
export interface ChildrenKey {
  readonly parent: string;
  readonly first: number;
}

/** The workers of one place, at most `first` of them, whose numbers come after. */
export interface WorkersKey {
  /** Of which its code is. */
  readonly of: 'centre' | 'department';
  readonly code: string;
  readonly first: number;
  readonly after: string;
}

export interface DirectoryLoaders {
  readonly divisions: DataLoader<string, Division | null>;
  readonly children: DataLoader<ChildrenKey, readonly Division[], string>;
  readonly centres: DataLoader<string, Centre | null>;
  /** By the code of their division. */
  readonly centresOfDivisions: DataLoader<string, Centre | null>;
  readonly departments: DataLoader<string, Department | null>;
  readonly childCentres: DataLoader<ChildrenKey, readonly Centre[], string>;
  readonly workers: DataLoader<string, Worker | null>;
  /** By the number of the worker, in the order of their codes. */
  readonly postsOf: DataLoader<string, readonly Post[]>;
  readonly workersOf: DataLoader<WorkersKey, readonly Worker[], string>;
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
    workers: byKey(
      (numbers) => prisma.worker.findMany({ where: { number: { in: numbers } } }),
      (row) => row.number,
    ),
    postsOf: new DataLoader((numbers: readonly string[]) => loadPosts(prisma, numbers), {
      maxBatchSize: BATCH_KEYS_MAX,
    }),
    workersOf: new DataLoader((keys: readonly WorkersKey[]) => loadWorkers(prisma, keys), {
      maxBatchSize: BATCH_KEYS_MAX,
      cacheKeyFn: ({ of, code, first, after }) => JSON.stringify([of, code, first, after]),
    }),
    childCentres: new DataLoader((keys: readonly ChildrenKey[]) => loadChildCentres(prisma, keys), {
      maxBatchSize: BATCH_KEYS_MAX,
      cacheKeyFn: ({ parent, first }) => `${first} ${parent}`,
    }),
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

async function loadChildCentres(
  prisma: PrismaClient,
  keys: readonly ChildrenKey[],
): Promise<(readonly Centre[])[]> {
  const rows = await prisma.$queryRaw<(Centre & { place: number })[]>`
    SELECT asked.place::int AS place, child.*
    FROM json_to_recordset(${JSON.stringify(keys.map((key, place) => ({ ...key, place })))}::json)
      AS asked(parent text, first int, place int)
    CROSS JOIN LATERAL (
      SELECT code, name, level, division_code AS "divisionCode", parent_code AS "parentCode"
      FROM directory.centre WHERE parent_code = asked.parent ORDER BY code LIMIT asked.first
    ) child
    ORDER BY asked.place, child.code`;
  const lists = keys.map((): Centre[] => []);
  for (const { place, ...centre } of rows) lists[place]?.push(centre);
  return lists;
}

async function loadPosts(prisma: PrismaClient, numbers: readonly string[]): Promise<(readonly Post[])[]> {
  const held = await prisma.workerPost.findMany({
    where: { workerNumber: { in: [...numbers] } },
    include: { post: true },
    orderBy: { postCode: 'asc' },
  });
  const lists = new Map(numbers.map((number): [string, Post[]] => [number, []]));
  for (const { workerNumber, post } of held) lists.get(workerNumber)?.push(post);
  return numbers.map((number) => lists.get(number) ?? []);
}

async function loadWorkers(
  prisma: PrismaClient,
  keys: readonly WorkersKey[],
): Promise<(readonly Worker[])[]> {
  const asked = JSON.stringify(keys.map((key, place) => ({ ...key, place })));
  const rows = await prisma.$queryRaw<(Worker & { place: number })[]>`
    SELECT asked.place::int AS place, worker.*
    FROM json_to_recordset(${asked}::json) AS asked("of" text, code text, first int, after text, place int)
    CROSS JOIN LATERAL (
      (SELECT * FROM directory.worker WHERE asked."of" = 'centre' AND centre_code = asked.code AND number > asked.after
       ORDER BY number LIMIT asked.first)
      UNION ALL
      (SELECT * FROM directory.worker WHERE asked."of" = 'department' AND department_code = asked.code AND number > asked.after
       ORDER BY number LIMIT asked.first)
    ) found
    CROSS JOIN LATERAL (
      SELECT found.number, found.name, found.phone, found.is_grid_worker AS "isGridWorker", found.division_code AS "divisionCode",
        found.centre_code AS "centreCode", found.department_code AS "departmentCode"
    ) worker
    ORDER BY asked.place, worker.number`;
  const lists = keys.map((): Worker[] => []);
  for (const { place, ...worker } of rows) lists[place]?.push(worker);
  return lists;
}
