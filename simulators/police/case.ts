// A case of the police as it goes over the wire, decoded from what the control is given.
import type { Way } from '../departments/handling.ts';
import type { Step } from '../departments/work-books.ts';
import { parseTimeMs } from '../local-time.ts';

export interface CaseRow {
  /** 接警单编号: `JJ320508`, day, six digits. */
  readonly JJDBH: string;
  /** 01 治安, 02 刑事, 03 交通, 04 求助, 05 纠纷, 99 其他. */
  readonly AJLB: string;
  /** 0 已接警, 1 已派警, 2 已到场, 3 已办结, 9 已退回. */
  readonly AJZT: string;
  /** yyyyMMddHHmmss, Asia/Shanghai. */
  readonly BJSJ: string;
  readonly FADD: string;
  readonly CJDW: string;
  /** Reason of 退回. */
  readonly TSYY?: string;
  /** 处理结果 */
  readonly CLJG?: string;
}

export interface NewCase {
  readonly externalRef: string;
  readonly category: string;
  readonly place: string;
  readonly unit: string;
  readonly reportedAtMs: number;
}

/** A case that another authority hands over. */
export interface HandedOverCase {
  /** LSH 移送流水号, of whoever hands it over. */
  readonly serialNo: string;
  readonly title: string;
  readonly content: string | null;
  readonly division: string;
  readonly place: string;
  readonly category: string;
}

/** Reasons of 退回: 01 不属公安管辖, 02 不属本辖区, 03 要素不全, 04 重复移送, 05 已立案侦查, 99 其他. */
export const WAY: Way = {
  states: ['0', '1', '2', '3'],
  returnsIn: ['0', '1'],
  returned: '9',
  reasons: ['01', '02', '03', '04', '99'],
  settled: '3',
  results: ['现场调解，双方和解', '已依法处理', '已劝离并恢复秩序', '已处罚并责令改正'],
};

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

/** Reads the body of a change of state: one digit, known or not, with the reason of a return or the result. */
export function decodeCaseStep(value: unknown): Step {
  const given = (value ?? {}) as Readonly<Record<string, unknown>>;
  const state = text(given, 'state');
  if (state === null || !/^\d$/.test(state)) return missing('state');
  return { state, reason: text(given, 'reason'), result: text(given, 'result') };
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
