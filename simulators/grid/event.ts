// An event of the grid platform, decoded from what its control is given.
import { pickGridCode } from '../city/divisions.ts';
import { parseTimeMs } from '../local-time.ts';

export interface NewGridEvent {
  readonly externalRef: string;
  readonly gridCode: string;
  readonly title: string;
  readonly description: string;
  /** 5 digits of GB/T 47678.5. */
  readonly matter: string | null;
  readonly address: string;
  readonly reportedAtMs: number;
}

/** Reads one event of `POST /_control/events`; throws TypeError naming the field. */
export function decodeGridEvent(value: unknown, nowMs: number): NewGridEvent {
  if (typeof value !== 'object' || value === null) throw new TypeError('event: expected an object');
  const given = value as Readonly<Record<string, unknown>>;
  const externalRef = text(given, 'externalRef') ?? missing('externalRef');
  const areaCode = text(given, 'areaCode');
  const gridCode =
    text(given, 'gridCode') ??
    (areaCode === null ? missing('gridCode') : pickGridCode(areaCode, externalRef));
  const reportedAt = text(given, 'reportedAt');
  return {
    externalRef,
    gridCode,
    title: text(given, 'title') ?? missing('title'),
    description: text(given, 'description') ?? '',
    matter: text(given, 'matter'),
    address: text(given, 'address') ?? '',
    reportedAtMs: reportedAt === null ? nowMs : (parseTimeMs(reportedAt) ?? missing('reportedAt')),
  };
}

/** Reads the body of a change of state: one digit, known or not. */
export function decodeEventState(value: unknown): string {
  const state = text((value ?? {}) as Readonly<Record<string, unknown>>, 'state');
  return state !== null && /^\d$/.test(state) ? state : missing('state');
}

const TEXT_CHARS_MAX = 2_000;

function text(given: Readonly<Record<string, unknown>>, name: string): string | null {
  const value = given[name];
  if (value === undefined || value === null) return null;
  if (typeof value !== 'string' || value.length > TEXT_CHARS_MAX)
    throw new TypeError(`${name}: expected a text`);
  return value;
}

function missing(name: string): never {
  throw new TypeError(`${name}: missing or not readable`);
}
