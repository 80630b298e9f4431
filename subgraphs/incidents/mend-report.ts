// Makes the best of a report that another system has told: the report counts, not one bad field of it.
import { isReporterKind, isUrgency } from './labels.ts';
import {
  ADDRESS_LENGTH_MAX,
  CODE_LENGTH_MAX,
  CONTACT_LENGTH_MAX,
  DESCRIPTION_LENGTH_MAX,
  EXTERNAL_NUMBERS_MAX,
  isDivisionCode,
  NAME_LENGTH_MAX,
  TITLE_LENGTH_MAX,
} from './report-limits.ts';

/** What was changed about one field, for the log. */
export interface Mend {
  /** Its path: `division`, `externalNumbers.gridCode`. */
  readonly field: string;
  readonly problem: string;
}

/** The fields as `decodeReport` takes them, and what had to be changed for that. */
export interface MendedFields {
  readonly fields: Readonly<Record<string, unknown>>;
  readonly mends: readonly Mend[];
}

/**
 * Cuts text that is too long, and drops optional fields and external numbers that cannot be kept. What makes a report one
 * - title, channel, reportedAt - is left for `decodeReport` to refuse.
 */
export function mendFields(data: Readonly<Record<string, unknown>>): MendedFields {
  const mends: Mend[] = [];
  const tell = (field: string, problem: string) => void mends.push({ field, problem });
  const fields = {
    channel: data.channel,
    title: cutText(textOf(data.title), 'title', TITLE_LENGTH_MAX, tell),
    description: mendText(data.description, 'description', DESCRIPTION_LENGTH_MAX, tell),
    matter: mendCode(data.matter, 'matter', tell),
    division: mendDivision(data.division, tell),
    address: mendText(data.address, 'address', ADDRESS_LENGTH_MAX, tell),
    reportedAt: data.reportedAt,
    externalNumbers: mendNumbers(data.externalNumbers, tell),
    urgency: mendUrgency(data.urgency, tell),
    confidential: mendConfidential(data.confidential, tell),
    position: mendPosition(data.longitude, data.latitude, tell),
    reporters: mendReporter(data, tell),
  };
  return { fields, mends };
}

type Tell = (field: string, problem: string) => void;

/** Old systems write codes as numbers, too. */
function textOf(value: unknown): unknown {
  return typeof value === 'number' ? String(value) : value;
}

/** Text that can be stored, trimmed; null for nothing; undefined for what is neither. */
function storableText(value: unknown): string | null | undefined {
  const text = textOf(value);
  if (text === undefined || text === null) return null;
  return typeof text === 'string' && !text.includes('\0') ? text.trim() || null : undefined;
}

function mendText(value: unknown, field: string, lengthMax: number, tell: Tell): unknown {
  const text = storableText(value);
  if (text === undefined) tell(field, 'dropped: expected text without NUL');
  return cutText(text ?? null, field, lengthMax, tell);
}

/** An ellipsis shows that there was more; the whole stands in the event log. */
function cutText(value: unknown, field: string, lengthMax: number, tell: Tell): unknown {
  const text = typeof value === 'string' ? value.trim() : value;
  if (typeof text !== 'string' || text.length <= lengthMax) return text;
  tell(field, `cut: expected at most ${lengthMax} characters, got ${text.length}`);
  // Half of a surrogate pair is no character.
  return `${text.slice(0, lengthMax - 1).replace(/[\uD800-\uDBFF]$/, '')}…`;
}

function mendCode(value: unknown, field: string, tell: Tell): string | null {
  const code = storableText(value);
  if (code === null) return null;
  if (code !== undefined && code.length <= CODE_LENGTH_MAX) return code;
  tell(field, `dropped: expected a code of at most ${CODE_LENGTH_MAX} characters`);
  return null;
}

function mendDivision(value: unknown, tell: Tell): string | null {
  const code = storableText(value);
  if (code === null) return null;
  if (code !== undefined && isDivisionCode(code)) return code;
  tell('division', 'dropped: expected a division code of letters, digits and hyphens');
  return null;
}

/** In an event external numbers are an object of kind to number; null or empty text is how old systems write "none". */
function mendNumbers(value: unknown, tell: Tell): readonly { kind: string; number: string }[] {
  if (value === undefined || value === null) return [];
  if (typeof value !== 'object' || Array.isArray(value)) {
    tell('externalNumbers', 'dropped: expected an object of kind to number');
    return [];
  }
  const numbers: { kind: string; number: string }[] = [];
  for (const [kind, given] of Object.entries(value)) {
    if (given === null || given === '') continue;
    const number = storableText(given);
    const name = storableText(kind);
    if (numbers.length === EXTERNAL_NUMBERS_MAX) {
      tell('externalNumbers', `cut: expected at most ${EXTERNAL_NUMBERS_MAX}`);
      break;
    }
    if (name && number && name.length <= CODE_LENGTH_MAX && number.length <= CODE_LENGTH_MAX)
      numbers.push({ kind: name, number });
    else
      tell(
        `externalNumbers.${kind.slice(0, CODE_LENGTH_MAX)}`,
        `dropped: expected kind and number of 1 to ${CODE_LENGTH_MAX} characters`,
      );
  }
  return numbers;
}

function mendUrgency(value: unknown, tell: Tell): unknown {
  if (value === undefined || value === null || value === '' || isUrgency(value)) return value || null;
  tell('urgency', 'dropped: expected a value of the enum Urgency');
  return null;
}

/** What cannot be read is kept from view: the other way round could not be mended. */
function mendConfidential(value: unknown, tell: Tell): boolean {
  const text = String(value ?? '')
    .trim()
    .toLowerCase();
  if (['', 'false', '0', '否'].includes(text)) return false;
  if (!['true', '1', '是'].includes(text)) tell('confidential', 'taken as true: expected true or false');
  return true;
}

function mendPosition(longitude: unknown, latitude: unknown, tell: Tell): unknown {
  const isAbsent = [longitude, latitude].every(
    (value) => value === undefined || value === null || value === '',
  );
  if (isAbsent) return null;
  const [east, north] = [longitude, latitude].map((value) =>
    value === null || value === '' ? Number.NaN : Number(value),
  );
  // Old systems write 0, 0 for a place that they do not know.
  const isPlace = east !== undefined && north !== undefined && Math.abs(east) <= 180 && Math.abs(north) <= 90;
  if (isPlace && (east !== 0 || north !== 0)) return { longitude: east, latitude: north };
  tell('position', 'dropped: expected longitude and latitude in degrees');
  return null;
}

function mendReporter(data: Readonly<Record<string, unknown>>, tell: Tell): unknown {
  const { reporterKind, reporterName, reporterContact } = data;
  const isAbsent = [reporterKind, reporterName, reporterContact].every(
    (value) => value === undefined || value === null || value === '',
  );
  if (isAbsent) return [];
  const isKnown = isReporterKind(reporterKind);
  if (!isKnown && reporterKind !== undefined && reporterKind !== null)
    tell('reporterKind', 'taken as CITIZEN: expected a value of the enum ReporterKind');
  const name = mendText(reporterName, 'reporterName', NAME_LENGTH_MAX, tell);
  const contact = mendText(reporterContact, 'reporterContact', CONTACT_LENGTH_MAX, tell);
  return [{ kind: isKnown ? reporterKind : 'CITIZEN', name, contact }];
}
