// The issuer of a demo: a key made for each home, whose tokens only a gateway of that home takes. Not for production.
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { OperatorError } from '@weft/core/errors';
import { DEVELOPMENT_ISSUER } from '@weft/gateway/identity/settings';
import { type JWK, SignJWT } from 'jose';
import { z } from 'zod';
import { writeSecret } from '../up/secrets.ts';

export const AUDIENCE = 'weft';
const ALGORITHM = 'ES256';

const KEY = z.looseObject({ kty: z.string(), kid: z.string(), d: z.string() });

export interface DevelopmentIssuer {
  /** Absolute; the public key. */
  readonly jwksFile: string;
  /** What a gateway needs to take its tokens. */
  readonly settings: Readonly<Record<'WEFT_JWKS' | 'WEFT_JWT_ISSUER' | 'WEFT_JWT_AUDIENCE', string>>;
  sign(claims: DevelopmentClaims): Promise<string>;
}

export interface DevelopmentClaims {
  readonly subject: string;
  readonly roles: readonly string[];
  readonly scopes: readonly string[];
  readonly division: string | undefined;
  readonly department?: string | undefined;
  readonly lifetimeS: number;
}

/**
 * Reads the key of a home, and makes it when there is none. It is not among the home's secrets, which the connectors read.
 * @throws OperatorError in production, or when the key was damaged
 */
export function openIssuer(home: string, nodeEnv: string | undefined): DevelopmentIssuer {
  if (nodeEnv === 'production')
    throw new OperatorError(
      'the issuer of the demo does not work with NODE_ENV=production: set WEFT_JWKS to the keys of a real one',
      { exitCode: 2 },
    );
  const directory = join(home, 'issuer');
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const key = readKey(join(directory, 'key.json'));
  const jwksFile = join(directory, 'jwks.json');
  const { d: _private, ...publicKey } = key;
  const jwks = JSON.stringify({ keys: [publicKey] });
  // A gateway that runs is not made to read again what it knows.
  if (!existsSync(jwksFile) || readFileSync(jwksFile, 'utf8') !== jwks) writeSecret(jwksFile, jwks);
  return {
    jwksFile,
    settings: { WEFT_JWKS: jwksFile, WEFT_JWT_ISSUER: DEVELOPMENT_ISSUER, WEFT_JWT_AUDIENCE: AUDIENCE },
    sign: (claims) => sign(key, claims),
  };
}

function readKey(file: string): JWK & { readonly kid: string } {
  if (!existsSync(file)) writeSecret(file, JSON.stringify(createKey()));
  try {
    return KEY.parse(JSON.parse(readFileSync(file, 'utf8'))) as JWK & { readonly kid: string };
  } catch (cause) {
    throw new OperatorError(`${file} is not a key: remove it, and another is made`, { cause });
  }
}

function createKey(): object {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const kid = randomBytes(4).toString('hex');
  return { ...privateKey.export({ format: 'jwk' }), kid, alg: ALGORITHM, use: 'sig' };
}

function sign(key: JWK & { readonly kid: string }, claims: DevelopmentClaims): Promise<string> {
  const { subject, roles, scopes, division, department, lifetimeS } = claims;
  const scope = scopes.length === 0 ? {} : { scope: scopes.join(' ') };
  return new SignJWT({
    roles: [...roles],
    ...scope,
    ...(division === undefined ? {} : { division }),
    ...(department === undefined ? {} : { department }),
  })
    .setProtectedHeader({ alg: ALGORITHM, kid: key.kid, typ: 'at+jwt' })
    .setIssuer(DEVELOPMENT_ISSUER)
    .setAudience(AUDIENCE)
    .setSubject(subject)
    .setIssuedAt()
    .setExpirationTime(Math.floor(Date.now() / 1_000) + lifetimeS)
    .sign(key);
}
