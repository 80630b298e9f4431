// An order of the hotline as it goes over the wire, decoded from what the control is given.
import { pickGridCode } from '../city/divisions.ts';
import { parseTimeMs, toLocalSeconds } from '../local-time.ts';

export interface OrderRow {
  /** `GS`, day of acceptance, six digits. */
  readonly orderNo: string;
  readonly subject: string;
  readonly content: string;
  /** 1 咨询, 2 求助, 3 投诉, 4 举报, 5 建议, 6 感谢/表扬, 9 其他 (GB/T 33358). */
  readonly kind: string;
  /** 10 待受理, 20 已派遣, 30 处置中, 40 待回访, 50 已结案, 90 已退回. */
  readonly state: string;
  readonly areaCode: string;
  readonly address: string;
  /** CGCS2000, degrees; null where nobody has put it on the map. */
  readonly longitude: number | null;
  readonly latitude: number | null;
  readonly gridNo: string | null;
  readonly receiptNo: string | null;
  /** 5 digits of GB/T 47678.5. */
  readonly itemCode: string | null;
  readonly source: string;
  readonly confidential: boolean;
  readonly acceptTime: string;
  readonly updateTime: string;
  /** Version of the order, from 1. */
  readonly seq: number;
}

/** An order that is not numbered yet. */
export interface NewOrder {
  readonly externalRef: string;
  readonly acceptTimeMs: number;
  readonly row: Omit<OrderRow, 'orderNo' | 'updateTime'>;
}

const TEXT_CHARS_MAX = 4_000;

/** Reads one order of `POST /_control/orders`; throws TypeError naming the field. Codes are checked by form only. */
export function decodeNewOrder(value: unknown, nowMs: number): NewOrder {
  if (typeof value !== 'object' || value === null) throw new TypeError('order: expected an object');
  const given = value as Readonly<Record<string, unknown>>;
  const externalRef = text(given, 'externalRef', /^.{1,200}$/s) ?? missing('externalRef');
  const areaCode = text(given, 'areaCode', /^\d{12}$/) ?? missing('areaCode');
  const acceptTime = text(given, 'acceptTime', /^.{1,40}$/);
  const acceptTimeMs = acceptTime === null ? nowMs : (parseTimeMs(acceptTime) ?? missing('acceptTime'));
  return {
    externalRef,
    acceptTimeMs,
    row: {
      subject: text(given, 'subject') ?? missing('subject'),
      content: text(given, 'content') ?? '',
      kind: text(given, 'kind', /^\d$/) ?? '9',
      state: '10',
      areaCode,
      address: text(given, 'address') ?? '',
      longitude: degrees(given, 'longitude', 180),
      latitude: degrees(given, 'latitude', 90),
      gridNo: text(given, 'gridNo', /^\d{15}$/) ?? pickGridCode(areaCode, externalRef),
      receiptNo: text(given, 'receiptNo', /^\w{1,40}$/),
      itemCode: text(given, 'itemCode', /^\d{5}$/),
      source: text(given, 'source', /^[A-Z]{1,10}$/) ?? 'PHONE',
      confidential: given.confidential === true,
      acceptTime: toLocalSeconds(acceptTimeMs),
      seq: 1,
    },
  };
}

/** Reads the body of a change of state: two digits, known or not. */
export function decodeState(value: unknown): string {
  const given = (value ?? {}) as Readonly<Record<string, unknown>>;
  return text(given, 'state', /^\d{2}$/) ?? missing('state');
}

function text(given: Readonly<Record<string, unknown>>, name: string, form?: RegExp): string | null {
  const value = given[name];
  if (value === undefined || value === null) return null;
  if (typeof value !== 'string' || value.length > TEXT_CHARS_MAX)
    throw new TypeError(`${name}: expected a text`);
  if (form !== undefined && !form.test(value))
    throw new TypeError(`${name}: ${JSON.stringify(value)} is not of its form`);
  return value;
}

function degrees(given: Readonly<Record<string, unknown>>, name: string, max: number): number | null {
  const value = given[name];
  if (value === undefined || value === null) return null;
  if (typeof value !== 'number' || !(Math.abs(value) <= max))
    throw new TypeError(`${name}: expected degrees from -${max} to ${max}`);
  return value;
}

function missing(name: string): never {
  throw new TypeError(`${name}: missing or not readable`);
}
