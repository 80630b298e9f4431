// What joins the departments and workers that come with the program: read from a file of the settings, put in at each start.
import { OperatorError } from '@weft/core/errors';
import { readJson } from '@weft/core/read-json';
import { z } from 'zod';
import { TRANSACTION_LIMITS } from '../store.ts';
import type { PrismaClient } from './generated/client.ts';
import { POSTS, type PostCode } from './posts.ts';
import { lockSeed, putWorkers } from './seed.ts';
import type { WorkerRow } from './workers.ts';

const SETTING = 'WEFT_DIRECTORY_FILE';
const DEPARTMENTS_MAX = 500;
const WORKERS_MAX = 20_000;
const TEXT_MAX = 200;

const text = z.string().trim().min(1).max(TEXT_MAX);
const department = z.strictObject({
  code: z.string().regex(/^[a-z0-9-]{1,64}$/, 'expected lower-case letters, digits and hyphens'),
  name: text,
  fullName: text,
});
const worker = z.strictObject({
  number: z.string().regex(/^[A-Za-z0-9_.@-]{1,64}$/, 'expected letters, digits and _ . @ -'),
  name: text,
  phone: text.optional(),
  division: z.string().regex(/^\d{2,12}$/, 'expected the digits of a division'),
  centre: z
    .string()
    .regex(/^\d{2,12}-\d{1,4}$/, 'expected a division, a hyphen and a number')
    .optional(),
  department: department.shape.code.optional(),
  posts: z.array(z.enum(POSTS.map(({ code }) => code) as [PostCode, ...PostCode[]])).max(POSTS.length),
});
const ADDITIONS = z.strictObject({
  departments: z.array(department).max(DEPARTMENTS_MAX).default([]),
  workers: z.array(worker).max(WORKERS_MAX).default([]),
});

type Additions = z.infer<typeof ADDITIONS>;

/** @throws OperatorError naming what is wrong in the file */
export function readAdditions(file: string | undefined): Additions {
  return file === undefined ? { departments: [], workers: [] } : readJson(SETTING, file, ADDITIONS);
}

/**
 * Puts them in, or brings them up to date; nothing that is there is taken away.
 * @throws OperatorError for a worker of a department that nobody knows
 */
export async function addToDirectory(
  prisma: PrismaClient,
  { departments, workers }: Additions,
): Promise<void> {
  if (departments.length === 0 && workers.length === 0) return;
  await prisma.$transaction(async (tx) => {
    await lockSeed(tx);
    for (const row of departments)
      await tx.department.upsert({ where: { code: row.code }, create: row, update: row });
    const known = new Set((await tx.department.findMany({ select: { code: true } })).map(({ code }) => code));
    const lost = workers.find((each) => each.department !== undefined && !known.has(each.department));
    if (lost !== undefined)
      throw new OperatorError(
        `${SETTING}: worker ${lost.number}: the directory has no department ${lost.department}`,
        { exitCode: 2 },
      );
    await putWorkers(tx, workers.map(rowOf));
  }, TRANSACTION_LIMITS);
}

function rowOf({
  number,
  name,
  phone,
  division,
  centre,
  department,
  posts,
}: z.infer<typeof worker>): WorkerRow {
  return {
    number,
    name,
    phone: phone ?? null,
    isGridWorker: false,
    divisionCode: division,
    centreCode: centre ?? null,
    departmentCode: department ?? null,
    posts: [...new Set(posts)],
  };
}
