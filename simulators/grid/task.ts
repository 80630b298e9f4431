// A task that the grid platform gives to a grid worker, decoded from what the grid's control is given.
import { parseTimeMs } from '../local-time.ts';

export interface NewGridTask {
  readonly gridCode: string;
  /** 1 巡查走访, 2 信息采集, 3 事件核查, 4 政策宣传. */
  readonly kind: string;
  readonly title: string;
  readonly content: string;
  /** 1 一般, 2 紧急, 3 特急. */
  readonly urgency: string;
  readonly dueAtMs: number | null;
}

const TITLE_CHARS_MAX = 200;
const CONTENT_CHARS_MAX = 2_000;

/** Reads one task of `POST /_control/tasks`; throws TypeError naming the field. Codes are checked by form only. */
export function decodeGridTask(value: unknown): NewGridTask {
  if (typeof value !== 'object' || value === null) throw new TypeError('task: expected an object');
  const given = value as Readonly<Record<string, unknown>>;
  const dueAt = given.dueAt ?? null;
  const dueAtMs = typeof dueAt === 'string' ? parseTimeMs(dueAt) : dueAt === null ? null : undefined;
  if (dueAtMs === undefined) throw new TypeError('dueAt: not readable');
  return {
    gridCode: readText(given, 'gridCode', /^\d{15}$/),
    kind: readText(given, 'kind', /^\d$/, '1'),
    title: readText(given, 'title', new RegExp(`^.{1,${TITLE_CHARS_MAX}}$`, 's')),
    content: readText(given, 'content', new RegExp(`^.{0,${CONTENT_CHARS_MAX}}$`, 's'), ''),
    urgency: readText(given, 'urgency', /^\d$/, '1'),
    dueAtMs,
  };
}

function readText(
  given: Readonly<Record<string, unknown>>,
  name: string,
  form: RegExp,
  absent?: string,
): string {
  const value = given[name] ?? absent;
  if (typeof value === 'string' && form.test(value)) return value;
  throw new TypeError(`${name}: missing or not readable`);
}
