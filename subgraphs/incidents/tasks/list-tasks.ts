// The list of what is the asker's to do: one page of the library's own incidents, and what old systems have for them between these.
import { HubError } from '@weft/core/errors';
import { requirePageSize } from '../../page-size.ts';
import type { Actor } from '../actor.ts';
import { visibleFilter } from '../authority.ts';
import type { Incident, Prisma, PrismaClient } from '../generated/client.ts';
import { governed } from '../governed.ts';
import { isIncidentId } from '../identity.ts';
import { isUrgency } from '../labels.ts';
import { OPEN_STATES } from '../state-machine.ts';
import { loadVisible, type Viewing } from '../visible.ts';
import { awaitedAction, awaitedFilters } from './awaited.ts';
import type { OldSystem, OldTask, TaskSource } from './sources.ts';
import { comparePlaces, decodePlace, encodePlace, type Task, type TaskPlace } from './task.ts';

const PAGE_LIMIT = { name: 'PAGE_TASKS_MAX', itemsMax: 200, itemsUsual: 50 };
/** Of a task of which nobody says when it was given. */
const UNKNOWN_TIME = new Date(0);

export interface TasksArguments {
  readonly first: number | null;
  readonly after?: string | null;
}

/** TaskConnection. */
export interface TaskPage {
  readonly edges: readonly { readonly cursor: string; readonly node: Task }[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
}

/**
 * One page of what the asker may see and has to do.
 * @param systems that were asked besides the library
 * @throws HubError LIMIT_EXCEEDED, BAD_USER_INPUT, INVALID_CURSOR
 */
export async function listTasks(
  prisma: PrismaClient,
  viewing: Viewing,
  systems: readonly OldSystem[],
  args: TasksArguments,
): Promise<TaskPage> {
  const first = requirePageSize(args.first, PAGE_LIMIT);
  const after = args.after ? readPlace(args.after) : undefined;
  const now = new Date();
  const [own, others] = await Promise.all([
    listOwn(prisma, viewing, { after, most: first + 1, now }),
    Promise.all(systems.map((system) => listOld(prisma, viewing, system))),
  ]);
  const behind = others.flat().filter((task) => after === undefined || comparePlaces(task, after) > 0);
  const all = [...own, ...behind].sort(comparePlaces);
  const edges = all.slice(0, first).map((node) => ({ cursor: encodePlace(node), node }));
  return {
    edges,
    pageInfo: { hasNextPage: all.length > first, endCursor: edges.at(-1)?.cursor ?? null },
  };
}

/** The library as a source: counted when that is asked for. */
export function librarySource(prisma: PrismaClient, actor: Actor, at: Date): TaskSource {
  const awaited = awaitedFilters(actor, at);
  let counted: Promise<number> | undefined;
  const count = async () =>
    awaited.length === 0
      ? 0
      : await prisma.incident.count({ where: { AND: [visibleFilter(actor), { OR: [...awaited] }] } });
  // The rows of a page have one source between them: it is counted once.
  const tasks = () => {
    counted ??= count();
    return counted;
  };
  return { system: { name: LIBRARY }, answered: true, asOf: at, tasks, truncated: false };
}

const LIBRARY = 'incidents';

function readPlace(cursor: string): TaskPlace {
  const place = decodePlace(cursor);
  if (place.kind !== 'INCIDENT' || isIncidentId(place.number)) return place;
  throw new HubError('INVALID_CURSOR', 'after: not a cursor of tasks', { details: { argument: 'after' } });
}

interface OwnPage {
  readonly after: TaskPlace | undefined;
  readonly most: number;
  readonly now: Date;
}

async function listOwn(
  prisma: PrismaClient,
  { actor }: Viewing,
  { after, most, now }: OwnPage,
): Promise<readonly Task[]> {
  const found = await Promise.all(
    awaitedFilters(actor, now).map((awaited) =>
      prisma.incident.findMany({
        where: {
          AND: [awaited, visibleFilter(actor), ...(after === undefined ? [] : [placeFilter(after)])],
        },
        orderBy: [{ dueAt: { sort: 'asc', nulls: 'last' } }, { reportedAt: 'asc' }, { id: 'asc' }],
        take: most,
        include: { reporters: { select: { subject: true } } },
      }),
    ),
  );
  const rows = new Map(found.flat().map((row) => [row.id, row]));
  const source = librarySource(prisma, actor, now);
  return [...rows.values()].map((row) => {
    const incident: Incident = row;
    return {
      kind: 'INCIDENT',
      number: row.id,
      title: row.title,
      priority: isUrgency(row.urgency) ? row.urgency : 'NORMAL',
      due: row.dueAt,
      from: row.reportedAt,
      action: awaitedAction(actor, { ...row, ...governed(row) }, now) ?? null,
      incident,
      record: null,
      source,
    };
  });
}

/** Incidents behind a place; of equals they stand before what old systems have. */
function placeFilter({ due, from, kind, number }: TaskPlace): Prisma.IncidentWhereInput {
  const sameDue: Prisma.IncidentWhereInput[] = [{ dueAt: due, reportedAt: { gt: from } }];
  if (kind === 'INCIDENT') sameDue.push({ dueAt: due, reportedAt: from, id: { gt: number } });
  return { OR: due === null ? sameDue : [...sameDue, { dueAt: { gt: due } }, { dueAt: null }] };
}

/** What an old system has, but for what is worked on as an incident: that is one task, not two. */
async function listOld(
  prisma: PrismaClient,
  viewing: Viewing,
  { source, rows }: OldSystem,
): Promise<readonly Task[]> {
  const incidents = await findIncidents(prisma, rows);
  const tasks = rows.map(async (row): Promise<Task | undefined> => {
    const known = incidents.get(row.number);
    if (known?.isOpen) return undefined;
    const { kind, number, title, priority, due, since } = row;
    const record = { __typename: RECORD_TYPES[kind], id: number };
    const incident = known === undefined ? null : await loadVisible(viewing, known.id);
    const from = since ?? UNKNOWN_TIME;
    return { kind, number, title, priority, due, from, source, record, incident, action: null };
  });
  return (await Promise.all(tasks)).filter((task) => task !== undefined);
}

const RECORD_TYPES = { GRID_TASK: 'GridTask', HOTLINE_ORDER: 'HotlineOrder' } as const;
/** Of an order of the hotline among the numbers of an incident. */
const ORDER_KIND = 'hotlineOrder';

/** The incidents that orders have become, by the number of the order. */
async function findIncidents(
  prisma: PrismaClient,
  rows: readonly OldTask[],
): Promise<ReadonlyMap<string, { readonly id: string; readonly isOpen: boolean }>> {
  const numbers = rows.filter(({ kind }) => kind === 'HOTLINE_ORDER').map(({ number }) => number);
  if (numbers.length === 0) return new Map();
  const found = await prisma.externalNumber.findMany({
    where: { kind: ORDER_KIND, number: { in: numbers } },
    select: { number: true, incident: { select: { id: true, state: true } } },
  });
  return new Map(
    found.map(({ number, incident: { id, state } }) => [
      number,
      { id, isOpen: (OPEN_STATES as readonly string[]).includes(state) },
    ]),
  );
}
