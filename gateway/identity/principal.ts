// The one who asks, as every part of the gateway knows them: cursors, limits, authority, shared answers.

/** Immutable, and good for as long as the credentials that it was read from. */
export interface Principal {
  /** Whether credentials were given and hold (`@authenticated`). */
  readonly isAuthenticated: boolean;
  /** One and the same asker, whatever may be asked for at the moment: cursors and rates are bound to it. Never shown. */
  readonly id: string;
  /** Equal for two requests only when all that follows is equal too: what may share an answer. */
  readonly authority: string;
  /** `sub` of a token (RFC 7519, 4.1.2), the id of an API key, or undefined for the anonymous. */
  readonly subject: string | undefined;
  /** `iss` of the token, or undefined. */
  readonly issuer: string | undefined;
  /** Roles of the domain, such as `duty-officer`, in alphabetical order. */
  readonly roles: readonly string[];
  /** OAuth 2.0 scopes (RFC 6749, 3.3), in alphabetical order. */
  readonly scopes: readonly string[];
  /** Code of the administrative division (GB/T 2260) that the asker belongs to. */
  readonly division: string | undefined;
  /** Code of the department that the asker handles work for, such as `urban-management`. */
  readonly department: string | undefined;
  /** When the credentials end, in milliseconds since 1970; undefined when they do not. */
  readonly expiresAtMs: number | undefined;
}

/** What credentials say of the one who gave them. */
export interface Claims {
  readonly subject: string;
  readonly issuer?: string | undefined;
  readonly roles?: readonly string[] | undefined;
  readonly scopes?: readonly string[] | undefined;
  readonly division?: string | undefined;
  readonly department?: string | undefined;
  readonly expiresAtMs?: number | undefined;
}

/** Who gives no credentials is a principal too. */
export const ANONYMOUS: Principal = Object.freeze({
  isAuthenticated: false,
  id: 'anonymous',
  authority: 'anonymous',
  subject: undefined,
  issuer: undefined,
  roles: Object.freeze([]),
  scopes: Object.freeze([]),
  division: undefined,
  department: undefined,
  expiresAtMs: undefined,
});

export function createPrincipal(claims: Claims): Principal {
  const { subject, issuer, division, department, expiresAtMs } = claims;
  const roles = Object.freeze([...new Set(claims.roles)].sort());
  const scopes = Object.freeze([...new Set(claims.scopes)].sort());
  // JSON keeps the parts apart, whatever characters they have; no text of JSON is `anonymous`.
  const id = JSON.stringify([issuer ?? null, subject]);
  const authority = JSON.stringify([
    issuer ?? null,
    subject,
    roles,
    scopes,
    division ?? null,
    department ?? null,
  ]);
  const isAuthenticated = true;
  return Object.freeze({
    isAuthenticated,
    id,
    authority,
    subject,
    issuer,
    roles,
    scopes,
    division,
    department,
    expiresAtMs,
  });
}
