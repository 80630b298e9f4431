// The methods of a mapping: what each takes, and what it makes of a value.
import { HubError } from '@weft/core/errors';
import { toDateTime } from './date-time.ts';
import { compare, isSame, readOwn, roundNoise, toList, toNumber, toText } from './values.ts';

/** Text that a mapping makes is bounded, so that no chain of `->concat` fills the memory. */
export const MAPPING_RESULT_CHARS_MAX = 1_000_000;

/** What a method sees besides the value and its arguments. */
export interface MethodContext {
  readonly timezone?: string;
  readonly onUnknownValue?: (value: unknown) => void;
}

/** What is known of the result before anything runs: one value, a list, one element of the value, or whatever the value is. */
export type MethodResult = 'value' | 'list' | 'element' | 'same';

export interface Method {
  readonly argsMin: number;
  readonly argsMax: number;
  readonly result: MethodResult;
  apply(value: unknown, args: readonly unknown[], context: MethodContext): unknown;
}

const DEFAULT_TIMEZONE = 'Asia/Shanghai';
const ARGS_MAX = 32;
const INT_MAX = Number.MAX_SAFE_INTEGER;

/** Every method but `match`, which the compiler itself turns into a table. Values are never undefined: what is absent is null. */
export const METHODS: ReadonlyMap<string, Method> = new Map<string, Method>([
  ['eq', method(1, 'value', (value, [other]) => other === null || isSame(value, other))],
  ['ne', method(1, 'value', (value, [other]) => !isSame(value, other))],
  ['gt', method(1, 'value', (value, [other]) => (compare(value, other) ?? 0) > 0)],
  ['lt', method(1, 'value', (value, [other]) => (compare(value, other) ?? 0) < 0)],
  ['and', variadic('value', (value, args) => value === true && args.every((arg) => arg === true))],
  ['or', variadic('value', (value, args) => value === true || args.some((arg) => arg === true))],
  ['not', method(0, 'value', (value) => value !== true)],
  ['under', method(1, 'value', (value, [division]) => isUnder(value, division))],
  ['join', method(1, 'value', (value, [separator]) => joinList(value, separator))],
  ['split', method(1, 'list', (value, [separator]) => splitText(value, separator))],
  ['first', method(0, 'element', (value) => (Array.isArray(value) ? (value[0] ?? null) : value))],
  ['last', method(0, 'element', (value) => (Array.isArray(value) ? (value.at(-1) ?? null) : value))],
  ['list', method(0, 'list', (value) => toList(value))],
  ['size', method(0, 'value', (value) => (typeof value === 'string' ? value.length : toList(value).length))],
  ['find', method(2, 'element', (value, [field, sought]) => findIn(value, field, sought))],
  ['get', method(1, 'same', (value, [field]) => readOwn(value, toText(field) ?? ''))],
  ['int', method(0, 'value', (value, _, context) => told(value, wholeNumber(toNumber(value)), context))],
  ['number', method(0, 'value', (value, _, context) => told(value, toNumber(value), context))],
  ['string', method(0, 'value', (value) => toText(value))],
  ['trim', method(0, 'value', (value) => toText(value)?.trim() ?? null)],
  ['lower', method(0, 'value', (value) => toText(value)?.toLowerCase() ?? null)],
  ['upper', method(0, 'value', (value) => toText(value)?.toUpperCase() ?? null)],
  ['dateTime', method(0, 'value', (value, _, context) => told(value, dateTime(value, context), context))],
  ['mul', method(1, 'value', (value, [factor]) => calculate(value, factor, (a, b) => a * b))],
  ['div', method(1, 'value', (value, [divisor]) => calculate(value, divisor, (a, b) => a / b))],
  ['add', method(1, 'value', (value, [summand]) => calculate(value, summand, (a, b) => a + b))],
  ['default', method(1, 'same', (value, [otherwise]) => value ?? otherwise)],
  ['concat', variadic('value', (value, args) => concatTexts([value, ...args]))],
  [
    'slice',
    {
      argsMin: 1,
      argsMax: 2,
      result: 'same',
      apply: (value, [from, to]) => sliceOf(value, toNumber(from), toNumber(to ?? null)),
    },
  ],
]);

function method(argsCount: number, result: MethodResult, apply: Method['apply']): Method {
  return { argsMin: argsCount, argsMax: argsCount, result, apply };
}

function variadic(result: MethodResult, apply: Method['apply']): Method {
  return { argsMin: 1, argsMax: ARGS_MAX, result, apply };
}

/** Tells of a value that is there and could not be understood. */
function told<Result>(value: unknown, result: Result | null, context: MethodContext): Result | null {
  if (result === null && value !== null && value !== '') context.onUnknownValue?.(value);
  return result;
}

function isUnder(value: unknown, division: unknown): boolean {
  const prefix = toText(division);
  if (prefix === null) return division === null;
  const code = toText(value);
  return code?.startsWith(divisionPrefix(prefix)) ?? false;
}

/** The digits of each level of a division code: 2, 2, 2 (GB/T 2260), 3 (GB/T 10114), 3; a level of zeros says "all of it". */
function divisionPrefix(code: string): string {
  let prefix = code;
  if (prefix.length === 12 && prefix.endsWith('000')) prefix = prefix.slice(0, 9);
  if (prefix.length === 9 && prefix.endsWith('000')) prefix = prefix.slice(0, 6);
  if (prefix.length === 6 && prefix.endsWith('00')) prefix = prefix.slice(0, 4);
  if (prefix.length === 4 && prefix.endsWith('00')) prefix = prefix.slice(0, 2);
  return prefix;
}

function joinList(value: unknown, separator: unknown): string | null {
  if (value === null) return null;
  return bounded(textsOf(toList(value)), toText(separator) ?? '');
}

function concatTexts(values: readonly unknown[]): string | null {
  const texts = textsOf(values);
  return texts.length === 0 ? null : bounded(texts, '');
}

function textsOf(values: readonly unknown[]): readonly string[] {
  const texts: string[] = [];
  for (const value of values) {
    const text = toText(value);
    if (text !== null) texts.push(text);
  }
  return texts;
}

function bounded(texts: readonly string[], separator: string): string {
  let chars = texts.length * separator.length;
  for (const text of texts) chars += text.length;
  if (chars <= MAPPING_RESULT_CHARS_MAX) return texts.join(separator);
  throw new HubError(
    'LIMIT_EXCEEDED',
    `A mapping makes at most ${MAPPING_RESULT_CHARS_MAX} characters of text.`,
    {
      details: { limit: 'MAPPING_RESULT_CHARS_MAX' },
    },
  );
}

function splitText(value: unknown, separator: unknown): readonly string[] | null {
  const [text, cut] = [toText(value), toText(separator)];
  if (text === null || cut === null) return null;
  return text === '' ? [] : text.split(cut);
}

function findIn(value: unknown, field: unknown, sought: unknown): unknown {
  const name = toText(field);
  if (name === null || sought === null) return null;
  return toList(value).find((item) => isSame(readOwn(item, name), sought)) ?? null;
}

function wholeNumber(value: number | null): number | null {
  return value !== null && Number.isInteger(value) && Math.abs(value) <= INT_MAX ? value : null;
}

function dateTime(value: unknown, context: MethodContext): string | null {
  return toDateTime(value, context.timezone ?? DEFAULT_TIMEZONE);
}

function calculate(left: unknown, right: unknown, operate: (a: number, b: number) => number): number | null {
  const [a, b] = [toNumber(left), toNumber(right)];
  return a === null || b === null ? null : roundNoise(operate(a, b));
}

function sliceOf(value: unknown, from: number | null, to: number | null): unknown {
  if (Array.isArray(value)) return value.slice(from ?? 0, to ?? undefined);
  return toText(value)?.slice(from ?? 0, to ?? undefined) ?? null;
}
