// Keeps what could not be understood, with its reason and as it came.
import type { SqlTransaction } from '@weft/events/event-log';

export interface Quarantined {
  readonly system: string;
  readonly source: string;
  /** What is told again has the same id, and is kept once. */
  readonly dedupeId: string;
  /** The type that it was taken for, when that much is known. */
  readonly type: string | undefined;
  readonly reason: string;
  readonly body: Buffer;
  /** Of a row of a file: the file's path and the line. */
  readonly place?: string | undefined;
}

const INSERT = `
INSERT INTO connectors.quarantine (system, source, dedupe_id, type, reason, body, place)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bytea[], $7::text[])
ON CONFLICT (system, source, dedupe_id) DO NOTHING`;

/** Puts them away in the caller's transaction. */
export async function quarantine(transaction: SqlTransaction, items: readonly Quarantined[]): Promise<void> {
  if (items.length === 0) return;
  await transaction.query(INSERT, [
    items.map(({ system }) => system),
    items.map(({ source }) => source),
    items.map(({ dedupeId }) => dedupeId),
    items.map(({ type }) => type ?? null),
    items.map(({ reason }) => reason),
    items.map(({ body }) => body),
    items.map(({ place }) => place ?? null),
  ]);
}
