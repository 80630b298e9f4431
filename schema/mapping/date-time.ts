// Turns the timestamps of old systems into RFC 3339 with an offset.

interface LocalTime {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly millisecond: number;
}

const SEPARATED =
  /^(\d{4})[-/](\d{1,2})[-/](\d{1,2})[T ](\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?\s*(Z|[+-]\d{2}(?::?\d{2})?)?$/i;
const COMPACT = /^(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})(\d{3})?()$/;
const TEXT_CHARS_MAX = 64;
const MS_PER_MINUTE = 60_000;

/**
 * An instant as RFC 3339 text with the offset of `timezone` (IANA name) at that instant; milliseconds only when not zero.
 * Takes a Date, text with an offset, and local text: `yyyy-MM-dd HH:mm[:ss[.SSS]]` with blank or `T`, `/` for `-`, or `yyyyMMddHHmmss[SSS]`.
 * @returns null when `value` is none of these or no day of the calendar
 */
export function toDateTime(value: unknown, timezone: string): string | null {
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : format(value.getTime(), timezone);
  const text = typeof value === 'number' ? String(value) : value;
  if (typeof text !== 'string' || text.length > TEXT_CHARS_MAX) return null;
  const plain = readPlain(text, timezone);
  if (plain !== undefined) return plain;
  const found = SEPARATED.exec(text.trim()) ?? COMPACT.exec(text.trim());
  if (found === null) return null;
  const asUtcMs = toUtcMs(readLocal(found));
  if (asUtcMs === null) return null;
  const offset = found[8] === undefined || found[8] === '' ? undefined : parseOffsetMs(found[8]);
  return format(asUtcMs - (offset ?? localOffsetMs(asUtcMs, timezone)), timezone);
}

/** Whether the runtime knows the IANA zone. */
export function isTimezone(timezone: string): boolean {
  try {
    formatterOf(timezone);
    return true;
  } catch {
    return false; // Intl says a RangeError and nothing else for a zone that it does not know.
  }
}

function readLocal(found: RegExpExecArray): LocalTime {
  const part = (index: number): number => Number(found[index] ?? 0);
  return {
    year: part(1),
    month: part(2),
    day: part(3),
    hour: part(4),
    minute: part(5),
    second: part(6),
    millisecond: Number((found[7] ?? '0').padEnd(3, '0').slice(0, 3)),
  };
}

function toUtcMs(local: LocalTime): number | null {
  const { year, month, day, hour, minute, second, millisecond } = local;
  if (hour > 23 || minute > 59 || second > 59) return null;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  date.setUTCHours(hour, minute, second, millisecond);
  // 30 February rolls over to March, and then the day is not what was written.
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day ? date.getTime() : null;
}

function parseOffsetMs(offset: string): number {
  if (offset.toUpperCase() === 'Z') return 0;
  // PostgreSQL writes `+08`, without minutes.
  const minutes = Number(offset.slice(1, 3)) * 60 + (offset.length > 3 ? Number(offset.slice(-2)) : 0);
  return (offset.startsWith('-') ? -minutes : minutes) * MS_PER_MINUTE;
}

/** The offset of a local time: looked up twice, since the first guess may lie on the other side of a change of the clock. */
function localOffsetMs(asUtcMs: number, timezone: string): number {
  return offsetMsAt(asUtcMs - offsetMsAt(asUtcMs, timezone), timezone);
}

function format(instantMs: number, timezone: string): string {
  const offsetMs = offsetMsAt(instantMs, timezone);
  const local = new Date(instantMs + offsetMs).toISOString();
  const text = local.endsWith('.000Z') ? local.slice(0, -5) : local.slice(0, -1);
  return `${text}${offsetText(offsetMs)}`;
}

function offsetText(offsetMs: number): string {
  const minutes = Math.round(Math.abs(offsetMs) / MS_PER_MINUTE);
  return `${offsetMs < 0 ? '-' : '+'}${pad(Math.floor(minutes / 60))}:${pad(minutes % 60)}`;
}

function pad(value: number): string {
  return String(value).padStart(2, '0');
}

const formatters = new Map<string, Intl.DateTimeFormat>();

function formatterOf(timezone: string): Intl.DateTimeFormat {
  let formatter = formatters.get(timezone);
  if (formatter === undefined) {
    formatter = new Intl.DateTimeFormat('en-US', { timeZone: timezone, timeZoneName: 'longOffset' });
    formatters.set(timezone, formatter);
  }
  return formatter;
}

/** Asking Intl is slow: the offset of a zone is kept for a quarter of an hour of time, the finest grain at which clocks change. */
const offsets = new Map<string, Map<number, number>>();
const OFFSETS_MAX = 4_096;
const GRAIN_MS = 15 * MS_PER_MINUTE;

function offsetMsAt(instantMs: number, timezone: string): number {
  let ofZone = offsets.get(timezone);
  if (ofZone === undefined) {
    ofZone = new Map();
    offsets.set(timezone, ofZone);
  }
  const grain = Math.floor(instantMs / GRAIN_MS);
  const kept = ofZone.get(grain);
  if (kept !== undefined) return kept;
  const name =
    formatterOf(timezone)
      .formatToParts(instantMs)
      .find((part) => part.type === 'timeZoneName')?.value ?? 'GMT';
  const found = /GMT([+-]\d{2}):(\d{2})/.exec(name);
  const offset = found === null ? 0 : parseOffsetMs(`${found[1]}:${found[2]}`);
  if (ofZone.size >= OFFSETS_MAX) ofZone.clear();
  ofZone.set(grain, offset);
  return offset;
}

const PLAIN_LENGTH = 'yyyy-MM-dd HH:mm:ss'.length;
const ZERO = 48;
const BLANK = 32;
const LETTER_T = 84;
const HYPHEN = 45;
const COLON = 58;
const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
/** Years before 1000 are left to the calendar of `Date`. */
const PLAIN_CENTURY_MIN = 10;

/**
 * What nearly every old system writes, `yyyy-MM-dd HH:mm:ss`, without a pattern and without a Date for its text: it stands there already.
 * @returns undefined for any other text, and for a time that the zone's clocks skipped: the long way says what those are
 */
function readPlain(text: string, timezone: string): string | undefined {
  if (text.length !== PLAIN_LENGTH || !hasPlainMarks(text)) return undefined;
  const century = digits(text, 0);
  const yearOfCentury = digits(text, 2);
  const year = century * 100 + yearOfCentury;
  if (century < PLAIN_CENTURY_MIN || yearOfCentury < 0) return undefined;
  const month = digits(text, 5);
  const day = digits(text, 8);
  if (month < 1 || month > 12 || day < 1 || day > daysOf(year, month)) return undefined;
  const hour = digits(text, 11);
  const minute = digits(text, 14);
  const second = digits(text, 17);
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59) return undefined;
  const quarter = daysSince1970(year, month, day) * DAY_GRAINS + hour * HOUR_GRAINS + Math.trunc(minute / 15);
  const offset = plainOffsetText(quarter, timezone);
  return offset === undefined ? undefined : `${text.slice(0, 10)}T${text.slice(11)}${offset}`;
}

const HOUR_GRAINS = 4;
const DAY_GRAINS = 24 * HOUR_GRAINS;

/** Of a day of the Gregorian calendar, in whole numbers alone: `Date.UTC` takes ten times as long. */
function daysSince1970(year: number, month: number, day: number): number {
  // Years begin in March, so that the day of a leap year is their last.
  const marchYear = month > 2 ? year : year - 1;
  const dayOfYear = Math.trunc((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  const leapDays = Math.trunc(marchYear / 4) - Math.trunc(marchYear / 100) + Math.trunc(marchYear / 400);
  return marchYear * 365 + leapDays + dayOfYear - DAYS_TO_1970;
}

/** From the first of March of the year 0. */
const DAYS_TO_1970 = 719_468;

/** What `plainOffsetText` has found, by the quarter of an hour of local time. */
const plainOffsets = new Map<string, Map<number, string>>();
/** The zone that was asked for last: rows of one answer are of one zone. */
let lastZone: { readonly timezone: string; readonly offsets: Map<number, string> } | undefined;

function plainOffsetsOf(timezone: string): Map<number, string> {
  if (lastZone?.timezone === timezone) return lastZone.offsets;
  let offsets = plainOffsets.get(timezone);
  if (offsets === undefined) {
    offsets = new Map();
    plainOffsets.set(timezone, offsets);
  }
  lastZone = { timezone, offsets };
  return offsets;
}

/**
 * The offset of a local time as it is written; undefined for a time that the zone's clocks skipped.
 * @param quarter quarters of an hour since 1970 by the local clock
 */
function plainOffsetText(quarter: number, timezone: string): string | undefined {
  const ofZone = plainOffsetsOf(timezone);
  const kept = ofZone.get(quarter);
  if (kept !== undefined) return kept;
  return findPlainOffset(quarter, timezone, ofZone);
}

function findPlainOffset(quarter: number, timezone: string, ofZone: Map<number, string>): string | undefined {
  const asUtcMs = quarter * GRAIN_MS;
  const guessMs = offsetMsAt(asUtcMs, timezone);
  const offsetMs = localOffsetMs(asUtcMs, timezone);
  // By an offset of whole quarters a quarter of local time is one of the instants, and one offset is that of them all.
  if (guessMs % GRAIN_MS !== 0 || offsetMs % GRAIN_MS !== 0) return undefined;
  if (offsetMsAt(asUtcMs - offsetMs, timezone) !== offsetMs) return undefined;
  const text = offsetText(offsetMs);
  if (ofZone.size >= OFFSETS_MAX) ofZone.clear();
  ofZone.set(quarter, text);
  return text;
}

function hasPlainMarks(text: string): boolean {
  const between = text.charCodeAt(10);
  return (
    text.charCodeAt(4) === HYPHEN &&
    text.charCodeAt(7) === HYPHEN &&
    (between === BLANK || between === LETTER_T) &&
    text.charCodeAt(13) === COLON &&
    text.charCodeAt(16) === COLON
  );
}

/** Two digits as a number; -1 when one is none. A NaN would make a fraction of all that is reckoned with it, which is slow. */
function digits(text: string, at: number): number {
  const tens = text.charCodeAt(at) - ZERO;
  const ones = text.charCodeAt(at + 1) - ZERO;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : -1;
}

function daysOf(year: number, month: number): number {
  const isLeap = month === 2 && year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return isLeap ? 29 : (DAYS[month - 1] ?? 0);
}
