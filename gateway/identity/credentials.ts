// What a client gives to say who it is: one bearer token or one API key, from headers or from ConnectionInit.
import { HubError } from '@weft/core/errors';
import type { ClientHeaders } from '../fetch/forwarded-headers.ts';

/** As they stand; nothing of them is verified. */
export interface Credentials {
  /** The value of `Authorization` (RFC 9110, 11.6.2). */
  readonly authorization: unknown;
  /** The value of `x-api-key`. */
  readonly apiKey: unknown;
}

/** Credentials that do not hold. The client learns that, and no more: which check failed is in the log. */
export class CredentialsRefused extends HubError {
  /** For the log; has no part of the credentials themselves. */
  readonly reason: string;
  constructor(reason: string, cause?: unknown) {
    super('UNAUTHENTICATED', 'The credentials are not accepted.', { cause });
    this.reason = reason;
  }
}

/** The one token of `Authorization: Bearer …` (RFC 6750, 2.1). @throws CredentialsRefused */
export function readBearer(authorization: unknown, tokenBytesMax: number): string {
  if (typeof authorization !== 'string') throw new CredentialsRefused('the authorization is not a text');
  // Before anything else looks at it: `Bearer` and a few spaces are allowed for.
  if (authorization.length > tokenBytesMax + BEARER_CHARS_MAX)
    throw new CredentialsRefused('the token is too long');
  const token = BEARER.exec(authorization)?.[1];
  if (token === undefined) throw new CredentialsRefused('the authorization is not one bearer token');
  if (token.length > tokenBytesMax) throw new CredentialsRefused('the token is too long');
  return token;
}

const BEARER_CHARS_MAX = 16;
/** `b64token` of RFC 6750, 2.1: one byte a character. */
const BEARER = /^bearer {1,8}([A-Za-z0-9._~+/-]+=*)$/i;

/**
 * Those of ConnectionInit's payload (`authorization` or `Authorization`, `apiKey`), or of the upgrade's headers.
 * @throws CredentialsRefused when more than one of these is given
 */
export function connectionCredentials(
  headers: ClientHeaders,
  payload: Readonly<Record<string, unknown>> = {},
): Credentials {
  const authorizations = [headers.authorization, payload.authorization, payload.Authorization].filter(
    isGiven,
  );
  const apiKeys = [headers['x-api-key'], payload.apiKey].filter(isGiven);
  if (authorizations.length + apiKeys.length > 1) throw givenTwice();
  return { authorization: authorizations[0], apiKey: apiKeys[0] };
}

/** Two answers to the question who asks are none. */
export function givenTwice(): CredentialsRefused {
  return new CredentialsRefused('more than one kind of credentials is given');
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}
