// What the old systems have for the asker, as the gateway has fetched it from them for this question.
import type { Actor } from '../actor.ts';
import { isUrgency, type Urgency } from '../labels.ts';
import type { TaskKind } from './task.ts';

/** TaskSource: a system, and whether it answered. */
export interface TaskSource {
  readonly system: { readonly name: string };
  readonly answered: boolean;
  readonly asOf: Date | null;
  /** Null when it did not answer; the library's are counted when that is asked for. */
  readonly tasks: number | null | (() => Promise<number>);
  readonly truncated: boolean;
}

/** A row of an old system. */
export interface OldTask {
  readonly kind: Exclude<TaskKind, 'INCIDENT'>;
  readonly number: string;
  readonly title: string | null;
  readonly priority: Urgency;
  readonly since: Date | null;
  readonly due: Date | null;
}

/** An old system that was asked, with its rows; null when it did not answer. */
export interface OldSystem {
  readonly source: TaskSource;
  readonly rows: readonly OldTask[];
}

/** MyTasks, as this subgraph made it and as the gateway gives it back with what `@requires` names. */
export interface MyTasks {
  readonly id: string;
  readonly gridTasks?: {
    readonly worker?: string;
    readonly tasks?: readonly (Partial<GridTaskRow> | null)[] | null;
  } | null;
  readonly hotlineDesk?: {
    readonly division?: string;
    readonly orders?: readonly (Partial<HotlineOrderRow> | null)[] | null;
  } | null;
}

interface GridTaskRow {
  readonly id: string;
  readonly title: string | null;
  readonly urgency: string | null;
  readonly givenAt: string | null;
  readonly dueAt: string | null;
}
interface HotlineOrderRow {
  readonly id: string;
  readonly title: string | null;
  readonly openedAt: string | null;
}

/** Whose number is one of the grid platform. */
const GRID_ROLES: readonly string[] = ['grid-worker', 'grid-head'];
/** Who sits where the hotline's own work is done. */
const DESK_ROLES: readonly string[] = ['centre-staff', 'duty-officer', 'operator'];
/** Rows that the SDL of a system takes at most of one asker: as many mean that there may be more. */
const GRID_TASKS_MAX = 200;
const HOTLINE_ORDERS_MAX = 50;

/** Which old systems have something for the asker: those alone are asked. */
export function ownedPlaces({ name, roles, division }: Actor): Omit<MyTasks, 'id'> {
  const isOf = (some: readonly string[]) => roles.some((role) => some.includes(role));
  return {
    gridTasks: name !== undefined && isOf(GRID_ROLES) ? { worker: name } : null,
    hotlineDesk: division !== undefined && isOf(DESK_ROLES) ? { division } : null,
  };
}

/** Those that were asked, each with what it answered. @param at when the question was asked */
export function readOldSystems({ gridTasks, hotlineDesk }: MyTasks, at: Date): readonly OldSystem[] {
  const systems: OldSystem[] = [];
  if (gridTasks) {
    const rows = gridTasks.tasks?.flatMap((task) => toGridTask(task) ?? []);
    systems.push(systemOf('grid', rows, GRID_TASKS_MAX, at));
  }
  if (hotlineDesk) {
    const rows = hotlineDesk.orders?.flatMap((order) => toHotlineTask(order) ?? []);
    systems.push(systemOf('hotline', rows, HOTLINE_ORDERS_MAX, at));
  }
  return systems;
}

function systemOf(name: string, found: readonly OldTask[] | undefined, most: number, at: Date): OldSystem {
  const answered = found !== undefined;
  // An old system may tell a row twice.
  const rows = [...new Map((found ?? []).map((row) => [row.number, row])).values()];
  const source = {
    system: { name },
    answered,
    asOf: answered ? at : null,
    tasks: answered ? rows.length : null,
    truncated: rows.length >= most,
  };
  return { source, rows };
}

function toGridTask(task: Partial<GridTaskRow> | null): OldTask | undefined {
  if (typeof task?.id !== 'string') return undefined;
  const { id: number, title = null, urgency, givenAt, dueAt } = task;
  const priority = typeof urgency === 'string' && isUrgency(urgency) ? urgency : 'NORMAL';
  return { kind: 'GRID_TASK', number, title, priority, since: toTime(givenAt), due: toTime(dueAt) };
}

function toHotlineTask(order: Partial<HotlineOrderRow> | null): OldTask | undefined {
  if (typeof order?.id !== 'string') return undefined;
  const { id: number, title = null, openedAt } = order;
  return {
    kind: 'HOTLINE_ORDER',
    number,
    title,
    priority: 'NORMAL',
    since: toTime(openedAt),
    due: null,
  };
}

function toTime(text: unknown): Date | null {
  const time = typeof text === 'string' || text instanceof Date ? new Date(text) : new Date(Number.NaN);
  return Number.isNaN(time.getTime()) ? null : time;
}
