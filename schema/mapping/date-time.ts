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
  const minutes = Math.round(Math.abs(offsetMs) / MS_PER_MINUTE);
  const text = local.endsWith('.000Z') ? local.slice(0, -5) : local.slice(0, -1);
  return `${text}${offsetMs < 0 ? '-' : '+'}${pad(Math.floor(minutes / 60))}:${pad(minutes % 60)}`;
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
const offsets = new Map<string, number>();
const OFFSETS_MAX = 4_096;
const GRAIN_MS = 15 * MS_PER_MINUTE;

function offsetMsAt(instantMs: number, timezone: string): number {
  const key = `${timezone} ${Math.floor(instantMs / GRAIN_MS)}`;
  const kept = offsets.get(key);
  if (kept !== undefined) return kept;
  const name =
    formatterOf(timezone)
      .formatToParts(instantMs)
      .find((part) => part.type === 'timeZoneName')?.value ?? 'GMT';
  const found = /GMT([+-]\d{2}):(\d{2})/.exec(name);
  const offset = found === null ? 0 : parseOffsetMs(`${found[1]}:${found[2]}`);
  if (offsets.size >= OFFSETS_MAX) offsets.clear();
  offsets.set(key, offset);
  return offset;
}
