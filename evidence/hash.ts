// The hash functions of evidence, and domains that keep one kind of input from being taken for another.
import { hash, randomFillSync } from 'node:crypto';
import canonicalize from 'canonicalize';

/** SHA-256 (FIPS 180-4), or SM3 (GB/T 32905-2016). */
export const HASH_ALGORITHMS = ['sha256', 'sm3'] as const;
export type HashAlgorithm = (typeof HASH_ALGORITHMS)[number];

/** Of RFC 9162, 2.1.1, and two of our own that no leaf and no node begins with. */
export const DOMAIN = { leaf: 0x00, node: 0x01, field: 0x02, entry: 0x03, checkpoint: 0x04 } as const;

export const HASH_BYTES = 32;
const SALT_BYTES = 16;

/** @returns 32 bytes */
export function digest(algorithm: HashAlgorithm, domain: number, ...parts: readonly Uint8Array[]): Buffer {
  return hash(algorithm, Buffer.concat([Uint8Array.of(domain), ...parts]), 'buffer');
}

/**
 * The one text of a JSON value: RFC 8785.
 * @throws TypeError for what JSON has no word for
 */
export function canonicalText(value: unknown): string {
  const text = canonicalize(value);
  if (text === undefined) throw new TypeError('there is no JSON text for this value');
  return text;
}

export function canonicalBytes(value: unknown): Buffer {
  return Buffer.from(canonicalText(value), 'utf8');
}

/** Random bytes for many salts at one call: one call each was a third of the time that an entry takes. */
const salts = Buffer.alloc(SALT_BYTES * 256);
let saltsUsed = salts.length;

/** 16 random bytes in hex: a digest of a short value must not be guessable. */
export function newSalt(): string {
  if (saltsUsed === salts.length) {
    randomFillSync(salts);
    saltsUsed = 0;
  }
  saltsUsed += SALT_BYTES;
  return salts.toString('hex', saltsUsed - SALT_BYTES, saltsUsed);
}
