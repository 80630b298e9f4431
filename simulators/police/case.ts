// A case of the police as it goes over the wire, decoded from what the control is given.
import { parseTimeMs } from '../local-time.ts';

export interface CaseRow {
  /** 接警单编号: `JJ320508`, day, six digits. */
  readonly JJDBH: string;
  /** 01 治安, 02 刑事, 03 交通, 04 求助, 05 纠纷, 99 其他. */
  readonly AJLB: string;
  /** 0 已接警, 1 已派警, 2 已到场, 3 已办结. */
  readonly AJZT: string;
  /** yyyyMMddHHmmss, Asia/Shanghai. */
  readonly BJSJ: string;
  readonly FADD: string;
  readonly CJDW: string;
}

export interface NewCase {
  readonly externalRef: string;
  readonly category: string;
  readonly place: string;
  readonly unit: string;
  readonly reportedAtMs: number;
}

/** Reads one case of `POST /_control/cases`; throws TypeError naming the field. */
export function decodeNewCase(value: unknown, nowMs: number): NewCase {
  if (typeof value !== 'object' || value === null) throw new TypeError('case: expected an object');
  const given = value as Readonly<Record<string, unknown>>;
  const category = text(given, 'category') ?? '99';
  if (!/^\d{2}$/.test(category)) throw new TypeError('category: expected two digits');
  const reportedAt = text(given, 'reportedAt');
  const reportedAtMs = reportedAt === null ? nowMs : (parseTimeMs(reportedAt) ?? missing('reportedAt'));
  return {
    externalRef: text(given, 'externalRef') ?? missing('externalRef'),
    category,
    place: text(given, 'place') ?? missing('place'),
    unit: text(given, 'unit') ?? '姑苏分局',
    reportedAtMs,
  };
}

/** Reads the body of a change of state: one digit, known or not. */
export function decodeCaseState(value: unknown): string {
  const state = text((value ?? {}) as Readonly<Record<string, unknown>>, 'state');
  return state !== null && /^\d$/.test(state) ? state : missing('state');
}

const TEXT_CHARS_MAX = 500;

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
