// Reads a column's local time by a pattern and a zone, and writes it as the old systems print it.
import { OperatorError } from '@weft/core/errors';

/** Text to epoch milliseconds; undefined when the text does not fit the pattern or is no date. */
export type TimeReader = (text: string) => number | undefined;

/** Pattern letters, as in Unicode TR 35 (https://unicode.org/reports/tr35/tr35-dates.html#Date_Field_Symbol_Table). */
const TOKENS = {
  yyyy: { part: 'year', digits: '\\d{4}' },
  yy: { part: 'year', digits: '\\d{2}' },
  MM: { part: 'month', digits: '\\d{2}' },
  M: { part: 'month', digits: '\\d{1,2}' },
  dd: { part: 'day', digits: '\\d{2}' },
  d: { part: 'day', digits: '\\d{1,2}' },
  HH: { part: 'hour', digits: '\\d{2}' },
  H: { part: 'hour', digits: '\\d{1,2}' },
  mm: { part: 'minute', digits: '\\d{2}' },
  ss: { part: 'second', digits: '\\d{2}' },
} as const;

type Part = (typeof TOKENS)[keyof typeof TOKENS]['part'];

const TOKEN = /yyyy|yy|MM|M|dd|d|HH|H|mm|ss/g;

/** The first year that two digits can mean: 20 is 2020. */
const CENTURY = 2000;

/**
 * A reader of `pattern` (`M/d/yy H:mm`) in `zone` (`Asia/Shanghai`).
 * @throws OperatorError when the pattern has no date or the zone is not known
 */
export function createTimeReader(pattern: string, zone: string): TimeReader {
  const parts: Part[] = [];
  const source = pattern.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll(TOKEN, (token) => {
    const { part, digits } = TOKENS[token as keyof typeof TOKENS];
    parts.push(part);
    return `(${digits})`;
  });
  for (const part of ['year', 'month', 'day'] as const) {
    if (parts.filter((candidate) => candidate === part).length !== 1) {
      throw new OperatorError(`mapping: time.pattern '${pattern}' must have the ${part} once`, {
        exitCode: 2,
      });
    }
  }
  const expression = new RegExp(`^${source}$`);
  const offsetMsAt = createOffsetReader(zone);
  return (text) => {
    const match = expression.exec(text.trim());
    if (match === null) return undefined;
    const wallMs = toWallMs(parts, match.slice(1).map(Number));
    if (wallMs === undefined) return undefined;
    // Twice: the first guess may lie on the other side of a change of the clocks.
    const guessMs = wallMs - offsetMsAt(wallMs);
    return wallMs - offsetMsAt(guessMs);
  };
}

const SHANGHAI_OFFSET_MS = 8 * 3_600_000;

/** `yyyy-MM-dd HH:mm:ss` in Asia/Shanghai, as the hotline and the police write times. */
export function toShanghaiText(epochMs: number): string {
  return new Date(epochMs + SHANGHAI_OFFSET_MS).toISOString().slice(0, 19).replace('T', ' ');
}

/** The clock's reading as if it were UTC; undefined for 30 February and its like. */
function toWallMs(parts: readonly Part[], numbers: readonly number[]): number | undefined {
  const read = (part: Part, absent: number) => numbers[parts.indexOf(part)] ?? absent;
  const year = read('year', 0);
  const fields = [
    year < 100 ? CENTURY + year : year,
    read('month', 1) - 1,
    read('day', 1),
    read('hour', 0),
    read('minute', 0),
    read('second', 0),
  ] as const;
  const wall = new Date(Date.UTC(...fields));
  const got = [
    wall.getUTCFullYear(),
    wall.getUTCMonth(),
    wall.getUTCDate(),
    wall.getUTCHours(),
    wall.getUTCMinutes(),
    wall.getUTCSeconds(),
  ];
  return got.every((value, index) => value === fields[index]) ? wall.getTime() : undefined;
}

/** How far the zone's clock is ahead of UTC at an instant. */
function createOffsetReader(zone: string): (epochMs: number) => number {
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'longOffset' });
  } catch (cause) {
    throw new OperatorError(`mapping: time.zone '${zone}' is not a known zone`, { cause, exitCode: 2 });
  }
  return (epochMs) => {
    const name = format.formatToParts(epochMs).find((part) => part.type === 'timeZoneName')?.value ?? 'GMT';
    const match = /^GMT(?:([+-])(\d\d):(\d\d))?/.exec(name);
    const minutes = Number(match?.[2] ?? 0) * 60 + Number(match?.[3] ?? 0);
    return (match?.[1] === '-' ? -minutes : minutes) * 60_000;
  };
}
