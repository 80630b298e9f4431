// What the methods of a mapping share: how values are read, compared and turned into text.

const PLAIN = new Set(['string', 'number', 'boolean', 'bigint']);

/** The own property `name` of `value`; null when there is none. Inherited names and `__proto__` are never seen. */
export function readOwn(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || name === '__proto__') return null;
  if (!Object.hasOwn(value, name)) return null;
  return (value as Readonly<Record<string, unknown>>)[name] ?? null;
}

/** A plain value (text, number, boolean, instant) as text; null for lists, objects and null. */
export function toText(value: unknown): string | null {
  if (typeof value === 'string') return value;
  if (PLAIN.has(typeof value)) return String(value);
  return value instanceof Date && !Number.isNaN(value.getTime()) ? value.toISOString() : null;
}

/** Whether two plain values are written alike, so that `1` meets `'1'`; two nulls are equal, lists and objects never. */
export function isSame(left: unknown, right: unknown): boolean {
  if (left === right) return typeof left !== 'object' || left === null;
  const text = toText(left);
  return text !== null && text === toText(right);
}

/** A number, or text that is one in decimal notation; null for anything else. */
export function toNumber(value: unknown): number | null {
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  if (typeof value === 'bigint') return Number(value);
  if (typeof value !== 'string') return null;
  if (isPlainDecimal(value)) return Number(value);
  return /^\s*[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?\s*$/.test(value)
    ? finite(Number(value))
    : null;
}

const ZERO = 48;
const NINE = 57;
const POINT = 46;
/** So few digits are always a finite number. */
const PLAIN_DECIMAL_CHARS_MAX = 32;

/** `12` and `12.50`, which most numbers are: a pattern takes several times as long to find that out. */
function isPlainDecimal(text: string): boolean {
  const { length } = text;
  if (length > PLAIN_DECIMAL_CHARS_MAX) return false;
  let points = 0;
  for (let at = 0; at < length; at += 1) {
    const code = text.charCodeAt(at);
    if (code >= ZERO && code <= NINE) continue;
    if (code !== POINT) return false;
    points += 1;
  }
  return length > points && points <= 1;
}

/** Negative, zero or positive; null when the two cannot be ordered. Numbers by value, other plain values by code unit. */
export function compare(left: unknown, right: unknown): number | null {
  const [leftNumber, rightNumber] = [toNumber(left), toNumber(right)];
  if (leftNumber !== null && rightNumber !== null) return leftNumber - rightNumber;
  const [leftText, rightText] = [toText(left), toText(right)];
  if (leftText === null || rightText === null) return null;
  return leftText < rightText ? -1 : leftText > rightText ? 1 : 0;
}

/** Without the binary noise of decimal arithmetic: 12.35 * 100 is 1235. Null when it is not finite. */
export function roundNoise(value: number): number | null {
  return Number.isFinite(value) ? Number(value.toPrecision(15)) : null;
}

/** A value as a list: a list is itself, null an empty one, anything else a list of one (what SOAP makes of one element). */
export function toList(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  return value === null || value === undefined ? [] : [value];
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
