// Names a document in the log without showing it: what a client writes into its text may be about persons.
import { createHash } from 'node:crypto';
import type { PreparedOperation } from '../engine.ts';

const HEX_DIGITS = 16;

const hashes = new WeakMap<PreparedOperation, string>();

/** The first 16 hex digits of the SHA-256 of the text; reckoned once for each prepared operation. */
export function documentHashOf(prepared: PreparedOperation, query: string): string {
  const known = hashes.get(prepared);
  if (known !== undefined) return known;
  const hash = createHash('sha256').update(query).digest('hex').slice(0, HEX_DIGITS);
  hashes.set(prepared, hash);
  return hash;
}
