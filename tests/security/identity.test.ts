// Credentials over HTTP, good and forged, against a gateway that runs over a real subgraph; Z and H are entries of the catalogue of attacks.
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger } from '@weft/core/logger';
import type { Started } from '@weft/core/process';
import { readGatewayConfig } from '@weft/gateway/config';
import { startGateway } from '@weft/gateway/start';
import { exportSPKI, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { composeOrThrow } from '../gateway/library-gateway.ts';
import { type SubgraphServer, startSubgraph } from '../gateway/subgraph-server.ts';
import {
  AUDIENCE,
  createSigner,
  ISSUER,
  type KeyServer,
  type Signer,
  startKeyServer,
} from '../support/issuer.ts';
import { readAttacks } from './attacks.ts';

const SDL = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])
type Query { a: String b: String }`;
const API_KEY = 'a key that is too long to be guessed';
const REFUSAL_MS_MAX = 500;

let folder: string;
let subgraph: SubgraphServer;
let signer: Signer;
let issuer: KeyServer;
/** Where forged headers would have the gateway look for keys. */
let attacker: KeyServer;
let gateway: Started;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'weft-identity-'));
  subgraph = await startSubgraph('one', SDL, { Query: { a: () => 'a', b: () => 'b' } });
  signer = await createSigner('k1');
  issuer = await startKeyServer(signer);
  attacker = await startKeyServer(await createSigner('k1'));
  const apiKeysFile = join(folder, 'api-keys.json');
  const sha256 = createHash('sha256').update(API_KEY).digest('hex');
  writeFileSync(apiKeysFile, JSON.stringify({ apiKeys: [{ id: 'screen', sha256 }] }));
  gateway = await start({
    WEFT_JWKS: issuer.url,
    WEFT_JWT_ISSUER: ISSUER,
    WEFT_JWT_AUDIENCE: AUDIENCE,
    WEFT_API_KEYS_FILE: apiKeysFile,
  });
});
afterAll(async () => {
  await gateway?.close();
  await Promise.all([issuer?.stop(), attacker?.stop(), subgraph?.close()]);
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => {
  subgraph.requests.length = 0;
});

function start(settings: Readonly<Record<string, string>>): Promise<Started> {
  const file = join(folder, 'supergraph.graphql');
  writeFileSync(file, composeOrThrow([subgraph]));
  return startGateway({
    config: readGatewayConfig({ PORT: '0', WEFT_SUPERGRAPH_FILE: file, ...settings }),
    logger: createLogger('test', 'silent'),
  });
}

interface Reply {
  readonly status: number;
  readonly challenge: string | null;
  readonly text: string;
  readonly ms: number;
}

async function ask(headers: Readonly<Record<string, string>>, of: Started = gateway): Promise<Reply> {
  const startedAt = performance.now();
  const response = await fetch(of.urls.graphql ?? '', {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: '{"query":"{ a }"}',
  });
  const text = await response.text();
  const challenge = response.headers.get('www-authenticate');
  return { status: response.status, challenge, text, ms: performance.now() - startedAt };
}

const withToken = (token: string) => ask({ authorization: `Bearer ${token}` });

function expectRefused({ status, challenge, text, ms }: Reply): void {
  expect(status).toBe(401);
  expect(challenge).toBe('Bearer error="invalid_token"');
  const traceId = expect.stringMatching(/^[0-9a-f]{32}$/);
  expect(JSON.parse(text)).toEqual({
    errors: [
      {
        message: 'The credentials are not accepted.',
        extensions: { code: 'UNAUTHENTICATED', origin: 'HUB', traceId },
      },
    ],
  });
  expect(ms).toBeLessThan(REFUSAL_MS_MAX);
  expect(subgraph.requests).toHaveLength(0);
}

function expectAnswered({ status, challenge, text }: Reply): void {
  expect({ status, challenge, text }).toEqual({ status: 200, challenge: null, text: '{"data":{"a":"a"}}' });
}

const nowS = () => Math.floor(Date.now() / 1_000);
const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('credentials over HTTP', () => {
  it('are not needed: who gives none is anonymous', async () => expectAnswered(await ask({})));

  it('may be a token of the issuer’s, or a key', async () => {
    expectAnswered(await withToken(await signer.sign()));
    expectAnswered(await withToken(await signer.sign({}, { typ: 'at+jwt' })));
    expectAnswered(await withToken(await signer.sign({ aud: ['other', AUDIENCE] }, { typ: undefined })));
    expectAnswered(await ask({ 'x-api-key': API_KEY }));
  });

  it('are refused when both are given, good as each may be', async () => {
    const authorization = `Bearer ${await signer.sign()}`;
    expectRefused(await ask({ authorization, 'x-api-key': API_KEY }));
  });

  it.each([
    { 'x-api-key': 'another key' },
    { 'x-api-key': '' },
    { authorization: `Basic ${API_KEY.slice(0, 20)}` },
  ])('are refused when nobody has them: %j', async (headers) =>
    expectRefused(await ask(headers as unknown as Record<string, string>)),
  );

  it('are refused before the document is looked at', async () => {
    const response = await fetch(gateway.urls.graphql ?? '', {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: 'Bearer x' },
      body: '{',
    });
    expect(response.status).toBe(401);
  });

  it('are refused by GET and for answers in parts too', async () => {
    const url = `${gateway.urls.graphql}?query=${encodeURIComponent('{ a ... @defer { b } }')}`;
    for (const accept of ['application/graphql-response+json', 'multipart/mixed', 'text/event-stream']) {
      const response = await fetch(url, { headers: { accept, authorization: 'Bearer x' } });
      expect(response.status).toBe(401);
    }
  });

  it('are refused where the gateway takes none, unless they are for the subgraphs', async () => {
    const authorization = `Bearer ${await signer.sign()}`;
    const bare = await start({});
    const passing = await start({ WEFT_FORWARDED_HEADERS: 'authorization' });
    try {
      expectRefused(await ask({ authorization }, bare));
      expectRefused(await ask({ 'x-api-key': API_KEY }, bare));
      expectRefused(await ask({ 'x-api-key': API_KEY }, passing));
      expectAnswered(await ask({ authorization }, passing));
      expect(subgraph.requests[0]?.headers.authorization).toBe(authorization);
    } finally {
      await Promise.all([bare.close(), passing.close()]);
    }
  });
});

describe('a forged token', () => {
  it('Z14: without a signature (alg none) is refused', async () => {
    const claims = { iss: ISSUER, aud: AUDIENCE, sub: 'admin', exp: nowS() + 60 };
    expectRefused(await withToken(new UnsecuredJWT(claims).encode()));
    for (const alg of ['none', 'None', 'nOnE', '', null]) {
      expectRefused(await withToken(`${encode({ alg, kid: 'k1' })}.${encode(claims)}.`));
      expectRefused(await withToken(`${encode({ alg, kid: 'k1' })}.${encode(claims)}.AAAA`));
    }
  });

  it('Z14: as the catalogue writes it is refused', async () => {
    const attack = readAttacks('http')?.find(({ id }) => id === 'Z14');
    if (attack === undefined) return;
    const { headers } = attack.request as { readonly headers: Readonly<Record<string, string>> };
    const reply = await ask(headers);
    expectRefused(reply);
    for (const pattern of attack.expected.assert.bodyNot) expect(reply.text).not.toMatch(new RegExp(pattern));
  });

  it('signed with the public key as if it were a shared secret is refused', async () => {
    const { publicKey } = await generateKeyPair('RS256', { extractable: true });
    for (const secret of [await exportSPKI(publicKey), JSON.stringify(signer.publicJwk)]) {
      const token = await new SignJWT({ iss: ISSUER, aud: AUDIENCE, sub: 'admin', exp: nowS() + 60 })
        .setProtectedHeader({ alg: 'HS256', kid: 'k1' })
        .sign(new TextEncoder().encode(secret));
      expectRefused(await withToken(token));
    }
  });

  it('Z17: that brings its own keys, or says where they are, is refused, and nobody is asked for them', async () => {
    const forger = await createSigner('k1');
    const jku = attacker.url;
    for (const header of [
      { jku },
      { x5u: jku },
      { jwk: forger.publicJwk },
      { jku, kid: 'evil' },
      { jwk: forger.publicJwk, kid: undefined },
      { x5c: ['MIIB'] },
      { crit: ['jku'], jku },
      { b64: true, crit: ['b64'] },
    ])
      expectRefused(await withToken(await forger.sign({ sub: 'admin' }, header)));
    expect(attacker.asked).toBe(0);
  });

  it('Z17: is not helped by them: a good token with a `jku` is verified with the issuer’s keys', async () => {
    expectAnswered(await withToken(await signer.sign({}, { jku: attacker.url })));
    expect(attacker.asked).toBe(0);
  });

  it.each([
    ['expired', { exp: -6 }, {}],
    ['not valid yet', { nbf: 6 }, {}],
    ['without an end', { exp: undefined }, {}],
    ['with an end that is no number', { exp: 'never' }, {}],
    ['for another audience', { aud: 'other' }, {}],
    ['for no audience', { aud: undefined }, {}],
    ['of another issuer', { iss: `${ISSUER}/` }, {}],
    ['of no issuer', { iss: undefined }, {}],
    ['about nobody', { sub: undefined }, {}],
    ['of another type', {}, { typ: 'logout+jwt' }],
    ['with roles that are none', { roles: { admin: true } }, {}],
  ])(
    'Z18: %s is refused, rightly signed as it is',
    async (_what, claims: Record<string, unknown>, header) => {
      const dates = ['exp', 'nbf'].flatMap((name) =>
        typeof claims[name] === 'number' ? [[name, nowS() + claims[name]]] : [],
      );
      expectRefused(await withToken(await signer.sign({ ...claims, ...Object.fromEntries(dates) }, header)));
    },
  );

  it('Z18: is given the clock’s tolerance of 5 s, and no more', async () => {
    expectAnswered(await withToken(await signer.sign({ exp: nowS() - 2 })));
    expectAnswered(await withToken(await signer.sign({ nbf: nowS() + 3 })));
  });

  it('with one character changed is refused, also when the right one is known', async () => {
    const token = await signer.sign();
    expectAnswered(await withToken(token));
    subgraph.requests.length = 0;
    const [header, payload, signature = ''] = token.split('.');
    const other = signature[20] === 'A' ? 'B' : 'A';
    const forged = [header, payload, signature.slice(0, 20) + other + signature.slice(21)].join('.');
    expectRefused(await withToken(forged));
    expectRefused(await withToken(`${header}.${encode({ sub: 'admin' })}.${signature}`));
  });

  it('of another key of the same name is refused', async () => {
    expectRefused(await withToken(await (await createSigner('k1')).sign()));
  });

  it('Z19: of 15,000 characters is refused at once, and one of a megabyte by HTTP itself', async () => {
    const reply = await withToken('a'.repeat(15_000));
    expectRefused(reply);
    expect(reply.ms).toBeLessThan(200);
    expect(await statusOf({ authorization: `Bearer ${'a'.repeat(1_000_000)}` })).toBe(431);
    const health = await fetch(new URL('/health/live', gateway.urls.graphql));
    expect(health.status).toBe(200);
  });
});

/** Of a request with headers that `fetch` would not send. */
function statusOf(headers: Readonly<Record<string, string>>): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const sent = request(gateway.urls.graphql ?? '', { method: 'POST', headers, maxHeaderSize: 2_000_000 });
    sent.on('response', (response) => resolve(response.resume().statusCode)).on('error', reject);
    sent.end();
  });
}

describe('identity headers of the client’s own', () => {
  it('H22: make nobody anybody, and reach no subgraph', async () => {
    const claimed = {
      'x-weft-principal': 'admin',
      'x-hub-user': 'admin',
      'x-hub-scopes': 'citizen:ssn',
      'x-forwarded-user': 'admin',
      'x-user-id': '1',
      'x-remote-user': 'admin',
    };
    expectAnswered(await ask(claimed));
    expectAnswered(await ask({ ...claimed, authorization: `Bearer ${await signer.sign()}` }));
    expect(subgraph.requests).toHaveLength(2);
    for (const { headers } of subgraph.requests)
      for (const name of [...Object.keys(claimed), 'authorization']) expect(headers).not.toHaveProperty(name);
  });
});
