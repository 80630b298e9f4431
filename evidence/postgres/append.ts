// Appends entries of evidence inside the caller's transaction.
import { HubError } from '@weft/core/errors';
import { type EvidenceEntry, type EvidenceFields, makeEntry } from '../entry.ts';
import type { HashAlgorithm } from '../hash.ts';

/** What is needed of the caller's transaction; its database holds the schema `evidence`. */
export interface EvidenceTransaction {
  query<Row extends Record<string, unknown>>(
    sql: string,
    parameters?: readonly unknown[],
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
// The fields travel as text inside a JSON parameter, so that PostgreSQL never unescapes a NUL in them.
const INSERT = `
INSERT INTO evidence.entry (subject, sequence, algorithm, previous_hash, fields, hash)
SELECT e->>'subject', (e->>'sequence')::int, $1, e->>'previousHash', (e->>'fields')::json, e->>'hash'
FROM json_array_elements($2::text::json) WITH ORDINALITY AS list(e, place) ORDER BY place`;

type Last = Pick<EvidenceEntry, 'subject' | 'sequence' | 'hash'>;

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
  const last = new Map<string, Last>(stored.map((row) => [row.subject, row]));
  const entries = added.map(({ subject, fields }) => {
    const entry = makeEntry({ subject, algorithm, previous: last.get(subject), fields });
    last.set(subject, entry);
    return entry;
  });
  await transaction.query(INSERT, [algorithm, JSON.stringify(entries.map(toRow))]);
  return entries;
}

function toRow({ subject, sequence, previousHash, fields, hash }: EvidenceEntry): object {
  // What is stored need not be in canonical form: a digest is over the value, whoever reads it brings it into that.
  const text = JSON.stringify(fields);
  requireLimit('FIELDS_CHARS_MAX', text.length, FIELDS_CHARS_MAX);
  return { subject, sequence, previousHash, fields: text, hash };
}

function requireLimit(limit: string, got: number, max: number): void {
  if (got <= max) return;
  throw new HubError('LIMIT_EXCEEDED', `evidence: ${limit} is ${max}, got ${got}`, {
    details: { limit, max, got },
  });
}
