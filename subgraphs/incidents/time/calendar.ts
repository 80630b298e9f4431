// The working days of China: weekdays, less the State Council's days off, plus its make-up working days.
import published from 'chinese-days/dist/chinese-days.json' with { type: 'json' };

/** Asia/Shanghai has had no summer time since 1991. */
export const SHANGHAI_OFFSET_MS = 8 * 3_600_000;
export const DAY_MS = 86_400_000;

const DAYS_OFF: Readonly<Record<string, string>> = published.holidays;
const MAKE_UP_DAYS: Readonly<Record<string, string>> = published.workdays;
/** A year whose National Day was arranged is one whose arrangement was published. */
const YEARS = new Set(
  Object.keys(DAYS_OFF)
    .filter((day) => day.endsWith('-10-01'))
    .map((day) => day.slice(0, 4)),
);

/** A day of Asia/Shanghai, as the number of days since 1970-01-01. */
export type DayNumber = number;

/** The day in which an instant lies. */
export function dayOf(instantMs: number): DayNumber {
  return Math.floor((instantMs + SHANGHAI_OFFSET_MS) / DAY_MS);
}

/** The instant at which a day begins in Asia/Shanghai, in milliseconds since 1970. */
export function startOfDay(day: DayNumber): number {
  return day * DAY_MS - SHANGHAI_OFFSET_MS;
}

function dateText(day: DayNumber): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10);
}

/** Whether the State Council's arrangement of the day's year is known; else its working days are plain weekdays. */
export function isArranged(day: DayNumber): boolean {
  return YEARS.has(dateText(day).slice(0, 4));
}

export function isWorkingDay(day: DayNumber): boolean {
  const date = dateText(day);
  if (Object.hasOwn(MAKE_UP_DAYS, date)) return true;
  if (Object.hasOwn(DAYS_OFF, date)) return false;
  // 1970-01-01 was a Thursday: 4 by the count that begins with Sunday.
  const weekday = (((day + 4) % 7) + 7) % 7;
  return weekday !== 0 && weekday !== 6;
}
