// Times as databases and systems write them, taken apart without losing a digit.

export interface TimeText {
  readonly date: string;
  /** A blank or `T`. */
  readonly separator: string;
  /** With or without seconds. */
  readonly clock: string;
  /** Digits behind the point, 1 to 9 of them. */
  readonly fraction: string | undefined;
  /** `Z`, `+08`, `+0800` or `+08:00`; absent: local time. */
  readonly offset: string | undefined;
  /** Nanoseconds since 1970 in UTC; a local time counts as if it were UTC. */
  readonly atNs: bigint;
}

const TIME = /^(\d{4}-\d\d-\d\d)([ T])(\d\d:\d\d(?::\d\d)?)(?:\.(\d{1,9}))?(Z|[+-]\d\d(?::?\d\d)?)?$/;
const NS_A_MS = 1_000_000n;
const NS_A_SECOND = 1_000_000_000n;
const FRACTION_DIGITS = 9;

/** Undefined for another text, and for a day or an hour that does not exist. */
export function parseTimeText(text: string): TimeText | undefined {
  const found = TIME.exec(text);
  if (found === null) return undefined;
  const [, date, separator, clock, fraction, offset] = found as unknown as [
    string,
    string,
    string,
    string,
    string?,
    string?,
  ];
  const atMs = Date.parse(`${date}T${clock}Z`);
  // 30 February rolls over to March, and then the day is not what was written.
  if (Number.isNaN(atMs) || new Date(atMs).toISOString().slice(0, 10) !== date) return undefined;
  const fractionNs = BigInt((fraction ?? '').padEnd(FRACTION_DIGITS, '0'));
  const atNs = BigInt(atMs - offsetMs(offset)) * NS_A_MS + fractionNs;
  return { date, separator, clock, fraction, offset, atNs };
}

/** `yyyy-MM-dd HH:mm:ss.fffffffff` in UTC: a fixed length, so that it compares as text. */
export function formatUtc(atNs: bigint): string {
  const fractionNs = ((atNs % NS_A_SECOND) + NS_A_SECOND) % NS_A_SECOND;
  const text = new Date(Number((atNs - fractionNs) / NS_A_MS)).toISOString();
  return `${text.slice(0, 10)} ${text.slice(11, 19)}.${String(fractionNs).padStart(FRACTION_DIGITS, '0')}`;
}

/** The clock of a zone as if it were UTC, in nanoseconds: comparable with a local time's `atNs`. */
export function localNs(at: Date, timezone: string): bigint {
  const text = clockOf(timezone).format(at);
  const seconds = Date.parse(`${text.replace(' ', 'T')}Z`);
  return BigInt(seconds + (at.getTime() % 1_000)) * NS_A_MS;
}

/** One a zone, and zones are those of the sources: making one is slow. */
const clocks = new Map<string, Intl.DateTimeFormat>();

function clockOf(timezone: string): Intl.DateTimeFormat {
  let clock = clocks.get(timezone);
  if (clock === undefined) {
    clock = new Intl.DateTimeFormat('sv-SE', { timeZone: timezone, dateStyle: 'short', timeStyle: 'medium' });
    clocks.set(timezone, clock);
  }
  return clock;
}

function offsetMs(offset: string | undefined): number {
  if (offset === undefined || offset === 'Z') return 0;
  const digits = offset.replace(':', '').slice(1).padEnd(4, '0');
  const minutes = Number(digits.slice(0, 2)) * 60 + Number(digits.slice(2));
  return (offset.startsWith('-') ? -minutes : minutes) * 60_000;
}
