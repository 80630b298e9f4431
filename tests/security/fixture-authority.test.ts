// The catalogue's fixture and who may see what of it: its attacks on authority over HTTP, and every coordinate that it guards by every way.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger } from '@weft/core/logger';
import { createEngine, type GatewayEngine } from '@weft/gateway/execute/create-engine';
import { ANONYMOUS, createPrincipal, type Principal } from '@weft/gateway/identity/principal';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { composeOrThrow } from '../gateway/library-gateway.ts';
import type { SubgraphServer } from '../gateway/subgraph-server.ts';
import { AUDIENCE, createSigner, ISSUER, type Signer } from '../support/issuer.ts';
import { type Attack, fixtureSdl, readAttacks } from './attacks.ts';
import { type FixtureHub, startFixtureHub } from './fixture-hub.ts';
import { wrongAnswers } from './judge-answer.ts';
import { startMarkingSubgraph } from './marking-subgraph.ts';
import { resolve } from './payloads.ts';

const attacks = readAttacks('http');
const AUTHORITY = ['Z05', 'Z06', 'Z08', 'Z11', 'Z13'];
const SECRETS = /111-11-1111|blood-type-B|leak-me/;

describe.skipIf(attacks === undefined)('an attack on authority', () => {
  let folder: string;
  let signer: Signer;
  let hub: FixtureHub;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'weft-authority-'));
    signer = await createSigner('k1');
    const jwks = join(folder, 'jwks.json');
    writeFileSync(jwks, JSON.stringify({ keys: [signer.publicJwk] }));
    hub = await startFixtureHub({
      WEFT_JWKS: jwks,
      WEFT_JWT_ISSUER: ISSUER,
      WEFT_JWT_AUDIENCE: AUDIENCE,
    });
  });
  afterAll(async () => {
    await hub?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function send(attack: Attack, headers: Readonly<Record<string, string>> = {}) {
    const request = attack.request as { readonly headers: Record<string, string>; readonly body: unknown };
    const response = await fetch(`${hub.gateway.origin}/graphql`, {
      method: 'POST',
      headers: { ...request.headers, ...headers },
      body: String(resolve(request.body)),
    });
    return { status: response.status, text: await response.text() };
  }

  it.each(
    (attacks ?? [])
      .filter(({ id }) => AUTHORITY.includes(id))
      .map((one) => [one.id, one.title, one] as const),
  )('%s: %s', async (id, _title, attack) => {
    const { status, text } = await send(attack);
    expect([200, 401, 403]).toContain(status);
    expect(text).not.toMatch(SECRETS);
    for (const pattern of attack.expected.assert?.bodyNot ?? [])
      expect(text).not.toMatch(new RegExp(pattern));
    // A filter is a text to the hub: the system that knows it answers for what it finds.
    if (id !== 'Z13') expect(text).toContain('UNAUTHENTICATED');
    const token = await signer.sign({ scope: 'citizen:ssn' });
    const allowed = await send(attack, { authorization: `Bearer ${token}` });
    expect(allowed.text).not.toContain('errors');
    if (id !== 'Z13') expect(allowed.text).toMatch(SECRETS);
  });

  it('by the words of a filter learns nothing: what it finds is the same whatever is asked for', async () => {
    const found = async (filter: string) =>
      (await hub.gateway.ask(`{ citizens(filter: "ssn=${filter}") { id } }`)).text;
    expect(await found('111-11-1111')).toBe(await found('000-00-0000'));
  });

  it('is no side effect: a mutation runs, and what its asker may not see of it is null', async () => {
    const { answer } = await hub.gateway.ask('mutation { touch(id: "1") { id ssn } }');
    expect(answer).toMatchObject({
      data: { touch: { id: '1', ssn: null } },
      errors: [{ path: ['touch', 'ssn'], extensions: { code: 'UNAUTHENTICATED' } }],
    });
  });
});

const scopeOf = (scope: string) => createPrincipal({ subject: scope, scopes: [scope] });
const ASKERS: ReadonlyMap<string, Principal> = new Map([
  ['the anonymous', ANONYMOUS],
  ['one without scopes', createPrincipal({ subject: 'nobody' })],
  ['one of another scope', scopeOf('citizen:name')],
  ['one who may', scopeOf('citizen:ssn')],
]);
const SSN = ['Citizen.ssn', 'Officer.ssn'];

describe.skipIf(attacks === undefined)('the fixture', () => {
  let servers: readonly SubgraphServer[] = [];
  let engine: GatewayEngine;
  beforeAll(async () => {
    const citizens = fixtureSdl('citizens').replace(/type Subscription .*/, '');
    servers = [
      await startMarkingSubgraph('citizens', citizens),
      await startMarkingSubgraph('registry', fixtureSdl('registry')),
    ];
    engine = createEngine({ supergraphSdl: composeOrThrow(servers), logger: createLogger('test', 'silent') });
  });
  afterAll(async () => {
    await engine?.close();
    await Promise.all(servers.map((server) => server.close()));
  });

  const forbiddenTo = ({ isAuthenticated, scopes }: Principal) => [
    ...(isAuthenticated ? [] : ['Citizen.medical']),
    ...(scopes.includes('citizen:ssn') ? [] : SSN),
  ];

  it.each([...SSN, 'Citizen.medical', 'Citizen.name', 'Officer.name', 'Citizen.taxId', 'Case.title'])(
    'shows %s to those who may see it, and to no other',
    async (coordinate) => {
      expect((await wrongAnswers(engine, coordinate, ASKERS, forbiddenTo, 4)).slice(0, 3)).toEqual([]);
    },
  );
});
