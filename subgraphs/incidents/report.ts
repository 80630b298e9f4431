// Decodes what is to become an incident: the data of a report event, or the input of reportIncident.
import { z } from 'zod';
import { parseDateTime } from '../date-time.ts';
import {
  type Channel,
  isChannel,
  isReporterKind,
  isUrgency,
  type ReporterKind,
  type Urgency,
} from './labels.ts';
import { type Mend, mendFields } from './mend-report.ts';
import {
  ADDRESS_LENGTH_MAX,
  CODE_LENGTH_MAX,
  CONTACT_LENGTH_MAX,
  DESCRIPTION_LENGTH_MAX,
  EXTERNAL_NUMBERS_MAX,
  isDivisionCode,
  NAME_LENGTH_MAX,
  REPORTERS_MAX,
  TITLE_LENGTH_MAX,
} from './report-limits.ts';

/** Who told us; how to reach them is personal information. */
export interface ReportedBy {
  readonly kind: ReporterKind;
  readonly name: string | null;
  readonly contact: string | null;
}

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
  readonly urgency: Urgency;
  readonly confidential: boolean;
  /** CGCS2000, degrees; null where it is not known. */
  readonly position: { readonly longitude: number; readonly latitude: number } | null;
  /** At least one. */
  readonly reporters: readonly ReportedBy[];
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
const DEGREES = 'expected longitude -180 to 180 and latitude -90 to 90';

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
  urgency: z
    .custom<Urgency>(isUrgency, 'expected a value of the enum Urgency')
    .nullish()
    .transform((value) => value ?? 'NORMAL'),
  confidential: z
    .boolean('expected true or false')
    .nullish()
    .transform((value) => value ?? false),
  position: z
    .object({
      longitude: z.number('expected degrees').min(-180, DEGREES).max(180, DEGREES),
      latitude: z.number('expected degrees').min(-90, DEGREES).max(90, DEGREES),
    })
    .nullish()
    .transform((value) => value ?? null),
  reporters: z
    .array(
      z.object({
        kind: z.custom<ReporterKind>(isReporterKind, 'expected a value of the enum ReporterKind'),
        name: optional(NAME_LENGTH_MAX),
        contact: optional(CONTACT_LENGTH_MAX),
      }),
    )
    .max(REPORTERS_MAX, `expected at most ${REPORTERS_MAX}`)
    .nullish()
    .transform((value) => value ?? []),
});

/** `argument` is the field that is wrong, `problem` what was expected of it. */
interface InvalidReport {
  readonly kind: 'invalid';
  readonly argument: string;
  readonly problem: string;
}

export type DecodedReport = { readonly kind: 'report'; readonly report: Report } | InvalidReport;

export type DecodedReportEvent =
  | { readonly kind: 'report'; readonly report: Report; readonly mends: readonly Mend[] }
  | InvalidReport;

/** Channel, title and reportedAt must be there; empty text counts as absent. Whoever has typed it can mend it: nothing is. */
export function decodeReport(fields: Readonly<Record<string, unknown>>): DecodedReport {
  const parsed = REPORT.safeParse(fields);
  if (parsed.success) return { kind: 'report', report: withReporter(parsed.data) };
  const issue = parsed.error.issues[0];
  const problem = issue?.message ?? 'expected a report';
  return { kind: 'invalid', argument: issue?.path.join('.') ?? '', problem };
}

/** Somebody told it, even where nothing is known of them. */
function withReporter(report: Report): Report {
  if (report.reporters.length > 0) return report;
  const kind = report.channel === 'SYSTEM_PUSH' ? 'EXTERNAL_SYSTEM' : 'CITIZEN';
  return { ...report, reporters: [{ kind, name: null, contact: null }] };
}

/**
 * The data of an event of the topic incident-report: external numbers are an object there. The system that told it has
 * its acknowledgement already and will not tell it again, so that only a report without title, channel or reportedAt is refused.
 */
export function decodeReportEvent(data: Readonly<Record<string, unknown>>): DecodedReportEvent {
  const { fields, mends } = mendFields(data);
  const decoded = decodeReport(fields);
  return decoded.kind === 'invalid' ? decoded : { ...decoded, mends };
}
