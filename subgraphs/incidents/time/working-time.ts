// Adds working time to an instant, and counts it between two; pure functions of the calendar and the hours.
import { HubError } from '@weft/core/errors';
import { type DayNumber, dayOf, isArranged, isWorkingDay, startOfDay } from './calendar.ts';

/** Milliseconds after midnight in Asia/Shanghai, `from` < `to`; in order, none touching another's inside. */
export interface Interval {
  readonly from: number;
  readonly to: number;
}

/** The hours of one working day. */
export type WorkingHours = readonly Interval[];

/** When something is due. */
export interface Due {
  readonly at: Date;
  /** Whether a day counted on the way lies in a year whose days off are not published yet. */
  readonly byWeekdays: boolean;
}

/** About ten years: what takes longer is no deadline. */
const DAYS_MAX = 3_660;

/** The working time of one day, in milliseconds. */
export function workingDayMs(hours: WorkingHours): number {
  return hours.reduce((sum, { from, to }) => sum + to - from, 0);
}

/**
 * The first instant at which so much working time has passed since `start`.
 * @param durationMs above 0
 * @throws HubError LIMIT_EXCEEDED when that is more than ten years ahead
 */
export function addWorkingTime(start: Date, durationMs: number, hours: WorkingHours): Due {
  const first = dayOf(start.getTime());
  let leftMs = durationMs;
  let byWeekdays = false;
  for (let day = first; day < first + DAYS_MAX; day += 1) {
    byWeekdays ||= !isArranged(day);
    for (const { from, to } of intervalsOf(day, hours)) {
      const begin = Math.max(from, start.getTime());
      if (begin >= to) continue;
      if (leftMs <= to - begin) return { at: new Date(begin + leftMs), byWeekdays };
      leftMs -= to - begin;
    }
  }
  throw new HubError('LIMIT_EXCEEDED', `a deadline lies at most ${DAYS_MAX} days ahead`, {
    details: { limit: 'DEADLINE_DAYS_MAX', max: DAYS_MAX },
  });
}

/** The same where every hour counts. */
export function addTime(start: Date, durationMs: number): Due {
  return { at: new Date(start.getTime() + durationMs), byWeekdays: false };
}

/** Milliseconds of working time from `start` up to `end`; 0 when `end` is not later. */
export function workingTimeBetween(start: Date, end: Date, hours: WorkingHours): number {
  let sumMs = 0;
  for (let day = dayOf(start.getTime()); day <= dayOf(end.getTime()); day += 1) {
    for (const { from, to } of intervalsOf(day, hours))
      sumMs += Math.max(0, Math.min(to, end.getTime()) - Math.max(from, start.getTime()));
  }
  return sumMs;
}

/** As instants; none on a day off. */
function intervalsOf(day: DayNumber, hours: WorkingHours): readonly Interval[] {
  if (!isWorkingDay(day)) return [];
  const midnight = startOfDay(day);
  return hours.map(({ from, to }) => ({ from: midnight + from, to: midnight + to }));
}
