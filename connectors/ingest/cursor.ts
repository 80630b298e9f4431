// Arithmetic on the cursor of a poll: times as the database writes them, or serial numbers.
import type { CursorPlace } from '../sql/statement.ts';
import { localNs, parseTimeText } from './time-text.ts';

const SERIAL = /^\d{1,20}$/;

/** Whether a cursor's text is a time or a serial number: any other has a place in no order that we know. */
export function isUnderstood(time: string): boolean {
  return SERIAL.test(time) || parseTimeText(time) !== undefined;
}

/**
 * The place from which to read again: `overlapMs` before the cursor, for rows that were committed late. The text keeps
 * its form, offset included. A cursor that is no time has no overlap.
 */
export function stepBack(cursor: CursorPlace, overlapMs: number): CursorPlace {
  const parsed = parseTimeText(cursor.time);
  if (parsed === undefined || overlapMs <= 0) return cursor;
  const { date, separator, clock, fraction, offset } = parsed;
  const at = Date.parse(`${date}T${clock}${fraction === undefined ? '' : `.${fraction.slice(0, 3)}`}Z`);
  const text = new Date(at - overlapMs).toISOString();
  const clockLength = fraction === undefined ? clock.length : 12;
  const time = `${text.slice(0, 10)}${separator}${text.slice(11, 11 + clockLength)}${offset ?? ''}`;
  return { time, tie: undefined };
}

/**
 * Whether a checkpoint may move to this time: a nonsense text or a time ahead of our clock may not, since a poll that
 * moved there would pass over what is dated now. A row that is dated ahead counts when its time has come.
 */
export function isReached(time: string, timezone: string, now: Date): boolean {
  if (SERIAL.test(time)) return true;
  const parsed = parseTimeText(time);
  if (parsed === undefined) return false;
  const nowNs = parsed.offset === undefined ? localNs(now, timezone) : BigInt(now.getTime()) * 1_000_000n;
  return parsed.atNs <= nowNs;
}

/** Whether `a` comes after `b` in the order of the cursor. */
export function isAfter(a: CursorPlace, b: CursorPlace | undefined): boolean {
  if (b === undefined) return true;
  const [left, right] = [rank(a.time), rank(b.time)];
  if (left !== undefined && right !== undefined) {
    if (left !== right) return left > right;
  } else if (a.time !== b.time) return a.time > b.time;
  return (a.tie ?? '') > (b.tie ?? '');
}

function rank(time: string): bigint | undefined {
  return SERIAL.test(time) ? BigInt(time) : parseTimeText(time)?.atNs;
}
