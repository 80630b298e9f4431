// Signed tree heads: what was in evidence at a moment, and that it has not been changed since.
import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { canonicalBytes, DOMAIN, digest, type HashAlgorithm } from './hash.ts';

export interface Checkpoint {
  /** From 1, without a gap. */
  readonly number: number;
  /** RFC 3339, UTC. */
  readonly at: string;
  readonly algorithm: HashAlgorithm;
  /** Entries that it is over: those committed since the checkpoint before. */
  readonly treeSize: number;
  /** Hex. */
  readonly rootHash: string;
  /** The hash of the checkpoint before, hex; 64 zeros for the first one. */
  readonly previousHash: string;
  /** Thumbprint of the key that signed (RFC 7638). */
  readonly keyId: string;
  /** Ed25519 (RFC 8032) over the canonical text of all of the above; base64url. */
  readonly signature: string;
}

export type UnsignedCheckpoint = Omit<Checkpoint, 'keyId' | 'signature'>;

/** What a subject's chain ended with when it was exported: an entry that is cut off the end is missed. */
export interface Head {
  readonly subject: string;
  /** Of the last entry. */
  readonly sequence: number;
  readonly hash: string;
  /** RFC 3339, UTC. */
  readonly exportedAt: string;
  readonly keyId: string;
  /** As of a checkpoint. */
  readonly signature: string;
}

interface Signed {
  readonly keyId: string;
  readonly signature: string;
}

/** A key that signs checkpoints and heads, with its thumbprint. */
export interface CheckpointSigner {
  readonly keyId: string;
  readonly publicKey: KeyObject;
  sign<Statement extends object>(statement: Statement): Statement & Signed;
}

/**
 * @param pem an Ed25519 private key (PKCS #8)
 * @throws TypeError for another kind of key
 */
export function openSigner(pem: string): CheckpointSigner {
  const key = createPrivateKey(pem);
  if (key.asymmetricKeyType !== 'ed25519')
    throw new TypeError(`expected an Ed25519 key, got ${key.asymmetricKeyType}`);
  const publicKey = createPublicKey(key);
  const keyId = thumbprint(publicKey);
  return {
    keyId,
    publicKey,
    sign(statement) {
      const unsigned = { ...statement, keyId };
      return { ...unsigned, signature: sign(null, canonicalBytes(unsigned), key).toString('base64url') };
    },
  };
}

/** Whether the key made this signature. */
export function isSignedBy(statement: Signed, key: KeyObject): boolean {
  const { signature, ...unsigned } = statement;
  const bytes = Buffer.from(signature, 'base64url');
  // The last character has bits that no byte takes: only one of its sixteen forms is the signature.
  if (key.asymmetricKeyType !== 'ed25519' || bytes.toString('base64url') !== signature) return false;
  return verify(null, canonicalBytes(unsigned), key, bytes);
}

/** What the next checkpoint is chained to; hex. */
export function hashOfCheckpoint(checkpoint: Checkpoint): string {
  return digest(checkpoint.algorithm, DOMAIN.checkpoint, canonicalBytes(checkpoint)).toString('hex');
}

/** JWK thumbprint with SHA-256 (RFC 7638, RFC 8037), base64url. */
export function thumbprint(publicKey: KeyObject): string {
  const { crv, kty, x } = publicKey.export({ format: 'jwk' });
  return digestBase64(canonicalBytes({ crv: crv ?? null, kty: kty ?? null, x: x ?? null }));
}

function digestBase64(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('base64url');
}
