// Subgraphs answer to the gateway alone: attack F04 of the catalogue, and everything that is not a signed request.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createLogger } from '@weft/core/logger';
import type { Started } from '@weft/core/process';
import type { SubgraphKey } from '@weft/core/signatures/keys';
import { createRequestSigner } from '@weft/core/signatures/sign';
import { readGatewayConfig } from '@weft/gateway/config';
import { startGateway } from '@weft/gateway/start';
import type { OwnedSubgraph } from '@weft/subgraphs/owned-subgraph';
import { type Served, serveSubgraphs } from '@weft/subgraphs/serve';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { composeOrThrow } from '../gateway/library-gateway.ts';
import { readAttacks } from './attacks.ts';

const OLD: SubgraphKey = { id: 'old', secret: 'a secret of at least thirty-two characters' };
const NEW: SubgraphKey = { id: 'new', secret: 'another secret of more than thirty-two characters' };

/** Of a department's own system: it may sign for that one alone. */
const FOREIGN: SubgraphKey = {
  id: 'foreign',
  secret: 'a third secret of at least thirty-two characters',
  subgraphs: ['air'],
};
/** For one of the two that are served here. */
const TAX: SubgraphKey = {
  id: 'tax',
  secret: 'a fourth secret of at least thirty-two characters',
  subgraphs: ['tax', 'air'],
};

const HEAD =
  'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@external", "@requires"])';
const SDL = {
  register: `${HEAD} type Query { citizen(id: ID!): Citizen } type Citizen @key(fields: "id") { id: ID! ssn: String }`,
  tax: `${HEAD} type Query { bands: Int } type Citizen @key(fields: "id") { id: ID! ssn: String @external taxBand: String @requires(fields: "ssn") }`,
};

let folder: string;
let served: Served;
const gateways: Started[] = [];

function subgraph(name: keyof typeof SDL, resolvers: OwnedSubgraph['resolvers']): OwnedSubgraph {
  const file = join(folder, `${name}.graphql`);
  writeFileSync(file, SDL[name]);
  const sdlFile = pathToFileURL(file);
  return { name, title: name, sdlFile, resolvers, createContext: () => ({}), close: async () => undefined };
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'weft-signed-'));
  const register = subgraph('register', {
    Query: { citizen: (_: unknown, { id }: { id: string }) => ({ id, ssn: `of ${id}` }) },
    Citizen: { __resolveReference: (citizen: object) => citizen },
  });
  const tax = subgraph('tax', {
    Query: { bands: () => 3 },
    Citizen: { taxBand: ({ ssn }: { ssn: string }) => `band ${ssn}` },
  });
  served = await serveSubgraphs([register, tax], {
    host: '127.0.0.1',
    port: 0,
    subgraphKeys: [FOREIGN, NEW, OLD, TAX],
    logger: createLogger('test', 'silent'),
  });
});
afterAll(async () => {
  for (const gateway of gateways) await gateway.close();
  await served?.close();
  rmSync(folder, { recursive: true, force: true });
});

async function ask(keys: readonly SubgraphKey[] | undefined, engine = 'weft'): Promise<unknown> {
  const members = (['register', 'tax'] as const).map((name) => ({
    name,
    sdl: SDL[name],
    url: served.urls[name] ?? '',
  }));
  const supergraphFile = join(folder, 'supergraph.graphql');
  const keysFile = join(folder, 'keys.json');
  writeFileSync(supergraphFile, composeOrThrow(members));
  writeFileSync(keysFile, JSON.stringify({ subgraphKeys: keys }));
  const config = readGatewayConfig({
    PORT: '0',
    WEFT_SUPERGRAPH_FILE: supergraphFile,
    WEFT_ENGINE: engine,
    ...(keys === undefined ? {} : { WEFT_KEYS_FILE: keysFile }),
  });
  const gateway = await startGateway({ config, logger: createLogger('test', 'silent') });
  gateways.push(gateway);
  const response = await fetch(gateway.urls.graphql ?? '', {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'weft-principal': 'forged' },
    body: '{"query":"{ citizen(id: \\"1\\") { ssn taxBand } }"}',
  });
  return response.json();
}

interface Reply {
  readonly status: number;
  readonly text: string;
}

/** Headers in turn, so that one can come twice. */
function send(
  headers: readonly string[],
  body: string | undefined,
  path = '/tax/graphql',
  method = 'POST',
): Promise<Reply> {
  const { hostname, port } = new URL(served.urls.tax ?? '');
  return new Promise((resolve, reject) => {
    const all = ['host', `${hostname}:${port}`, ...headers];
    const length = body === undefined ? [] : ['content-length', String(Buffer.byteLength(body))];
    const request = httpRequest(
      { hostname, port, path, method, headers: [...all, ...length] },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk) => (text += chunk));
        response.once('end', () => resolve({ status: response.statusCode ?? 0, text }));
      },
    );
    request.once('error', reject).end(body);
  });
}

const TYPE = ['content-type', 'application/json'];
const BODY = '{"query":"{ bands }"}';

function sign(body: string, key = NEW, offsetMs = 0, method = 'POST'): readonly string[] {
  const authority = new URL(served.urls.tax ?? '').host;
  const now = () => Date.now() + offsetMs;
  const place = { method, authority, target: '/tax/graphql', contentType: 'application/json' };
  return [...TYPE, ...createRequestSigner({ key, ...place, now }).sign(body, 'e30=')];
}

describe('a subgraph that has the keys of its gateway', () => {
  it.each(['weft', 'apollo'])('answers it, with the %s engine', async (engine) => {
    expect(await ask([NEW], engine)).toEqual({ data: { citizen: { ssn: 'of 1', taxBand: 'band of 1' } } });
  });

  it('answers it during rotation, whichever of the keys it signs with', async () => {
    expect(await ask([OLD])).toEqual({ data: { citizen: { ssn: 'of 1', taxBand: 'band of 1' } } });
  });

  it.each([
    ['none', undefined],
    ['another', [{ id: 'new', secret: 'a guess of at least thirty-two characters' }]],
  ])(
    'gives nothing to a gateway whose key is %s, and its client learns that the system cannot be used',
    async (_, keys) => {
      expect(await ask(keys)).toMatchObject({
        data: { citizen: null },
        errors: [
          {
            path: ['citizen'],
            extensions: { code: 'UPSTREAM_INVALID', system: 'register', upstreamStatus: 401 },
          },
        ],
      });
    },
  );

  const attacks = readAttacks('subgraph')?.filter(({ id }) => id === 'F04');
  it.runIf(attacks !== undefined)(
    'F04: gives no field by a representation that is not of the gateway',
    async () => {
      const { body } = (attacks?.[0]?.request ?? {}) as { readonly body: string };
      const { status, text } = await send(TYPE, body);
      expect(status).toBe(401);
      expect(text).not.toMatch(/band|ssn|999/);
      // The same is answered when it is signed: it is the signature that it lacks.
      expect(JSON.parse((await send(sign(body), body)).text)).toEqual({
        data: { _entities: [{ taxBand: 'band 999' }] },
      });
    },
  );

  it('refuses the key of a system that it does not serve, which somebody else has too', async () => {
    expect((await send(sign(BODY, FOREIGN), BODY)).status).toBe(401);
    expect((await send(sign(BODY, TAX), BODY)).status).toBe(200);
  });

  it.each([
    ['_service', '{"query":"{ _service { sdl } }"}'],
    ['introspection', '{"query":"{ __schema { types { name } } }"}'],
    ['_entities', '{"query":"{ _entities(representations: []) { __typename } }"}'],
    ['what is not GraphQL', '['],
  ])('refuses %s that is not signed', async (_, body) => {
    expect((await send(TYPE, body)).status).toBe(401);
  });

  it('refuses what is not signed in every method, type and place, and says in RFC 9457 what it misses', async () => {
    expect((await send([], undefined, '/tax/graphql?query=%7Bbands%7D', 'GET')).status).toBe(401);
    expect((await send(['content-type', 'application/graphql'], '{ bands }')).status).toBe(401);
    expect((await send([], undefined, '/', 'GET')).status).toBe(401);
    expect(JSON.parse((await send(TYPE, BODY)).text)).toMatchObject({ status: 401, code: 'UNAUTHENTICATED' });
  });

  it('refuses what was signed for another of its paths or another method', async () => {
    expect((await send(sign(BODY), BODY, '/register/graphql')).status).toBe(401);
    expect((await send(sign(BODY, NEW, 0, 'PUT'), BODY)).status).toBe(401);
  });

  it('refuses a request that came before', async () => {
    const signed = sign(BODY);
    expect((await send(signed, BODY)).text).toBe('{"data":{"bands":3}}');
    expect((await send(signed, BODY)).status).toBe(401);
  });

  it.each([-90_000, 90_000])('refuses a request whose clock is %i ms off', async (offsetMs) => {
    expect((await send(sign(BODY, NEW, offsetMs), BODY)).status).toBe(401);
    expect((await send(sign(BODY, NEW, offsetMs / 3), BODY)).status).toBe(200);
  });

  it('refuses a body that was altered by one byte, cut, or added to a request that had none', async () => {
    for (const body of [BODY.replace('b', 'B'), BODY.slice(0, -1), `${BODY} `])
      expect((await send(sign(BODY), body)).status).toBe(401);
    expect((await send(sign(''), BODY)).status).toBe(401);
    expect((await send(sign(BODY), undefined)).status).toBe(401);
  });

  it('refuses a request of which a signed header, or the signature, came twice', async () => {
    const signed = sign(BODY);
    for (const name of ['weft-principal', 'content-digest', 'signature', 'signature-input', 'content-type']) {
      const value = signed[signed.indexOf(name) + 1] ?? '';
      expect((await send([...sign(BODY), name, value], BODY)).status).toBe(401);
    }
  });

  it('refuses a request without one of the parts of its signature', async () => {
    const signed = sign(BODY);
    for (const name of ['weft-principal', 'content-digest', 'signature', 'signature-input', 'content-type']) {
      const at = signed.indexOf(name);
      expect((await send(signed.toSpliced(at, 2), BODY)).status).toBe(401);
    }
  });

  it('refuses another principal than the one that was signed', async () => {
    const signed = sign(BODY);
    const other = signed.with(signed.indexOf('weft-principal') + 1, 'eyJyb2xlcyI6WyJhZG1pbiJdfQ==');
    expect((await send(other, BODY)).status).toBe(401);
  });
});
