// Reads the fields of what is handed over to a department, as its old system would: texts and numbers, bounded.

const TEXT_CHARS_MAX = 4_000;

/** A field that cannot be taken: the department refuses the work and names it. */
export class FieldError extends Error {
  readonly field: string;

  constructor(field: string, what: string) {
    super(`${field}${what}`);
    this.name = 'FieldError';
    this.field = field;
  }
}

export type Given = Readonly<Record<string, unknown>>;

/** The fields of an object; throws FieldError when it is none. */
export function readGiven(value: unknown): Given {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new FieldError('报文', '不是对象');
  return value as Given;
}

/** A text of at most 4,000 characters; null when absent or empty. */
export function optionalText(given: Given, name: string): string | null {
  const value = given[name];
  if (value === undefined || value === null || value === '') return null;
  if (typeof value !== 'string' || value.length > TEXT_CHARS_MAX) throw new FieldError(name, '格式错误');
  return value;
}

export function neededText(given: Given, name: string): string {
  const text = optionalText(given, name);
  if (text === null) throw new FieldError(name, '不能为空');
  return text;
}

/** A finite number, or its text; null when absent. */
export function optionalNumber(given: Given, name: string): number | null {
  const value = given[name];
  if (value === undefined || value === null || value === '') return null;
  const number = Number(value);
  if (!Number.isFinite(number)) throw new FieldError(name, '格式错误');
  return number;
}

/** A list of texts, at most `countMax`. */
export function textList(value: unknown, name: string, countMax: number): readonly string[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  const texts = list.filter((one): one is string => typeof one === 'string' && one !== '');
  if (texts.length === 0) throw new FieldError(name, '不能为空');
  if (texts.length > countMax) throw new FieldError(name, `最多${countMax}个`);
  return texts;
}
