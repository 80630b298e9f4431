// The whole edge of a gateway, for its cost: who asks is known, rules are on what is asked for, subgraphs are sent signatures.
import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { invariant } from '@weft/core/errors';
import { compose } from '@weft/schema/compose';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { SUBGRAPHS, sdlOf } from './workload/schemas.ts';

export interface Edge {
  /** Settings of the gateway. */
  readonly env: Readonly<Record<string, string>>;
  /** With a rule on every review, author and price that is asked for. */
  readonly supergraphFile: string;
  /** Header of every request: a token that may see all. */
  readonly authorization: string;
}

const SCOPE = 'reviews:read';
/** No issuer of a demo: a gateway is measured as in production. */
const ISSUER = 'https://issuer.bench';

/** @param folder absolute; keys are made in it for this bench alone */
export async function openEdge(folder: string, subgraphsOrigin: string): Promise<Edge> {
  const home = join(folder, 'edge');
  mkdirSync(home, { recursive: true });
  const jwksFile = join(home, 'jwks.json');
  const token = await issueToken(jwksFile);
  const keysFile = join(home, 'keys.json');
  const secret = () => randomBytes(32).toString('base64url');
  const keys = {
    cursorKeys: [{ id: 'bench', secret: secret() }],
    subgraphKeys: [{ id: 'bench', secret: secret() }],
  };
  writeFileSync(keysFile, JSON.stringify(keys), { mode: 0o600 });
  return {
    env: {
      WEFT_JWKS: jwksFile,
      WEFT_JWT_ISSUER: ISSUER,
      WEFT_JWT_AUDIENCE: 'weft',
      WEFT_KEYS_FILE: keysFile,
      WEFT_METRICS: 'main',
    },
    supergraphFile: writeGuardedSupergraph(home, subgraphsOrigin),
    authorization: `Bearer ${token}`,
  };
}

/** Writes the key that it is verified with. */
async function issueToken(jwksFile: string): Promise<string> {
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
  const key = { ...(await exportJWK(publicKey)), kid: 'bench', alg: 'ES256', use: 'sig' };
  writeFileSync(jwksFile, JSON.stringify({ keys: [key] }));
  return new SignJWT({ roles: ['duty-officer'], scope: SCOPE, division: '320508' })
    .setProtectedHeader({ alg: 'ES256', kid: 'bench', typ: 'at+jwt' })
    .setIssuer(ISSUER)
    .setAudience('weft')
    .setSubject('bench')
    .setIssuedAt()
    .setExpirationTime('24h')
    .sign(privateKey);
}

function writeGuardedSupergraph(home: string, origin: string): string {
  const members = SUBGRAPHS.map((name) => ({ name, url: `${origin}/${name}`, sdl: guarded(sdlOf(name, 2)) }));
  const composition = compose(members);
  invariant(
    composition.errors === undefined,
    `the guarded workload composes: ${composition.errors?.[0]?.message}`,
  );
  const file = join(home, 'supergraph.graphql');
  writeFileSync(file, composition.supergraphSdl);
  return file;
}

function guarded(sdl: string): string {
  const rule = `@requiresScopes(scopes: [["${SCOPE}"]])`;
  return sdl
    .replace(
      'federation/v2.3", import: [',
      'federation/v2.9", import: ["@requiresScopes", "@authenticated", ',
    )
    .replace('body: String', `body: String ${rule}`)
    .replace('author: User', `author: User ${rule}`)
    .replace('name: String  price', 'name: String @authenticated  price');
}
