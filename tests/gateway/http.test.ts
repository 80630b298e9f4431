// GraphQL over HTTP as a client meets it: methods, media types, status codes, limits, health and pages.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger } from '@weft/core/logger';
import type { Started } from '@weft/core/process';
import { readGatewayConfig } from '@weft/gateway/config';
import { startGateway } from '@weft/gateway/start';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { composeOrThrow } from './library-gateway.ts';
import { type Library, startLibrary } from './library-graph.ts';

const JSON_TYPE = 'application/json';
const GRAPHQL_TYPE = 'application/graphql-response+json';
const logger = createLogger('test', 'silent');

let library: Library;
let gateway: Started;
let folder: string;
let origin: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'weft-gateway-'));
  library = await startLibrary();
  const supergraphFile = join(folder, 'supergraph.graphql');
  writeFileSync(supergraphFile, composeOrThrow(library.all));
  gateway = await startGateway({
    config: readGatewayConfig({ PORT: '0', WEFT_SUPERGRAPH_FILE: supergraphFile }),
    logger,
  });
  origin = new URL(gateway.urls.graphql ?? '').origin;
});
afterAll(async () => {
  await gateway?.close();
  await library?.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Reply {
  readonly status: number;
  readonly type: string | null;
  readonly allow: string | null;
  readonly body: { data?: unknown; errors?: { message: string; extensions: Record<string, unknown> }[] };
}

async function request(path: string, init: RequestInit = {}): Promise<Reply> {
  const response = await fetch(`${origin}${path}`, init);
  const text = await response.text();
  return {
    status: response.status,
    type: response.headers.get('content-type'),
    allow: response.headers.get('allow'),
    body: text.startsWith('{') ? JSON.parse(text) : {},
  };
}

function post(body: unknown, headers: Record<string, string> = {}): Promise<Reply> {
  return request('/graphql', {
    method: 'POST',
    headers: { 'content-type': JSON_TYPE, accept: GRAPHQL_TYPE, ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

const get = (parameters: Record<string, string>, headers: Record<string, string> = {}) =>
  request(`/graphql?${new URLSearchParams(parameters)}`, { headers: { 'x-weft-csrf': '1', ...headers } });

const ME = '{ me { name } }';

describe('POST /graphql', () => {
  it.each([
    [undefined, JSON_TYPE],
    ['*/*', JSON_TYPE],
    ['application/*', JSON_TYPE],
    [JSON_TYPE, JSON_TYPE],
    [GRAPHQL_TYPE, GRAPHQL_TYPE],
    [`${JSON_TYPE};q=0.5, ${GRAPHQL_TYPE}`, GRAPHQL_TYPE],
    [`${GRAPHQL_TYPE}; charset=utf-8, ${JSON_TYPE};q=0.9`, GRAPHQL_TYPE],
  ])('answers Accept %s as %s in UTF-8', async (accept, type) => {
    const init = { method: 'POST', body: JSON.stringify({ query: ME }) };
    const reply = await request('/graphql', {
      ...init,
      headers: { 'content-type': JSON_TYPE, ...(accept === undefined ? {} : { accept }) },
    });
    expect(reply).toMatchObject({
      status: 200,
      type: `${type}; charset=utf-8`,
      body: { data: { me: { name: '甲' } } },
    });
  });

  it('answers 406 when neither media type is acceptable', async () => {
    expect((await post({ query: ME }, { accept: 'text/html' })).status).toBe(406);
  });

  it('takes operationName and variables, and null for either', async () => {
    const query = 'query A($n: Int) { people(first: $n) { id } } query B { me { id } }';
    const reply = await post({ query, operationName: 'A', variables: { n: 1 } });
    expect(reply.body).toEqual({ data: { people: [{ id: '1' }] } });
    expect((await post({ query: ME, operationName: null, variables: null, extensions: null })).status).toBe(
      200,
    );
  });

  it.each([
    ['a document that is not GraphQL', { query: '{' }, 400, 'GRAPHQL_PARSE_FAILED'],
    ['a field that does not exist', { query: '{ nothing }' }, 400, 'GRAPHQL_VALIDATION_FAILED'],
    [
      'a variable of the wrong type',
      { query: 'query ($n: Int!) { people(first: $n) { id } }', variables: { n: 'x' } },
      400,
      'BAD_USER_INPUT',
    ],
    [
      'several operations and no name',
      { query: 'query A { __typename } query B { __typename }' },
      400,
      'BAD_USER_INPUT',
    ],
    ['an operation that is not there', { query: ME, operationName: 'Z' }, 400, 'BAD_USER_INPUT'],
    [
      'a reserved variable name',
      { query: 'query ($representations: Int) { people(first: $representations) { id } }' },
      400,
      'BAD_USER_INPUT',
    ],
    ['too many tokens', { query: `{ ${'me '.repeat(6_000)} }` }, 413, 'LIMIT_EXCEEDED'],
    [
      'too deep a document',
      { query: `{ me ${'{ boss '.repeat(40)} { id } ${'}'.repeat(40)} }` },
      413,
      'LIMIT_EXCEEDED',
    ],
    [
      'a value nested without end',
      { query: `{ books(ids: ${'['.repeat(2_000)}${']'.repeat(2_000)}) { id } }` },
      413,
      'LIMIT_EXCEEDED',
    ],
  ])('refuses %s with a coded error', async (_what, body, status, code) => {
    const reply = await post(body);
    expect(reply).toMatchObject({ status, type: `${GRAPHQL_TYPE}; charset=utf-8` });
    expect(reply.body.data).toBeUndefined();
    expect(reply.body.errors?.[0]?.extensions).toMatchObject({
      code,
      origin: 'HUB',
      traceId: expect.stringMatching(/^[0-9a-f]{32}$/),
    });
  });

  it('answers 200 to a refused document for a client that takes application/json', async () => {
    const reply = await post({ query: '{ nothing }' }, { accept: JSON_TYPE });
    expect(reply).toMatchObject({ status: 200, type: `${JSON_TYPE}; charset=utf-8` });
    expect(reply.body.errors?.[0]?.extensions.code).toBe('GRAPHQL_VALIDATION_FAILED');
  });

  it.each([
    ['no JSON', 'nonsense'],
    ['a list of requests', [{ query: ME }]],
    ['no query', { operationName: 'A' }],
    ['a query that is no text', { query: 7 }],
    ['variables that are no object', { query: ME, variables: [] }],
    ['an operationName that is no text', { query: ME, operationName: 1 }],
    ['extensions that are no object', { query: ME, extensions: 'x' }],
  ])('answers 400 BAD_USER_INPUT to %s, whatever is acceptable', async (_what, body) => {
    for (const accept of [JSON_TYPE, GRAPHQL_TYPE]) {
      const reply = await post(body, { accept });
      expect(reply.status).toBe(400);
      expect(reply.body.errors?.[0]?.extensions.code).toBe('BAD_USER_INPUT');
    }
  });

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'application/json; charset=gb18030'])(
    'answers 415 to Content-Type %s, which a form of another site can send or which is not UTF-8',
    async (type) => {
      expect((await post({ query: ME }, { 'content-type': type })).status).toBe(415);
    },
  );

  it('takes another content type beside a header that a form cannot send', async () => {
    expect((await post({ query: ME }, { 'content-type': 'text/plain', 'x-weft-csrf': '1' })).status).toBe(
      200,
    );
  });

  it('answers 413 to a body above the limit', async () => {
    const reply = await post({ query: ME, variables: { pad: 'x'.repeat(1_000_001) } });
    expect(reply.status).toBe(413);
    expect(reply.body.errors?.[0]?.extensions).toMatchObject({
      code: 'LIMIT_EXCEEDED',
      limit: 'bodyBytesMax',
    });
  });

  it('answers a short document that expands to billions of fields at once', async () => {
    const levels = 30;
    const fragments = Array.from(
      { length: levels },
      (_, index) =>
        `fragment F${index} on Person { ...F${index + 1} boss { ...F${index + 1} } ...F${index + 1} }`,
    );
    const query = `{ me { ...F0 } } ${fragments.join(' ')} fragment F${levels} on Person { id }`;
    const startedAt = performance.now();
    const reply = await post({ query });
    expect(performance.now() - startedAt).toBeLessThan(500);
    expect(reply.body.errors?.[0]?.extensions).toMatchObject({ code: 'LIMIT_EXCEEDED' });
  });

  it('names a fragment that spreads itself', async () => {
    const reply = await post({ query: '{ me { ...A } } fragment A on Person { boss { ...A } }' });
    expect(reply.body.errors?.[0]).toMatchObject({
      message: expect.stringContaining('"A"'),
      extensions: { code: 'GRAPHQL_VALIDATION_FAILED' },
    });
  });

  it('sends a subscription to the WebSocket', async () => {
    const reply = await post({ query: 'subscription { me { id } }' });
    expect(reply.status).toBe(400);
  });

  it('takes over the trace that the caller began', async () => {
    const traceId = '1'.repeat(32);
    const reply = await post({ query: '{ nothing }' }, { traceparent: `00-${traceId}-${'2'.repeat(16)}-01` });
    expect(reply.body.errors?.[0]?.extensions.traceId).toBe(traceId);
  });
});

describe('GET /graphql', () => {
  it('runs a query with variables', async () => {
    const query = 'query ($n: Int) { people(first: $n) { id } }';
    const reply = await get({ query, variables: '{"n":1}' });
    expect(reply).toMatchObject({ status: 200, body: { data: { people: [{ id: '1' }] } } });
  });

  it('refuses a mutation with 405 and Allow: POST, and does not run it', async () => {
    library.post.requests.length = 0;
    const reply = await get({ query: 'mutation { stamp(parcel: "x") { id } }' });
    expect(reply).toMatchObject({ status: 405, allow: 'POST' });
    expect(library.post.requests).toHaveLength(0);
  });

  it.each([
    ['no query', '/graphql'],
    ['variables that are not JSON', '/graphql?query={me{id}}&variables=x'],
    ['a parameter given twice', '/graphql?query={me{id}}&query={me{id}}'],
  ])('answers 400 to %s', async (_what, path) => {
    expect((await request(path, { headers: { 'x-weft-csrf': '1' } })).status).toBe(400);
  });
});

describe('other methods', () => {
  it.each(['PUT', 'PATCH', 'DELETE', 'OPTIONS'])(
    'answers %s with 405 and what is allowed',
    async (method) => {
      expect(await request('/graphql', { method })).toMatchObject({ status: 405, allow: 'GET, POST' });
    },
  );
});

describe('health and pages', () => {
  it('is live, and ready with the reason why subscriptions are not', async () => {
    expect((await request('/health/live')).status).toBe(200);
    const ready = await fetch(`${origin}/health/ready`);
    expect(ready.status).toBe(200);
    expect(await ready.json()).toMatchObject({
      status: 'degraded',
      reasons: ['subscriptions: DATABASE_URL is not set'],
    });
  });

  it.each(['/', '/explorer', '/explorer/'])(
    'serves %s under a policy that runs no foreign script',
    async (path) => {
      const response = await fetch(`${origin}${path}`);
      const html = await response.text();
      expect(response.status).toBe(200);
      expect(response.headers.get('content-security-policy')).toContain("script-src 'self'");
      expect(response.headers.get('x-content-type-options')).toBe('nosniff');
      const assets = [...html.matchAll(/(?:src|href)="(\/[^"]+\.(?:js|css|svg))"/g)].map(
        (match) => match[1] ?? '',
      );
      expect(assets.length).toBeGreaterThan(0);
      for (const asset of assets)
        expect([asset, (await fetch(`${origin}${asset}`)).status]).toEqual([asset, 200]);
    },
  );

  it.each(['/nope', '/../package.json', '/%2e%2e/package.json', '/vendor/none.js'])(
    'answers 404 in JSON at %s',
    async (path) => {
      const reply = await request(path);
      expect(reply.status).toBe(404);
      expect(reply.body.errors?.[0]?.extensions.code).toBe('NOT_FOUND');
      // There may be something for another method: which one was asked for is said.
      expect(reply.body.errors?.[0]?.message).toMatch(/^There is nothing at \/\S+ for GET\.$/);
    },
  );
});

describe('startGateway', () => {
  it('says which port is in use and what to do', async () => {
    const { port } = new URL(origin);
    const config = readGatewayConfig({
      PORT: port,
      WEFT_SUPERGRAPH_FILE: join(folder, 'supergraph.graphql'),
    });
    await expect(startGateway({ config, logger })).rejects.toThrow(
      `port ${port} is in use: stop what listens there, or give another with PORT or --port`,
    );
  });

  it('composes a manifest of stored SDL and starts although nothing that it names can be reached', async () => {
    writeFileSync(join(folder, 'one.graphql'), 'type Query { one: Int }');
    writeFileSync(join(folder, 'two.graphql'), 'type Query { two: Int }');
    const manifest = join(folder, 'manifest.json');
    const subgraphs = ['one', 'two'].map((name) => ({
      name,
      url: 'http://127.0.0.1:1/graphql',
      sdlFile: `${name}.graphql`,
    }));
    writeFileSync(manifest, JSON.stringify({ subgraphs }));
    const databaseUrl = 'postgresql://postgres@127.0.0.1:1/none';
    const config = readGatewayConfig({ PORT: '0', WEFT_SUBGRAPHS_FILE: manifest, DATABASE_URL: databaseUrl });
    const started = await startGateway({ config, logger });
    try {
      const response = await fetch(started.urls.graphql ?? '', {
        method: 'POST',
        headers: { 'content-type': JSON_TYPE },
        body: JSON.stringify({ query: '{ __typename one two }' }),
      });
      const { data, errors } = (await response.json()) as { data: unknown; errors: { path: unknown }[] };
      expect(data).toEqual({ __typename: 'Query', one: null, two: null });
      expect(errors.map((error) => error.path).sort()).toEqual([['one'], ['two']]);
      const ready = await fetch(new URL('/health/ready', started.urls.dashboard));
      expect(await ready.json()).toMatchObject({
        status: 'degraded',
        reasons: ['subscriptions: the event log does not answer'],
      });
    } finally {
      await started.close();
    }
  });

  it.each([
    [{}, 'WEFT_SUPERGRAPH_FILE'],
    [{ WEFT_SUPERGRAPH_FILE: '/nowhere/supergraph.graphql' }, 'cannot be read (ENOENT)'],
    [{ WEFT_SUBGRAPHS_FILE: '/nowhere/manifest.json' }, 'there is no file'],
    [{ WEFT_SUPERGRAPH_FILE: 'x', PORT: 'http' }, 'PORT'],
  ])('refuses the settings %j, naming %s', async (env, text) => {
    await expect(async () => startGateway({ config: readGatewayConfig(env), logger })).rejects.toThrow(text);
  });

  it('refuses a manifest that does not compose, naming system and coordinate', async () => {
    writeFileSync(join(folder, 'three.graphql'), 'type Query { one: String }');
    const manifest = join(folder, 'bad.json');
    const subgraphs = ['one', 'three'].map((name) => ({
      name,
      url: 'http://127.0.0.1:1/graphql',
      sdlFile: `${name}.graphql`,
    }));
    writeFileSync(manifest, JSON.stringify({ subgraphs }));
    const config = readGatewayConfig({ WEFT_SUBGRAPHS_FILE: manifest });
    await expect(startGateway({ config, logger })).rejects.toThrow(/one, three: Query\.one: /);
  });
});
