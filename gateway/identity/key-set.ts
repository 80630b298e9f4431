// A JSON Web Key Set (RFC 7517, 5) with only what a verifier may use of it: public keys.
import { HubError } from '@weft/core/errors';
import { createLocalJWKSet, type JSONWebKeySet, type JWK, type JWTVerifyGetKey } from 'jose';

export interface KeySet {
  /** The key for a token's header; throws `JWKSNoMatchingKey` of jose. */
  readonly find: JWTVerifyGetKey;
  readonly kids: ReadonlySet<string>;
  /** The text of each key. */
  readonly jwks: ReadonlySet<string>;
}

/** @throws HubError UPSTREAM_INVALID when there is no public key in it, or too much */
export function parseKeySet(text: string, keysMax: number): KeySet {
  const keys = keysOf(text);
  if (keys.length > keysMax) throw invalid(`it has more than ${keysMax} keys`);
  const usable = keys.filter(isPublic);
  if (usable.length === 0) throw invalid('it has no public key');
  return {
    find: createLocalJWKSet({ keys: usable } satisfies JSONWebKeySet),
    kids: new Set(usable.flatMap(({ kid }) => (typeof kid === 'string' ? [kid] : []))),
    jwks: new Set(usable.map((key) => JSON.stringify(key))),
  };
}

function keysOf(text: string): readonly unknown[] {
  try {
    const { keys } = JSON.parse(text) as { readonly keys?: unknown };
    if (Array.isArray(keys)) return keys;
  } catch (thrown) {
    throw invalid('it is not a JSON object', thrown);
  }
  throw invalid('it has no list of keys');
}

/** Neither a shared secret (`oct`) nor a private key: who could verify with it could sign with it too. */
function isPublic(key: unknown): key is JWK {
  if (typeof key !== 'object' || key === null) return false;
  const { kty, d } = key as JWK;
  return d === undefined && (kty === 'RSA' || kty === 'EC' || kty === 'OKP');
}

function invalid(what: string, cause?: unknown): HubError {
  return new HubError('UPSTREAM_INVALID', `the issuer's key set cannot be used: ${what}`, { cause });
}
