// Arithmetic on the cursor of a poll: local times as the database writes them.
import type { CursorPlace } from '../sql/statement.ts';

const LOCAL_TIME = /^(\d{4}-\d\d-\d\d)([ T])(\d\d:\d\d:\d\d)(\.\d{1,6})?$/;
const MS_A_DAY = 86_400_000;

/**
 * The place from which to read again: `overlapMs` before the cursor, for rows that were committed late.
 * A cursor that is no time has no overlap.
 */
export function stepBack(cursor: CursorPlace, overlapMs: number): CursorPlace {
  const parts = LOCAL_TIME.exec(cursor.time);
  if (parts === null || overlapMs <= 0) return cursor;
  const [, date, separator, clock, fraction] = parts as unknown as [string, string, string, string, string?];
  const at = Date.parse(`${date}T${clock}${fraction ?? ''}Z`);
  if (Number.isNaN(at)) return cursor;
  const text = new Date(at - overlapMs).toISOString();
  const time = `${text.slice(0, 10)}${separator}${text.slice(11, fraction === undefined ? 19 : 23)}`;
  return { time, tie: undefined };
}

/**
 * Whether a checkpoint may move to this time: a nonsense text or a time far ahead sorts after everything, and a poll
 * that moved there would never see another change.
 */
export function isSaneTime(time: string, timezone: string, now: Date): boolean {
  if (/^\d{1,20}$/.test(time)) return true;
  if (!LOCAL_TIME.test(time)) return false;
  return time.slice(0, 19).replace('T', ' ') <= localTime(timezone, new Date(now.getTime() + MS_A_DAY));
}

/** `yyyy-MM-dd HH:mm:ss` in a zone. */
function localTime(timezone: string, at: Date): string {
  return new Intl.DateTimeFormat('sv-SE', {
    timeZone: timezone,
    dateStyle: 'short',
    timeStyle: 'medium',
  }).format(at);
}

/** Whether `a` comes after `b` in the order of the cursor. */
export function isAfter(a: CursorPlace, b: CursorPlace | undefined): boolean {
  if (b === undefined) return true;
  const digits = /^\d{1,20}$/;
  if (digits.test(a.time) && digits.test(b.time)) {
    const [left, right] = [BigInt(a.time), BigInt(b.time)];
    if (left !== right) return left > right;
  } else if (a.time !== b.time) return a.time > b.time;
  return (a.tie ?? '') > (b.tie ?? '');
}
