// The open incidents of a division at a glance: counted by one index, at the moment of the question.
import type { Known } from './act.ts';
import type { Actor } from './actor.ts';
import { visibleParts } from './authority.ts';
import { badInput } from './bad-input.ts';
import type { Prisma, PrismaClient } from './generated/client.ts';
import { type IncidentState, STATE_LABELS } from './labels.ts';
import { divisionFilter } from './queries.ts';
import { OPEN_STATES } from './state-machine.ts';

const HOUR_MS = 3_600_000;
/** The id of the overview of all divisions: no code of one. */
export const EVERYTHING = '*';

/** IncidentOverview, as the schema says. */
export interface Overview {
  /** By which other subgraphs add to it: the division's code, or `EVERYTHING`. */
  readonly id: string;
  readonly division: { readonly code: string } | null;
  readonly at: Date;
  readonly open: number;
  readonly overdue: number;
  readonly reportedLastHour: number;
  readonly states: readonly { state: IncidentState; stateLabel: string; count: number }[];
  readonly departments: readonly {
    readonly department: { readonly code: string } | null;
    readonly open: number;
    readonly overdue: number;
  }[];
}

/**
 * As `readOverview`, of a division that there is: nothing is open where nothing is, and that would look well.
 * @throws HubError BAD_USER_INPUT for what is no division of the directory
 */
export async function readKnownOverview(
  prisma: PrismaClient,
  actor: Actor,
  division: string | null,
  divisions: Known,
): Promise<Overview> {
  if (division !== null && !(await divisions.has(division)))
    throw badInput('division', 'the directory has no division of this code');
  return await readOverview(prisma, actor, division, new Date());
}

/**
 * Counts what the one who asks may see.
 * @param division takes in all that lies below it; null: everything
 * @throws HubError BAD_USER_INPUT for what is no code of a division
 */
export async function readOverview(
  prisma: PrismaClient,
  actor: Actor,
  division: string | null,
  at: Date,
): Promise<Overview> {
  const parts = visibleParts(actor).map((part) => ({ AND: [part, divisionFilter(division)] }));
  const [open, overdue, reported] = await Promise.all([
    Promise.all(parts.map((part) => countOpen(prisma, part))),
    Promise.all(parts.map((part) => countOverdue(prisma, part, at))),
    Promise.all(parts.map((part) => countReported(prisma, part, at))),
  ]);
  const byState = new Map<string, number>();
  const byDepartment = new Map<string | null, { open: number; overdue: number }>();
  const departmentOf = (code: string | null) => {
    const known = byDepartment.get(code) ?? { open: 0, overdue: 0 };
    byDepartment.set(code, known);
    return known;
  };
  for (const { state, department, _count } of open.flat()) {
    byState.set(state, (byState.get(state) ?? 0) + _count._all);
    departmentOf(department).open += _count._all;
  }
  for (const { department, _count } of overdue.flat()) departmentOf(department).overdue += _count._all;
  const departments = [...byDepartment]
    .map(([code, counts]) => ({ department: code === null ? null : { code }, ...counts }))
    .sort((one, other) => other.open - one.open);
  return {
    id: division ?? EVERYTHING,
    division: division === null ? null : { code: division },
    at,
    open: sum(departments.map((each) => each.open)),
    overdue: sum(departments.map((each) => each.overdue)),
    reportedLastHour: sum(reported),
    states: OPEN_STATES.flatMap((state) => {
      const count = byState.get(state);
      return count === undefined ? [] : [{ state, stateLabel: STATE_LABELS[state], count }];
    }),
    departments,
  };
}

const OPEN: Prisma.IncidentWhereInput = { state: { in: [...OPEN_STATES] } };

function countOpen(prisma: PrismaClient, part: Prisma.IncidentWhereInput) {
  return prisma.incident.groupBy({
    by: ['state', 'department'],
    where: { AND: [part, OPEN] },
    _count: { _all: true },
  });
}

function countOverdue(prisma: PrismaClient, part: Prisma.IncidentWhereInput, at: Date) {
  return prisma.incident.groupBy({
    by: ['department'],
    where: { AND: [part, OPEN, { dueAt: { lt: at } }] },
    _count: { _all: true },
  });
}

function countReported(prisma: PrismaClient, part: Prisma.IncidentWhereInput, at: Date): Promise<number> {
  const reportedAt = { gte: new Date(at.getTime() - HOUR_MS), lte: at };
  return prisma.incident.count({ where: { AND: [part, { reportedAt }, { state: { not: 'DRAFT' } }] } });
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}
