// What a verified token says of its subject, read by the names that the issuer uses.
import type { JWTPayload } from 'jose';
import { CredentialsRefused } from './credentials.ts';
import { type Claims, createPrincipal, type Principal } from './principal.ts';

/** Where an issuer keeps what is not of RFC 7519: a name, or a path with dots such as `realm_access.roles`. */
export interface ClaimNames {
  readonly roles: string;
  readonly division: string;
  /** Left out: no token says it. */
  readonly department?: string | undefined;
}

/** Codes of GB/T 2260 and GB/T 10114: province to county in 2, 4 or 6 digits, township in 9, community in 12. */
export const DIVISION = /^(?:\d{2}|\d{4}|\d{6}|\d{9}|\d{12})$/;

/** As the directory of departments has them. */
export const DEPARTMENT = /^[a-z0-9-]{1,64}$/;

/**
 * @param toleranceMs how long after `exp` the token is still taken
 * @throws CredentialsRefused when a claim is there and is not what it should be: to pass it over could give more than was meant
 */
export function principalOf(payload: JWTPayload, names: ClaimNames, toleranceMs: number): Principal {
  return createPrincipal({
    subject: subjectOf(payload),
    issuer: payload.iss,
    roles: textsOf(claim(payload, names.roles), names.roles),
    // RFC 8693, 4.2, and `scp` as some issuers write it.
    scopes: [...textsOf(payload.scope, 'scope'), ...textsOf(payload.scp, 'scp')],
    division: divisionOf(claim(payload, names.division)),
    department: names.department === undefined ? undefined : departmentOf(claim(payload, names.department)),
    expiresAtMs: payload.exp === undefined ? undefined : payload.exp * 1_000 + toleranceMs,
  } satisfies Claims);
}

function subjectOf({ sub }: JWTPayload): string {
  if (typeof sub !== 'string' || sub === '') throw new CredentialsRefused('sub is not a text');
  return sub;
}

function claim(payload: JWTPayload, name: string): unknown {
  if (Object.hasOwn(payload, name)) return payload[name];
  let value: unknown = payload;
  for (const step of name.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
    value = (value as Readonly<Record<string, unknown>>)[step];
  }
  return value;
}

/** A list of texts, or one text with spaces between them. */
function textsOf(value: unknown, name: string): readonly string[] {
  if (value === undefined || value === null) return [];
  if (typeof value === 'string') return value.split(' ').filter((text) => text !== '');
  const isList = Array.isArray(value) && value.every((text) => typeof text === 'string' && text !== '');
  if (!isList) throw new CredentialsRefused(`${name} is not a list of texts`);
  return value as readonly string[];
}

function divisionOf(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string' || !DIVISION.test(value))
    throw new CredentialsRefused('the division is not a code of GB/T 2260');
  return value;
}

function departmentOf(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string' || !DEPARTMENT.test(value))
    throw new CredentialsRefused('the department is not a code of lower-case letters, digits and hyphens');
  return value;
}
