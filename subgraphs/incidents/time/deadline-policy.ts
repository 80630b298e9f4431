// Which deadlines a dispatch has: by urgency and matter, in working time or around the clock, as data.
import { readJson } from '@weft/core/read-json';
import { z } from 'zod';
import { type DeadlineKind, URGENCY_LABELS, type Urgency } from '../labels.ts';
import {
  addTime,
  addWorkingTime,
  type Due,
  type Interval,
  type WorkingHours,
  workingDayMs,
} from './working-time.ts';

/** By the level of the owning centre's division. */
export const CENTRE_KINDS = ['CITY', 'COUNTY', 'TOWN', 'COMMUNITY'] as const;
export type CentreKind = (typeof CENTRE_KINDS)[number];

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
/** Working days or days, of one deadline. */
const DAYS_MAX = 365;

const clockTime = /^(?:[01]\d|2[0-3]):[0-5]\d-(?:(?:[01]\d|2[0-3]):[0-5]\d|24:00)$/;
const hoursOfDay = z
  .array(z.string().regex(clockTime, 'expected a span such as 09:00-12:00'))
  .min(1)
  .max(6)
  .transform((spans) => spans.map(decodeSpan))
  .refine(isInOrder, 'expected spans that follow one another, each ending after it begins');
/** `{ minutes }`, `{ hours }` or `{ days }`; a day is a working day where the clock is WORKING. */
const span = z.union([
  z.strictObject({
    minutes: z
      .number()
      .int()
      .positive()
      .max(DAYS_MAX * 1_440),
  }),
  z.strictObject({
    hours: z
      .number()
      .positive()
      .max(DAYS_MAX * 24),
  }),
  z.strictObject({ days: z.number().positive().max(DAYS_MAX) }),
]);
const rule = z.strictObject({
  /** Left out: of any urgency. */
  urgency: z.enum(Object.keys(URGENCY_LABELS) as [Urgency, ...Urgency[]]).optional(),
  /** A code of GB/T 47678.5-2026 or its first digits; left out: of any matter. */
  matter: z
    .string()
    .regex(/^\d{2,5}$/, 'expected 2 to 5 digits')
    .optional(),
  /** WORKING counts working hours, ALWAYS every hour of every day. */
  clock: z.enum(['WORKING', 'ALWAYS']),
  sign: span,
  return: span,
  handle: span,
  reply: span,
});
const POLICY = z.strictObject({
  workingHours: z.strictObject({
    default: hoursOfDay,
    CITY: hoursOfDay.optional(),
    COUNTY: hoursOfDay.optional(),
    TOWN: hoursOfDay.optional(),
    COMMUNITY: hoursOfDay.optional(),
  }),
  /** The first that fits counts; the last must fit everything. */
  rules: z
    .array(rule)
    .min(1)
    .max(200)
    .refine((rules) => {
      const last = rules.at(-1);
      return last?.urgency === undefined && last?.matter === undefined;
    }, 'expected a last rule without urgency and matter, which fits the rest'),
  /** Extensions of one attempt. */
  extensionsMax: z.number().int().min(0).max(20),
  /** From so many returns on, an incident is marked. */
  returnsWarn: z.number().int().min(1).max(100),
});

export type DeadlinePolicy = z.infer<typeof POLICY>;

/** 办理时限 as the hub has them where nobody sets others. */
export const DEFAULT_POLICY: DeadlinePolicy = POLICY.parse({
  workingHours: { default: ['09:00-12:00', '13:30-17:30'] },
  rules: [
    {
      urgency: 'CRITICAL',
      clock: 'ALWAYS',
      sign: { minutes: 30 },
      return: { hours: 1 },
      handle: { hours: 4 },
      reply: { hours: 24 },
    },
    {
      urgency: 'URGENT',
      clock: 'ALWAYS',
      sign: { hours: 1 },
      return: { hours: 2 },
      handle: { hours: 24 },
      reply: { hours: 48 },
    },
    { clock: 'WORKING', sign: { hours: 2 }, return: { days: 1 }, handle: { days: 5 }, reply: { days: 7 } },
  ],
  extensionsMax: 2,
  returnsWarn: 2,
});

/** @param file the setting WEFT_DEADLINES_FILE. @throws OperatorError naming what is wrong in it */
export function readDeadlinePolicy(file: string | undefined): DeadlinePolicy {
  return file === undefined ? DEFAULT_POLICY : readJson('WEFT_DEADLINES_FILE', file, POLICY);
}

/** The same from what was read already. @throws ZodError */
export function parsePolicy(value: unknown): DeadlinePolicy {
  return POLICY.parse(value);
}

/** What of an incident decides its deadlines. */
export interface Timed {
  readonly urgency: string;
  readonly matter: string | null;
  /** Division of the owning centre; null: the default hours. */
  readonly centreDivision: string | null;
}

/** When a deadline that begins at `start` ends. */
export function dueOf(policy: DeadlinePolicy, kind: DeadlineKind, start: Date, timed: Timed): Due {
  const rule = policy.rules.find(
    ({ urgency, matter }) =>
      (urgency === undefined || urgency === timed.urgency) &&
      (matter === undefined || (timed.matter?.startsWith(matter) ?? false)),
  );
  // The schema has the last rule fit everything.
  const { clock, ...spans } = rule ?? (policy.rules.at(-1) as DeadlinePolicy['rules'][number]);
  const given = spans[SPAN_NAMES[kind]];
  if (clock === 'ALWAYS') return addTime(start, spanMs(given, 24 * HOUR_MS));
  const hours = hoursOf(policy, timed.centreDivision);
  return addWorkingTime(start, spanMs(given, workingDayMs(hours)), hours);
}

const SPAN_NAMES = { SIGN: 'sign', RETURN: 'return', HANDLE: 'handle', REPLY: 'reply' } as const;

function spanMs(given: z.infer<typeof span>, dayMs: number): number {
  if ('minutes' in given) return given.minutes * MINUTE_MS;
  return 'hours' in given ? given.hours * HOUR_MS : given.days * dayMs;
}

/** The working hours that a centre keeps. */
export function hoursOf({ workingHours }: DeadlinePolicy, centreDivision: string | null): WorkingHours {
  const kind = centreDivision === null ? undefined : centreKindOf(centreDivision);
  return (kind === undefined ? undefined : workingHours[kind]) ?? workingHours.default;
}

/** GB/T 2260 and GB/T 10114: up to 4 digits a city, 6 a county, 9 a town; what is longer lies below. */
export function centreKindOf(division: string): CentreKind {
  if (division.length <= 4) return 'CITY';
  if (division.length <= 6) return 'COUNTY';
  return division.length <= 9 ? 'TOWN' : 'COMMUNITY';
}

function decodeSpan(text: string): Interval {
  const [from = '', to = ''] = text.split('-');
  return { from: clockMs(from), to: clockMs(to) };
}

function clockMs(text: string): number {
  const [hours = 0, minutes = 0] = text.split(':').map(Number);
  return hours * HOUR_MS + minutes * MINUTE_MS;
}

function isInOrder(spans: readonly Interval[]): boolean {
  return spans.every(({ from, to }, index) => from < to && (spans[index - 1]?.to ?? 0) <= from);
}
