// A task as the list has it, and the order of the list: overdue ones first, then by when they are due, then the oldest first.
import { HubError } from '@weft/core/errors';
import type { Incident } from '../generated/client.ts';
import type { Urgency } from '../labels.ts';
import type { Action } from '../state-machine.ts';
import type { TaskSource } from './sources.ts';

export const TASK_KIND_LABELS = {
  INCIDENT: '事件',
  GRID_TASK: '网格任务',
  HOTLINE_ORDER: '热线工单',
} as const;

export type TaskKind = keyof typeof TASK_KIND_LABELS;

/** The place of a task in the list. What is overdue is due before what is not, so that the order does not hang on the hour. */
export interface TaskPlace {
  /** Null: behind all that are due. */
  readonly due: Date | null;
  /** When it was reported or given. */
  readonly from: Date;
  readonly kind: TaskKind;
  /** The number by which its system knows it. */
  readonly number: string;
}

/** A row of the list; `since` and `action` of an incident are read when they are asked for. */
export interface Task extends TaskPlace {
  readonly title: string | null;
  readonly priority: Urgency;
  readonly source: TaskSource;
  readonly incident: Incident | null;
  readonly action: Action | null;
  readonly record: { readonly __typename: 'GridTask' | 'HotlineOrder'; readonly id: string } | null;
}

const KIND_ORDER = Object.keys(TASK_KIND_LABELS);

/** Negative when the first stands before the second; 0 for one and the same. */
export function comparePlaces(one: TaskPlace, other: TaskPlace): number {
  if (one.due !== null && other.due !== null && +one.due !== +other.due) return +one.due - +other.due;
  if ((one.due === null) !== (other.due === null)) return one.due === null ? 1 : -1;
  if (+one.from !== +other.from) return +one.from - +other.from;
  if (one.kind !== other.kind) return KIND_ORDER.indexOf(one.kind) - KIND_ORDER.indexOf(other.kind);
  return one.number < other.number ? -1 : one.number > other.number ? 1 : 0;
}

const CURSOR_VERSION = '1';
const CURSOR_LENGTH_MAX = 400;

/** A place in the list that stays where it is when tasks come and go. */
export function encodePlace({ due, from, kind, number }: TaskPlace): string {
  const place = [CURSOR_VERSION, due === null ? null : due.getTime(), from.getTime(), kind, number];
  return Buffer.from(JSON.stringify(place)).toString('base64url');
}

/** @throws HubError INVALID_CURSOR */
export function decodePlace(cursor: string): TaskPlace {
  const [version, due, from, kind, number] = readCursor(cursor);
  const isTime = (time: unknown): time is number =>
    typeof time === 'number' && !Number.isNaN(new Date(time).getTime());
  if (
    version === CURSOR_VERSION &&
    (due === null || isTime(due)) &&
    isTime(from) &&
    typeof kind === 'string' &&
    KIND_ORDER.includes(kind) &&
    typeof number === 'string'
  )
    return {
      due: due === null ? null : new Date(due),
      from: new Date(from),
      kind: kind as TaskKind,
      number,
    };
  throw new HubError('INVALID_CURSOR', 'after: not a cursor of tasks', { details: { argument: 'after' } });
}

function readCursor(cursor: string): readonly unknown[] {
  if (cursor.length > CURSOR_LENGTH_MAX) return [];
  try {
    const place: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    return Array.isArray(place) ? place : [];
  } catch {
    // What is no JSON is no cursor: the caller says so.
    return [];
  }
}
