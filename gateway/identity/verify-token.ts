// Verifies one JSON Web Token (RFC 7519) by the rules of RFC 8725.
import { HubError } from '@weft/core/errors';
import { errors, type JWTVerifyGetKey, type JWTVerifyOptions, jwtVerify } from 'jose';
import { type ClaimNames, principalOf } from './claims.ts';
import { CredentialsRefused } from './credentials.ts';
import type { Principal } from './principal.ts';

/** What a token must be like. */
export interface TokenRules {
  readonly issuer: string;
  /** One of them must be in `aud`. */
  readonly audiences: readonly string[];
  /** Asymmetric ones only. */
  readonly algorithms: readonly string[];
  /** Values of the header `typ`, in lower case; `jwt` stands for a token that has none too. */
  readonly types: readonly string[];
  /** For clocks that do not agree: a token is taken so long before `nbf` and after `exp`. */
  readonly clockToleranceMs: number;
  readonly claimNames: ClaimNames;
}

export interface VerifiedToken {
  readonly principal: Principal;
  /** The key that signed it. */
  readonly kid: string | undefined;
}

/**
 * @throws CredentialsRefused, or what `getKey` throws of ours
 */
export function createTokenVerifier(
  rules: TokenRules,
  getKey: JWTVerifyGetKey,
  now: () => number = Date.now,
): (token: string) => Promise<VerifiedToken> {
  const options: JWTVerifyOptions = {
    algorithms: [...rules.algorithms],
    issuer: rules.issuer,
    audience: [...rules.audiences],
    clockTolerance: rules.clockToleranceMs / 1_000,
    requiredClaims: ['exp', 'sub'],
  };
  return async (token) => {
    try {
      const verified = await jwtVerify(token, getKey, { ...options, currentDate: new Date(now()) });
      requireType(verified.protectedHeader.typ, rules.types);
      const principal = principalOf(verified.payload, rules.claimNames, rules.clockToleranceMs);
      return { principal, kid: verified.protectedHeader.kid };
    } catch (thrown) {
      if (thrown instanceof HubError) throw thrown;
      throw new CredentialsRefused(reasonOf(thrown), thrown);
    }
  };
}

/** RFC 8725, 3.11: a token that was made for something else, such as a logout, is none. RFC 7515, 4.1.9 lets `application/` be left out. */
function requireType(typ: string | undefined, types: readonly string[]): void {
  const type = (typ ?? 'jwt').toLowerCase().replace(/^application\//, '');
  if (!types.includes(type)) throw new CredentialsRefused('the token is of another type');
}

/** The library's own code, and the claim that it speaks of. */
function reasonOf(thrown: unknown): string {
  if (thrown instanceof errors.JWTExpired || thrown instanceof errors.JWTClaimValidationFailed)
    return `${thrown.code} ${thrown.claim}`;
  return thrown instanceof errors.JOSEError ? thrown.code : 'the token cannot be verified';
}
