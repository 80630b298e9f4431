// Reads evidence of one subject: its entries, how far checkpoints reach, and the whole as an export.
import { createPublicKey } from 'node:crypto';
import { HubError } from '@weft/core/errors';
import type { Checkpoint, CheckpointSigner } from '../checkpoint.ts';
import { type EvidenceEntry, withoutFields } from '../entry.ts';
import { type InclusionProof, writeExport } from '../export.ts';
import { inclusionProof, leafHash } from '../merkle.ts';
import type { EvidenceTransaction } from './append.ts';
import { CHECKPOINT_COLUMNS, ENTRY_COLUMNS } from './columns.ts';

/** Entries of one subject that are read, at the most. */
export const ENTRIES_MAX = 10_000;

/** An entry, and the checkpoint that it is under. */
export interface StoredEntry extends EvidenceEntry {
  /** The checkpoint's number; null while there is none. */
  readonly checkpoint: number | null;
  readonly leafIndex: number | null;
}

const ENTRIES = `SELECT ${ENTRY_COLUMNS}, checkpoint, leaf_index AS "leafIndex"
FROM evidence.entry WHERE subject = $1 ORDER BY sequence LIMIT $2`;
const CHECKPOINTS = `SELECT ${CHECKPOINT_COLUMNS} FROM evidence.checkpoint WHERE number = ANY($1) ORDER BY number`;
const LEAVES = `SELECT checkpoint, hash FROM evidence.entry WHERE checkpoint = ANY($1) ORDER BY checkpoint, leaf_index`;
const KEYS = `SELECT jwk FROM evidence.key WHERE id = ANY($1)`;

/**
 * The first one first; empty when there is none.
 * @throws HubError LIMIT_EXCEEDED when there are more than ENTRIES_MAX
 */
export async function readEntries(
  database: EvidenceTransaction,
  subject: string,
): Promise<readonly StoredEntry[]> {
  const entries = await database.query<StoredEntry & Record<string, unknown>>(ENTRIES, [
    subject,
    ENTRIES_MAX + 1,
  ]);
  if (entries.length <= ENTRIES_MAX) return entries;
  throw new HubError(
    'LIMIT_EXCEEDED',
    `evidence: ENTRIES_MAX is ${ENTRIES_MAX}, and ${subject} has more entries`,
    {
      details: { limit: 'ENTRIES_MAX', max: ENTRIES_MAX },
    },
  );
}

export interface ExportRequest {
  readonly subject: string;
  /** Names of fields whose values are left out. */
  readonly leaveOut: ReadonlySet<string>;
  readonly signer: CheckpointSigner;
}

/** An export, and what is in it. */
export interface WrittenEvidence {
  readonly text: string;
  readonly entries: number;
  /** Entries that a signed checkpoint is over. */
  readonly proven: number;
  /** Names of all fields of its entries. */
  readonly fields: readonly string[];
  /** Names of fields whose values were left out of it. */
  readonly leftOut: readonly string[];
}

/**
 * An export of all that there is of a subject.
 * @throws HubError NOT_FOUND when there is nothing; LIMIT_EXCEEDED
 */
export async function exportEvidence(
  database: EvidenceTransaction,
  { subject, leaveOut, signer }: ExportRequest,
): Promise<WrittenEvidence> {
  const stored = await readEntries(database, subject);
  if (stored.length === 0) throw new HubError('NOT_FOUND', `there is no evidence of ${subject}`);
  const numbers = [...new Set(stored.flatMap(({ checkpoint }) => checkpoint ?? []))];
  const checkpoints = await database.query<Checkpoint & Record<string, unknown>>(CHECKPOINTS, [numbers]);
  const leaves = await database.query<{ checkpoint: number; hash: string }>(LEAVES, [numbers]);
  const keys = await database.query<{ jwk: { kty: string; crv: string; x: string } }>(KEYS, [
    checkpoints.map(({ keyId }) => keyId),
  ]);
  const text = writeExport({
    entries: stored.map(({ checkpoint: _, leafIndex: __, ...entry }) => withoutFields(entry, leaveOut)),
    proofs: proofsOf(stored, checkpoints, leaves),
    checkpoints,
    publicKeys: keys.map(({ jwk }) => createPublicKey({ key: jwk, format: 'jwk' })),
    signer,
    exportedAt: new Date(),
  });
  const names = new Set(stored.flatMap(({ fields }) => Object.keys(fields)));
  return {
    text,
    entries: stored.length,
    proven: stored.filter(({ checkpoint }) => checkpoint !== null).length,
    fields: [...names].sort(),
    leftOut: [...names].filter((name) => leaveOut.has(name)).sort(),
  };
}

function proofsOf(
  entries: readonly StoredEntry[],
  checkpoints: readonly Checkpoint[],
  leaves: readonly { readonly checkpoint: number; readonly hash: string }[],
): readonly InclusionProof[] {
  return checkpoints.flatMap(({ number, algorithm }) => {
    const tree = leaves
      .filter(({ checkpoint }) => checkpoint === number)
      .map(({ hash }) => leafHash(algorithm, hash));
    return entries.flatMap(({ sequence, checkpoint, leafIndex: index }) => {
      if (checkpoint !== number || index === null) return [];
      const path = inclusionProof(algorithm, tree, index).map((node) => node.toString('hex'));
      return [{ sequence, checkpoint: number, index, path }];
    });
  });
}
