// Who asked over HTTP, as the engine is told it, whatever the answer's form.
import { createLogger } from '@weft/core/logger';
import { createHttpServer } from '@weft/gateway/http/server';
import { type Identity, openIdentity } from '@weft/gateway/identity/identity';
import type { Principal } from '@weft/gateway/identity/principal';
import { ALGORITHMS } from '@weft/gateway/identity/settings';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createEchoEngine } from '../live/echo-engine.ts';
import {
  AUDIENCE,
  createSigner,
  ISSUER,
  type KeyServer,
  type Signer,
  startKeyServer,
} from '../support/issuer.ts';

const logger = createLogger('test', 'silent');
const principals: Principal[] = [];

let signer: Signer;
let issuer: KeyServer;
let identity: Identity;
let app: ReturnType<typeof createHttpServer>;
let url: string;
beforeAll(async () => {
  signer = await createSigner('k1');
  issuer = await startKeyServer(signer);
  const rules = {
    issuer: ISSUER,
    audiences: [AUDIENCE],
    algorithms: ALGORITHMS,
    types: ['jwt'],
    clockToleranceMs: 0,
    claimNames: { roles: 'roles', division: 'division', department: 'department' },
  };
  identity = await openIdentity({
    settings: { tokens: { keys: { url: new URL(issuer.url) }, rules } },
    logger,
  });
  const beforeResult = async ({ principal }: { readonly principal: Principal }) =>
    void principals.push(principal);
  const engine = createEchoEngine({ topic: 'none', beforeResult });
  const readiness = async () => ({
    ready: true,
    reasons: [],
    generation: { id: '', loadedAt: new Date() },
    refusedReload: undefined,
  });
  app = createHttpServer({ engine: () => engine, identity, logger, readiness });
  url = `${await app.listen({ host: '127.0.0.1', port: 0 })}/graphql?query=${encodeURIComponent('{ any }')}`;
});
afterAll(async () => {
  identity?.close();
  await Promise.all([app?.close(), issuer?.stop()]);
});
beforeEach(() => {
  principals.length = 0;
});

async function ask(headers: Readonly<Record<string, string>>, init: RequestInit = {}): Promise<void> {
  const response = await fetch(url, { ...init, headers: { 'x-weft-csrf': '1', ...headers } });
  await response.text();
  expect(response.status).toBe(200);
}

describe('the principal of an operation over HTTP', () => {
  it('is the token’s, by POST and GET, in one piece and in parts, the first time and later', async () => {
    const authorization = `Bearer ${await signer.sign({ roles: ['grid-worker'], division: '320508', department: 'police' })}`;
    const body = '{"query":"{ any }"}';
    for (let time = 0; time < 2; time += 1) {
      await ask({ authorization, 'content-type': 'application/json' }, { method: 'POST', body });
      for (const accept of ['application/json', 'multipart/mixed', 'text/event-stream'])
        await ask({ authorization, accept });
    }
    const expected = {
      subject: 'worker',
      issuer: ISSUER,
      roles: ['grid-worker'],
      division: '320508',
      department: 'police',
    };
    expect(principals).toHaveLength(8);
    for (const principal of principals) expect(principal).toMatchObject(expected);
  });

  it('is each request’s own on one connection, also after one that was refused', async () => {
    const [one, other] = await Promise.all(['one', 'other'].map((sub) => signer.sign({ sub })));
    await ask({ authorization: `Bearer ${one}` });
    await ask({});
    await ask({ authorization: `Bearer ${other}` });
    expect((await fetch(url, { headers: { authorization: 'Bearer x' } })).status).toBe(401);
    await ask({});
    await ask({ authorization: `Bearer ${one}` });
    const subjects = principals.map(({ subject }) => subject);
    expect(subjects).toEqual(['one', undefined, 'other', undefined, 'one']);
  });
});
