// Appends entries of evidence inside the caller's transaction.
import { HubError } from '@weft/core/errors';
import { type EvidenceEntry, type EvidenceFields, makeEntry } from '../entry.ts';
import type { HashAlgorithm } from '../hash.ts';

/** What is needed of the caller's transaction; its database holds the schema `evidence`. */
export interface EvidenceTransaction {
  query<Row extends Record<string, unknown>>(
    sql: string,
    parameters: readonly unknown[],
  ): Promise<readonly Row[]>;
}

export interface NewEvidence {
  /** What it is of: `Incident:<id>`. Its writers must be serialised by the caller, else one of them fails (SQLSTATE 23505). */
  readonly subject: string;
  readonly fields: EvidenceFields;
}

/** Entries in one call, at the most. */
export const APPEND_ENTRIES_MAX = 5_000;
/** Characters of one entry's fields in JSON, at the most. */
const FIELDS_CHARS_MAX = 256_000;

const LAST = `
SELECT DISTINCT ON (subject) subject, sequence, hash FROM evidence.entry
WHERE subject = ANY($1) ORDER BY subject, sequence DESC`;
// The fields travel as text, so that PostgreSQL never unescapes a NUL in them.
const INSERT = `
INSERT INTO evidence.entry (subject, sequence, algorithm, previous_hash, fields, hash)
SELECT subject, sequence, $1::text, previous_hash, fields::json, hash
FROM unnest($2::text[], $3::int[], $4::text[], $5::text[], $6::text[])
  WITH ORDINALITY AS list(subject, sequence, previous_hash, fields, hash, place) ORDER BY place`;

/** What the next entry of a subject is chained to. */
export type LastEntry = Pick<EvidenceEntry, 'sequence' | 'hash'>;
type Last = LastEntry & { readonly subject: string };

/**
 * A sub-select for a statement of the caller's: the `LastEntry` of a subject as JSON, null when there is none. Whoever reads it is
 * the only writer of the subject until the transaction ends, and gives it to `appendEvidenceAfter`.
 * @param subject an expression of SQL
 */
export function lastEntrySql(subject: string): string {
  return `SELECT json_build_object('sequence', last.sequence, 'hash', last.hash) FROM evidence.entry last
    WHERE last.subject = ${subject} ORDER BY last.sequence DESC LIMIT 1`;
}

/**
 * Commits or rolls back with what it is evidence of. Two round trips, however many entries; those of one subject are
 * chained in the order of the list.
 * @throws HubError LIMIT_EXCEEDED when there are too many or their fields are too long; what the transaction rejects with
 */
export async function appendEvidence(
  transaction: EvidenceTransaction,
  algorithm: HashAlgorithm,
  added: readonly NewEvidence[],
): Promise<readonly EvidenceEntry[]> {
  if (added.length === 0) return [];
  requireLimit('APPEND_ENTRIES_MAX', added.length, APPEND_ENTRIES_MAX);
  const subjects = [...new Set(added.map(({ subject }) => subject))];
  const stored = await transaction.query<Last & Record<string, unknown>>(LAST, [subjects]);
  const last = new Map<string, LastEntry>(stored.map((row) => [row.subject, row]));
  const entries = added.map(({ subject, fields }) => {
    const entry = makeEntry({ subject, algorithm, previous: last.get(subject), fields });
    last.set(subject, entry);
    return entry;
  });
  await transaction.query(INSERT, [algorithm, ...toColumns(entries)]);
  return entries;
}

/**
 * The same for one entry, by who knows what it is chained to: one statement, whose rows need not be waited for.
 * @param previous by `lastEntrySql`, or what this returned; undefined before the first
 */
export async function appendEvidenceAfter(
  transaction: EvidenceTransaction,
  algorithm: HashAlgorithm,
  previous: LastEntry | undefined,
  { subject, fields }: NewEvidence,
): Promise<EvidenceEntry> {
  const entry = makeEntry({ subject, algorithm, previous, fields });
  await transaction.query(INSERT, [algorithm, ...toColumns([entry])]);
  return entry;
}

function toColumns(entries: readonly EvidenceEntry[]): readonly (readonly (string | number)[])[] {
  return [
    entries.map(({ subject }) => subject),
    entries.map(({ sequence }) => sequence),
    entries.map(({ previousHash }) => previousHash),
    entries.map(toText),
    entries.map(({ hash }) => hash),
  ];
}

function toText({ fields }: EvidenceEntry): string {
  // What is stored need not be in canonical form: a digest is over the value, whoever reads it brings it into that.
  const text = JSON.stringify(fields);
  requireLimit('FIELDS_CHARS_MAX', text.length, FIELDS_CHARS_MAX);
  return text;
}

function requireLimit(limit: string, got: number, max: number): void {
  if (got <= max) return;
  throw new HubError('LIMIT_EXCEEDED', `evidence: ${limit} is ${max}, got ${got}`, {
    details: { limit, max, got },
  });
}
