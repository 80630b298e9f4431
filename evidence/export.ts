// The document in which evidence of one subject leaves the hub, and what its parts must look like.
import type { KeyObject } from 'node:crypto';
import { z } from 'zod';
import type { Checkpoint, CheckpointSigner, Head } from './checkpoint.ts';
import { thumbprint } from './checkpoint.ts';
import type { EvidenceEntry, EvidenceValue } from './entry.ts';
import { canonicalText, HASH_ALGORITHMS } from './hash.ts';

export const EXPORT_FORMAT = 'weft-evidence-1';

const hex32 = z.string().regex(/^[0-9a-f]{64}$/, 'expected 64 hexadecimal digits');
const instant = z.iso.datetime({ error: 'expected an instant in UTC' });
const keyId = z.string().regex(/^[A-Za-z0-9_-]{43}$/, 'expected a thumbprint of RFC 7638');
const signature = z.string().regex(/^[A-Za-z0-9_-]{86}$/, 'expected an Ed25519 signature in base64url');
const algorithm = z.enum(HASH_ALGORITHMS);
const count = z.int().min(1);
const json: z.ZodType<EvidenceValue> = z.json();

const FIELD = z
  .strictObject({ digest: hex32, salt: z.string().optional(), value: json.optional() })
  .refine(({ salt, value }) => (salt === undefined) === (value === undefined), {
    error: 'expected salt and value, or neither',
  });

const ENTRY = z.strictObject({
  subject: z.string().min(1),
  sequence: count,
  algorithm,
  previousHash: hex32,
  fields: z.record(z.string(), FIELD),
  hash: hex32,
});

const CHECKPOINT = z.strictObject({
  number: count,
  at: instant,
  algorithm,
  treeSize: count,
  rootHash: hex32,
  previousHash: hex32,
  keyId,
  signature,
});

const EXPORT = z.strictObject({
  format: z.literal(EXPORT_FORMAT),
  head: z.strictObject({
    subject: z.string().min(1),
    sequence: count,
    hash: hex32,
    exportedAt: instant,
    keyId,
    signature,
  }),
  entries: z.array(ENTRY).min(1, 'expected at least one entry'),
  proofs: z.array(
    z.strictObject({ sequence: count, checkpoint: count, index: z.int().min(0), path: z.array(hex32) }),
  ),
  checkpoints: z.array(CHECKPOINT),
  keys: z.array(
    z.strictObject({
      keyId,
      jwk: z.strictObject({ kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: z.string() }),
    }),
  ),
});

/** That an entry is in the tree of a checkpoint. */
export interface InclusionProof {
  /** Of the entry. */
  readonly sequence: number;
  /** The checkpoint's number. */
  readonly checkpoint: number;
  /** Of the entry among those of the checkpoint. */
  readonly index: number;
  /** Hex, the lowest node first. */
  readonly path: readonly string[];
}

export interface EvidenceExport {
  readonly format: typeof EXPORT_FORMAT;
  readonly head: Head;
  readonly entries: readonly EvidenceEntry[];
  readonly proofs: readonly InclusionProof[];
  readonly checkpoints: readonly Checkpoint[];
  /** The public keys that signed; which of them to trust must be known by another way. */
  readonly keys: readonly {
    readonly keyId: string;
    readonly jwk: { kty: 'OKP'; crv: 'Ed25519'; x: string };
  }[];
}

export interface ExportParts {
  readonly entries: readonly EvidenceEntry[];
  readonly proofs: readonly InclusionProof[];
  readonly checkpoints: readonly Checkpoint[];
  /** Public keys of all who signed the checkpoints. */
  readonly publicKeys: readonly KeyObject[];
  readonly signer: CheckpointSigner;
  readonly exportedAt: Date;
}

/**
 * The text of an export: RFC 8785, and a line end.
 * @throws RangeError when there is no entry
 */
export function writeExport(parts: ExportParts): string {
  const { entries, proofs, checkpoints, signer, exportedAt } = parts;
  const last = entries.at(-1);
  if (last === undefined) throw new RangeError('there is no evidence to export');
  const { subject, sequence, hash } = last;
  const head = signer.sign({ subject, sequence, hash, exportedAt: exportedAt.toISOString() });
  const known = new Map([...parts.publicKeys, signer.publicKey].map((key) => [thumbprint(key), key]));
  const keys = [...known].map(([id, key]) => ({ keyId: id, jwk: key.export({ format: 'jwk' }) }));
  return `${canonicalText({ format: EXPORT_FORMAT, head, entries, proofs, checkpoints, keys })}\n`;
}

export type ReadExport =
  | { readonly kind: 'export'; readonly content: EvidenceExport }
  | { readonly kind: 'bad'; readonly where: string; readonly problem: string };

/** Reads an export; what it says is not believed yet. */
export function readExport(text: string): ReadExport {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (thrown) {
    return { kind: 'bad', where: 'the file', problem: `is not JSON: ${(thrown as Error).message}` };
  }
  const parsed = EXPORT.safeParse(value);
  if (parsed.success) return { kind: 'export', content: parsed.data as EvidenceExport };
  const [issue] = parsed.error.issues;
  return { kind: 'bad', where: placeOf(issue?.path ?? []), problem: issue?.message ?? 'is no export' };
}

/** `entries[2].fields.reason` */
export function placeOf(path: readonly PropertyKey[]): string {
  const text = path
    .map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`))
    .join('')
    .replace(/^\./, '');
  return text === '' ? 'the file' : text;
}
