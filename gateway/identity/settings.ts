// The settings of identity: whose tokens and which API keys the gateway takes.
import { OperatorError } from '@weft/core/errors';
import { z } from 'zod';
import { type KeyLocation, locateKeys } from './load-keys.ts';
import type { TokenRules } from './verify-token.ts';

export const ALGORITHMS = [
  'ES256',
  'ES384',
  'ES512',
  'PS256',
  'PS384',
  'PS512',
  'RS256',
  'RS384',
  'RS512',
  'EdDSA',
  'Ed25519',
] as const;

/** `iss` of the tokens that `weft token` makes for a demo. */
export const DEVELOPMENT_ISSUER = 'weft-development';

/** By their names in the environment; lists have commas between their members. */
export const IDENTITY_SHAPE = {
  /** URL or file of the issuer's JSON Web Key Set; without it no token is taken. */
  WEFT_JWKS: z.string().optional(),
  WEFT_JWT_ISSUER: z.string().optional(),
  WEFT_JWT_AUDIENCE: z.string().optional(),
  WEFT_JWT_ALGORITHMS: z.string().default(ALGORITHMS.join()),
  WEFT_JWT_TYPES: z.string().default('at+jwt,JWT'),
  WEFT_JWT_CLOCK_TOLERANCE_MS: z.coerce
    .number({ error: 'expected milliseconds from 0 to 60000' })
    .min(0, 'expected milliseconds from 0 to 60000')
    .max(60_000, 'expected milliseconds from 0 to 60000')
    .default(5_000),
  WEFT_JWT_ROLES_CLAIM: z.string().default('roles'),
  WEFT_JWT_DIVISION_CLAIM: z.string().default('division'),
  WEFT_JWT_DEPARTMENT_CLAIM: z.string().default('department'),
  /** `{ "apiKeys": [{ "id", "sha256", "roles", "scopes", "division", "department", "expiresAt" }] }` */
  WEFT_API_KEYS_FILE: z.string().optional(),
  /** `production` refuses the issuer of the demo. */
  NODE_ENV: z.string().optional(),
} as const;

type Given = z.infer<z.ZodObject<typeof IDENTITY_SHAPE>>;

export interface IdentitySettings {
  /** Absent: no token is taken. */
  readonly tokens?: TokenSettings | undefined;
  /** Absent: no API key is taken. */
  readonly apiKeysFile?: string | undefined;
}

export interface TokenSettings {
  readonly keys: KeyLocation;
  readonly rules: TokenRules;
}

/** @throws OperatorError naming the setting that is wrong or missing */
export function readIdentitySettings(given: Given): IdentitySettings {
  return { tokens: tokenSettings(given), apiKeysFile: given.WEFT_API_KEYS_FILE };
}

function tokenSettings(given: Given): TokenSettings | undefined {
  const { WEFT_JWKS: jwks, WEFT_JWT_ISSUER: issuer } = given;
  const audiences = listOf(given.WEFT_JWT_AUDIENCE ?? '');
  if (jwks === undefined) {
    if (issuer !== undefined || audiences.length > 0)
      throw wrong('WEFT_JWT_ISSUER and WEFT_JWT_AUDIENCE need WEFT_JWKS: without keys no token is taken');
    return undefined;
  }
  // A key set alone says that somebody signed a token, not that it was meant for this hub (RFC 8725, 3.8 and 3.9).
  if (issuer === undefined || audiences.length === 0)
    throw wrong('WEFT_JWKS needs WEFT_JWT_ISSUER and WEFT_JWT_AUDIENCE');
  if (issuer === DEVELOPMENT_ISSUER && given.NODE_ENV === 'production')
    throw wrong(`WEFT_JWT_ISSUER: ${DEVELOPMENT_ISSUER} is for demos, and NODE_ENV is production`);
  return {
    keys: locateKeys(jwks),
    rules: {
      issuer,
      audiences,
      algorithms: algorithmsOf(given.WEFT_JWT_ALGORITHMS),
      types: listOf(given.WEFT_JWT_TYPES.toLowerCase()),
      clockToleranceMs: given.WEFT_JWT_CLOCK_TOLERANCE_MS,
      claimNames: {
        roles: given.WEFT_JWT_ROLES_CLAIM,
        division: given.WEFT_JWT_DIVISION_CLAIM,
        department: given.WEFT_JWT_DEPARTMENT_CLAIM,
      },
    },
  };
}

/** `none` is no algorithm, and with a shared secret (`HS256`) whoever verifies could sign. */
function algorithmsOf(text: string): readonly string[] {
  const algorithms = listOf(text);
  const unknown = algorithms.find((name) => !ALGORITHMS.some((known) => known === name));
  if (unknown !== undefined || algorithms.length === 0)
    throw wrong(`WEFT_JWT_ALGORITHMS: expected some of ${ALGORITHMS.join(', ')}, got ${unknown ?? 'none'}`);
  return algorithms;
}

function listOf(text: string): readonly string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

function wrong(message: string): OperatorError {
  return new OperatorError(`settings: ${message}`, { exitCode: 2 });
}
