// Decodes what is to become an incident: the data of a report event, or the input of reportIncident.
import { z } from 'zod';
import { parseDateTime } from '../date-time.ts';
import { type Channel, isChannel } from './labels.ts';

/** Characters of a title, a description, an address, a code or number. */
const TITLE_LENGTH_MAX = 500;
const DESCRIPTION_LENGTH_MAX = 20_000;
const ADDRESS_LENGTH_MAX = 500;
export const CODE_LENGTH_MAX = 64;
const EXTERNAL_NUMBERS_MAX = 20;

/** A report that can be put into the library. */
export interface Report {
  readonly channel: Channel;
  readonly title: string;
  readonly description: string | null;
  readonly matter: string | null;
  readonly division: string | null;
  readonly address: string | null;
  readonly reportedAt: Date;
  readonly externalNumbers: readonly { readonly kind: string; readonly number: string }[];
}

/** PostgreSQL keeps no NUL in text. */
const text = (max: number) =>
  z
    .string('expected text')
    .max(max, `expected at most ${max} characters`)
    .refine((value) => !value.includes('\0'), 'expected text without NUL');
/** Old systems write "nothing" as null or as an empty text. */
const optional = (max: number) =>
  text(max)
    .nullish()
    .transform((value) => value?.trim() || null);
const required = (max: number) => text(max).trim().min(1, 'expected text that is not empty');
const code = required(CODE_LENGTH_MAX);

const REPORT = z.object({
  channel: z.custom<Channel>(isChannel, 'expected a value of the enum Channel'),
  title: required(TITLE_LENGTH_MAX),
  description: optional(DESCRIPTION_LENGTH_MAX),
  matter: optional(CODE_LENGTH_MAX),
  division: optional(CODE_LENGTH_MAX).refine(
    (value) => value === null || isDivisionCode(value),
    'expected a division code of letters, digits and hyphens',
  ),
  address: optional(ADDRESS_LENGTH_MAX),
  reportedAt: z.unknown().transform((value, context) => {
    const date = value instanceof Date ? value : parseDateTime(String(value));
    if (date === undefined) context.addIssue('expected RFC 3339 with an offset');
    return date ?? z.NEVER;
  }),
  externalNumbers: z
    .array(z.object({ kind: code, number: code }))
    .max(EXTERNAL_NUMBERS_MAX, `expected at most ${EXTERNAL_NUMBERS_MAX}`),
});

export type DecodedReport =
  | { readonly kind: 'report'; readonly report: Report }
  /** `argument` is the field that is wrong, `problem` what was expected of it. */
  | { readonly kind: 'invalid'; readonly argument: string; readonly problem: string };

/** Channel, title and reportedAt must be there; empty text counts as absent. */
export function decodeReport(fields: Readonly<Record<string, unknown>>): DecodedReport {
  const parsed = REPORT.safeParse(fields);
  if (parsed.success) return { kind: 'report', report: parsed.data };
  const issue = parsed.error.issues[0];
  const problem = issue?.message ?? 'expected a report';
  return { kind: 'invalid', argument: issue?.path.join('.') ?? '', problem };
}

/** The data of an event of the topic incident-report: external numbers are an object there, a null number is left out. */
export function decodeReportEvent(data: Readonly<Record<string, unknown>>): DecodedReport {
  const { externalNumbers } = data;
  if (typeof externalNumbers !== 'object' || externalNumbers === null || Array.isArray(externalNumbers)) {
    return { kind: 'invalid', argument: 'externalNumbers', problem: 'expected an object of kind to number' };
  }
  const list = Object.entries(externalNumbers)
    .filter(([, number]) => number !== null && number !== '')
    .map(([kind, number]) => ({ kind, number: typeof number === 'number' ? String(number) : number }));
  return decodeReport({ ...data, externalNumbers: list });
}

/** Also keeps the wildcards of LIKE out of the filter by division. */
export function isDivisionCode(value: string): boolean {
  return /^[0-9A-Za-z-]{1,32}$/.test(value);
}
