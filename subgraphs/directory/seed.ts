// Puts the divisions, centres, departments, posts and workers that come with the program into an empty or older store, once.
import type { Logger } from '@weft/core/logger';
import { TRANSACTION_LIMITS } from '../store.ts';
import { centresOf } from './centres.ts';
import { DEPARTMENTS } from './departments.ts';
import { DIVISIONS_VERSION, readDivisions } from './divisions.ts';
import type { Prisma, PrismaClient } from './generated/client.ts';
import { POSTS } from './posts.ts';
import { type WorkerRow, workersOf } from './workers.ts';

const SEED_NAME = 'directory';
/** Raised when the centres, departments, posts or workers change. */
const SEED_VERSION = `2; ${DIVISIONS_VERSION}`;
/** Keeps two processes from seeding at once; any number that no other lock of the database uses. */
const SEED_LOCK = 320_508_001;

/** Does nothing when the stored version is the program's. All or nothing, in one transaction. */
export async function seedDirectory(prisma: PrismaClient, logger: Logger): Promise<void> {
  if (await isSeeded(prisma)) return;
  await prisma.$transaction(async (tx) => {
    await lockSeed(tx);
    if (await isSeeded(tx)) return;
    const divisions = readDivisions();
    await putDivisions(tx, divisions);
    const centres = centresOf(divisions);
    await putCentres(tx, centres);
    for (const department of DEPARTMENTS) {
      await tx.department.upsert({
        where: { code: department.code },
        create: department,
        update: department,
      });
    }
    for (const post of POSTS)
      await tx.post.upsert({ where: { code: post.code }, create: post, update: post });
    await putWorkers(tx, workersOf(centres));
    const version = SEED_VERSION;
    await tx.seed.upsert({
      where: { name: SEED_NAME },
      create: { name: SEED_NAME, version },
      update: { version },
    });
    logger.info({ divisions: divisions.length, version }, 'directory seeded');
  }, TRANSACTION_LIMITS);
}

/** Until the transaction ends nobody else seeds. */
export async function lockSeed(tx: Prisma.TransactionClient): Promise<void> {
  await tx.$queryRaw`SELECT pg_advisory_xact_lock(${SEED_LOCK})::text`;
}

async function isSeeded(prisma: Prisma.TransactionClient): Promise<boolean> {
  const seed = await prisma.seed.findUnique({ where: { name: SEED_NAME } });
  return seed?.version === SEED_VERSION;
}

/** One statement: ten thousand rows as rows of their own parameters would pass PostgreSQL's limit of 65,535. */
async function putDivisions(
  tx: Prisma.TransactionClient,
  rows: ReturnType<typeof readDivisions>,
): Promise<void> {
  await tx.$executeRaw`
    INSERT INTO directory.division (code, name, level, parent_code, ancestor_codes)
    SELECT code, name, level, "parentCode", "ancestorCodes"
    FROM json_to_recordset(${JSON.stringify(rows)}::json)
      AS row(code text, name text, level int, "parentCode" text, "ancestorCodes" text[])
    ON CONFLICT (code) DO UPDATE SET name = excluded.name, level = excluded.level,
      parent_code = excluded.parent_code, ancestor_codes = excluded.ancestor_codes`;
}

async function putCentres(tx: Prisma.TransactionClient, rows: ReturnType<typeof centresOf>): Promise<void> {
  await tx.$executeRaw`
    INSERT INTO directory.centre (code, name, level, division_code, parent_code)
    SELECT code, name, level, "divisionCode", "parentCode"
    FROM json_to_recordset(${JSON.stringify(rows)}::json)
      AS row(code text, name text, level int, "divisionCode" text, "parentCode" text)
    ON CONFLICT (code) DO UPDATE SET name = excluded.name, level = excluded.level,
      division_code = excluded.division_code, parent_code = excluded.parent_code`;
}

/** Of a worker that is there already the posts become those given, no more. */
export async function putWorkers(tx: Prisma.TransactionClient, rows: readonly WorkerRow[]): Promise<void> {
  await tx.$executeRaw`
    INSERT INTO directory.worker (number, name, phone, is_grid_worker, division_code, centre_code, department_code)
    SELECT number, name, phone, "isGridWorker", "divisionCode", "centreCode", "departmentCode"
    FROM json_to_recordset(${JSON.stringify(rows)}::json)
      AS row(number text, name text, phone text, "isGridWorker" boolean, "divisionCode" text, "centreCode" text, "departmentCode" text)
    ON CONFLICT (number) DO UPDATE SET name = excluded.name, phone = excluded.phone, is_grid_worker = excluded.is_grid_worker,
      division_code = excluded.division_code, centre_code = excluded.centre_code, department_code = excluded.department_code`;
  const held = rows.flatMap(({ number, posts }) => posts.map((post) => ({ number, post })));
  await tx.$executeRaw`
    DELETE FROM directory.worker_post
    WHERE worker_number IN (SELECT number FROM json_to_recordset(${JSON.stringify(rows)}::json) AS row(number text))`;
  await tx.$executeRaw`
    INSERT INTO directory.worker_post (worker_number, post_code)
    SELECT number, post FROM json_to_recordset(${JSON.stringify(held)}::json) AS row(number text, post text)`;
}
