// Pages of workers, cut by their numbers.
import { HubError } from '@weft/core/errors';
import { requirePageSize } from '../page-size.ts';
import type { PrismaClient, Worker } from './generated/client.ts';
import type { DirectoryLoaders, WorkersKey } from './loaders.ts';

/** Of every list of the directory. */
export const LIST_LIMIT = { name: 'LIST_ITEMS_MAX', itemsMax: 500, itemsUsual: 100 };
const CODE_LENGTH_MAX = 64;
const CURSOR_LENGTH_MAX = 400;
const CURSOR_VERSION = '1';

export interface PageArguments {
  readonly first: number | null;
  readonly after?: string | null;
}

/** WorkerConnection. */
export interface WorkerPage {
  readonly edges: readonly { readonly cursor: string; readonly node: Worker }[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
}

/** One page of who belongs to a centre or a department; those of many go to the store as one statement. */
export async function workersOfPlace(
  loaders: DirectoryLoaders,
  place: Pick<WorkersKey, 'of' | 'code'>,
  args: PageArguments,
): Promise<WorkerPage> {
  const { first, after } = readPage(args);
  return pageOf(await loaders.workersOf.load({ ...place, first: first + 1, after }), first);
}

/**
 * One page of the workers of a division and what lies below it, of a department, or of all.
 * @throws HubError LIMIT_EXCEEDED, BAD_USER_INPUT, INVALID_CURSOR
 */
export async function listWorkers(
  prisma: PrismaClient,
  args: PageArguments & { readonly division?: string | null; readonly department?: string | null },
): Promise<WorkerPage> {
  const { first, after } = readPage(args);
  const division = args.division ?? null;
  const department = args.department ?? null;
  for (const [argument, code] of Object.entries({ division, department }))
    if (code !== null && !isCode(code))
      throw new HubError('BAD_USER_INPUT', `${argument}: expected a code of letters, digits and hyphens`, {
        details: { argument },
      });
  const rows = await prisma.worker.findMany({
    where: {
      number: { gt: after },
      ...(division === null ? {} : { divisionCode: { startsWith: division } }),
      ...(department === null ? {} : { departmentCode: department }),
    },
    orderBy: { number: 'asc' },
    take: first + 1,
  });
  return pageOf(rows, first);
}

function isCode(code: string): boolean {
  return code.length <= CODE_LENGTH_MAX && /^[A-Za-z0-9-]+$/.test(code);
}

/** One more than asked for tells whether there is a next page. */
function pageOf(rows: readonly Worker[], first: number): WorkerPage {
  const edges = rows.slice(0, first).map((node) => ({ cursor: encodeCursor(node.number), node }));
  return {
    edges,
    pageInfo: { hasNextPage: rows.length > first, endCursor: edges.at(-1)?.cursor ?? null },
  };
}

function readPage({ first, after }: PageArguments): { readonly first: number; readonly after: string } {
  return { first: requirePageSize(first, LIST_LIMIT), after: after ? decodeCursor(after) : '' };
}

function encodeCursor(number: string): string {
  return Buffer.from(`${CURSOR_VERSION} ${number}`).toString('base64url');
}

function decodeCursor(cursor: string): string {
  const text = cursor.length > CURSOR_LENGTH_MAX ? '' : Buffer.from(cursor, 'base64url').toString('utf8');
  if (text.startsWith(`${CURSOR_VERSION} `) && !text.includes('\0'))
    return text.slice(CURSOR_VERSION.length + 1);
  throw new HubError('INVALID_CURSOR', 'after: not a cursor of workers', {
    details: { argument: 'after' },
  });
}
