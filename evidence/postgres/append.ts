// Appends an entry of evidence inside the caller's transaction.
import { HubError } from '@weft/core/errors';
import { type EvidenceEntry, type EvidenceFields, makeEntry } from '../entry.ts';
import { canonicalText, type HashAlgorithm } from '../hash.ts';

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
  readonly algorithm: HashAlgorithm;
  readonly fields: EvidenceFields;
}

/** Characters of the fields in JSON, at the most. */
const FIELDS_CHARS_MAX = 64_000;

const LAST = `SELECT sequence, hash FROM evidence.entry WHERE subject = $1 ORDER BY sequence DESC LIMIT 1`;
const INSERT = `
INSERT INTO evidence.entry (subject, sequence, algorithm, previous_hash, fields, hash)
VALUES ($1, $2, $3, $4, $5::text::json, $6)`;

/**
 * Commits or rolls back with what it is evidence of.
 * @throws HubError LIMIT_EXCEEDED when the fields are too long; what the transaction rejects with
 */
export async function appendEvidence(
  transaction: EvidenceTransaction,
  { subject, algorithm, fields }: NewEvidence,
): Promise<EvidenceEntry> {
  const [previous] = await transaction.query<{ sequence: number; hash: string }>(LAST, [subject]);
  const entry = makeEntry({ subject, algorithm, previous, fields });
  const text = canonicalText(entry.fields);
  if (text.length > FIELDS_CHARS_MAX) {
    throw new HubError(
      'LIMIT_EXCEEDED',
      `evidence: FIELDS_CHARS_MAX is ${FIELDS_CHARS_MAX}, got ${text.length}`,
      {
        details: { limit: 'FIELDS_CHARS_MAX', max: FIELDS_CHARS_MAX, got: text.length },
      },
    );
  }
  const { sequence, previousHash, hash } = entry;
  await transaction.query(INSERT, [subject, sequence, algorithm, previousHash, text, hash]);
  return entry;
}
