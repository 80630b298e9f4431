// The Merkle tree of RFC 9162, 2.1: roots and proofs of inclusion over hashes of entries.
import { DOMAIN, digest, type HashAlgorithm } from './hash.ts';

/** Of one entry's hash. */
export function leafHash(algorithm: HashAlgorithm, entryHash: string): Buffer {
  return digest(algorithm, DOMAIN.leaf, Buffer.from(entryHash, 'hex'));
}

/** The Merkle Tree Hash of leaves (RFC 9162, 2.1.1); of none the hash of nothing. */
export function rootOf(algorithm: HashAlgorithm, leaves: readonly Buffer[]): Buffer {
  const [only] = leaves;
  if (only === undefined) return digest(algorithm, DOMAIN.leaf);
  if (leaves.length === 1) return only;
  const split = largestPowerBelow(leaves.length);
  return nodeOf(algorithm, rootOf(algorithm, leaves.slice(0, split)), rootOf(algorithm, leaves.slice(split)));
}

/** The audit path of one leaf (RFC 9162, 2.1.3.1), the lowest node first. */
export function inclusionProof(
  algorithm: HashAlgorithm,
  leaves: readonly Buffer[],
  index: number,
): readonly Buffer[] {
  if (leaves.length <= 1) return [];
  const split = largestPowerBelow(leaves.length);
  const [left, right] = [leaves.slice(0, split), leaves.slice(split)];
  return index < split
    ? [...inclusionProof(algorithm, left, index), rootOf(algorithm, right)]
    : [...inclusionProof(algorithm, right, index - split), rootOf(algorithm, left)];
}

/** The root that a proof leads to (RFC 9162, 2.1.3.2); undefined when it is no proof for such a place in such a tree. */
export function rootFromProof(
  algorithm: HashAlgorithm,
  leaf: Buffer,
  { index, size }: { readonly index: number; readonly size: number },
  proof: readonly Buffer[],
): Buffer | undefined {
  if (!Number.isSafeInteger(index) || !Number.isSafeInteger(size) || index < 0 || index >= size)
    return undefined;
  let [at, last, root] = [index, size - 1, leaf];
  for (const sibling of proof) {
    if (last === 0) return undefined;
    if (at % 2 === 1 || at === last) {
      root = nodeOf(algorithm, sibling, root);
      while (at % 2 === 0 && at !== 0) {
        at = Math.floor(at / 2);
        last = Math.floor(last / 2);
      }
    } else root = nodeOf(algorithm, root, sibling);
    at = Math.floor(at / 2);
    last = Math.floor(last / 2);
  }
  return last === 0 ? root : undefined;
}

function nodeOf(algorithm: HashAlgorithm, left: Buffer, right: Buffer): Buffer {
  return digest(algorithm, DOMAIN.node, left, right);
}

function largestPowerBelow(size: number): number {
  let power = 1;
  while (power * 2 < size) power *= 2;
  return power;
}
