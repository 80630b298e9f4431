// The whole edge of a gateway, for its cost: who asks is known, rules are on what is asked for, subgraphs are sent signatures.
import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { invariant } from '@weft/core/errors';
import { compose } from '@weft/schema/compose';
import { openIssuer } from '../token/issuer.ts';
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
const LIFETIME_S = 24 * 3_600;

/** @param folder absolute; keys are made in it for this bench alone */
export async function openEdge(folder: string, subgraphsOrigin: string): Promise<Edge> {
  const home = join(folder, 'edge');
  mkdirSync(home, { recursive: true });
  const issuer = openIssuer(home, undefined);
  const claims = { subject: 'bench', roles: ['duty-officer'], scopes: [SCOPE], division: '320508' };
  const token = await issuer.sign({ ...claims, lifetimeS: LIFETIME_S });
  const keysFile = join(home, 'keys.json');
  const secret = () => randomBytes(32).toString('base64url');
  const keys = {
    cursorKeys: [{ id: 'bench', secret: secret() }],
    subgraphKeys: [{ id: 'bench', secret: secret() }],
  };
  writeFileSync(keysFile, JSON.stringify(keys), { mode: 0o600 });
  return {
    env: { ...issuer.settings, WEFT_KEYS_FILE: keysFile, WEFT_METRICS: 'main', WEFT_COST_MAX: '1000000' },
    supergraphFile: writeGuardedSupergraph(home, subgraphsOrigin),
    authorization: `Bearer ${token}`,
  };
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
