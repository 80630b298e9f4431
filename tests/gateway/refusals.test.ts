// What no document and no variables get past, on every transport: limits by name, bounded words, a schema that is kept back.
import { createLogger } from '@weft/core/logger';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openClient } from '../live/ws-client.ts';
import { type LibraryGateways, startLibraryGateway } from './edge-gateway.ts';

let rig: LibraryGateways;
let url: string;
let closedUrl: string;

beforeAll(async () => {
  rig = await startLibraryGateway(createLogger('test', 'silent'));
  url = (await rig.start({})).urls.graphql ?? '';
  closedUrl = (await rig.start({ WEFT_INTROSPECTION: 'false' })).urls.graphql ?? '';
});
afterAll(() => rig?.close());

interface ClientError {
  readonly message: string;
  readonly extensions: Readonly<Record<string, unknown>>;
}

async function overHttp(at: string, body: object | string): Promise<readonly ClientError[]> {
  const response = await fetch(at, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return ((await response.json()) as { errors?: readonly ClientError[] }).errors ?? [];
}

async function overWebSocket(at: string, payload: object): Promise<readonly ClientError[]> {
  const client = await openClient(at.replace('http', 'ws'));
  try {
    client.send({ type: 'connection_init' });
    await client.next();
    client.send({ id: '1', type: 'subscribe', payload });
    const { type, payload: answer } = await client.next();
    return type === 'error'
      ? (answer as ClientError[])
      : ((answer as { errors?: ClientError[] }).errors ?? []);
  } finally {
    await client.close();
  }
}

const many = (count: number, text: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => text(index)).join(' ');

const DOCUMENTS: readonly (readonly [limit: string, query: string])[] = [
  ['documentBytesMax', `{ __typename } #${'x'.repeat(50_000)}`],
  ['documentTokensMax', `{ __typename } ${'#\n'.repeat(2_001)}`],
  ['documentTokensMax', `{ __typename ${'#\n'.repeat(2_001)} }`],
  ['aliasesMax', `{ me { ${many(101, (index) => `a${index}: id`)} } }`],
  [
    'aliasesMax',
    `{ me { ...F boss { ...F ...G } } } fragment F on Person { ${many(30, (i) => `a${i}: id`)} } fragment G on Person { ...F boss { ...F } }`,
  ],
  ['rootFieldsMax', `{ ...F } fragment F on Query { ${many(51, (index) => `a${index}: __typename`)} }`],
  ['mutationFieldsMax', `mutation { ${many(21, (index) => `a${index}: stamp(parcel: "1") { id }`)} }`],
  ['directivesMax', `{ __typename ${'@include(if: true)'.repeat(101)} }`],
  ['documentOperationsMax', many(51, (index) => `query Q${index} { __typename }`)],
  ['documentFragmentsMax', `{ me { id } } ${many(101, (index) => `fragment F${index} on Person { id }`)}`],
];

describe('a document above a limit', () => {
  it.each(DOCUMENTS)('is refused by %s over HTTP and WebSocket alike', async (limit, query) => {
    for (const errors of [await overHttp(url, { query }), await overWebSocket(url, { query })])
      expect(errors).toMatchObject([{ extensions: { code: 'LIMIT_EXCEEDED', limit } }]);
  });

  it('asks nothing of any system', async () => {
    rig.library.post.requests.length = 0;
    await overHttp(url, {
      query: `mutation { ${many(21, (index) => `a${index}: stamp(parcel: "1") { id }`)} }`,
    });
    expect(rig.library.post.requests).toHaveLength(0);
  });
});

describe('variables', () => {
  const query = 'query ($ids: [ID!]) { books(ids: $ids) { id } }';

  it('are refused above variablesDepthMax over HTTP and WebSocket alike', async () => {
    const nested = `${'['.repeat(400_000)}${']'.repeat(400_000)}`;
    const deep = await overHttp(url, `{"query":${JSON.stringify(query)},"variables":{"ids":${nested}}}`);
    const short = { query, variables: { ids: JSON.parse(`${'['.repeat(60)}${']'.repeat(60)}`) } };
    for (const errors of [deep, await overWebSocket(url, short)])
      expect(errors).toMatchObject([{ extensions: { code: 'LIMIT_EXCEEDED', limit: 'variablesDepthMax' } }]);
  });

  it('are not sent back in what is wrong with them', async () => {
    const wrong = 'query ($n: Int) { people(first: $n) { id } }';
    const [error] = await overHttp(url, { query: wrong, variables: { n: 'x'.repeat(60_000) } });
    expect(error?.message).toMatch(/^Variable "\$n" got invalid value "xxx/);
    expect(error?.message.length).toBeLessThanOrEqual(500);
  });
});

describe('what is wrong with a document', () => {
  it('is told in at most five errors, the last of which says that there may be more', async () => {
    const errors = await overHttp(url, { query: `{ ${many(20, (index) => `nothing${index}`)} }` });
    expect(errors).toHaveLength(5);
    expect(errors.at(-1)?.message).toContain('Too many validation errors');
  });

  it.each([
    ['a field', { query: `{ ${'x'.repeat(40_000)} }` }],
    ['a syntax', { query: `${'x'.repeat(40_000)}` }],
    ['an operation', { query: '{ __typename }', operationName: 'x'.repeat(40_000) }],
    ['an alias', { query: `{ _weft_${'x'.repeat(40_000)}: __typename }` }],
  ])('is told in few words, however long the name of %s is', async (_what, body) => {
    const [error] = await overHttp(url, body);
    expect(error?.message.length).toBeLessThanOrEqual(500);
  });
});

describe('a schema that is kept back', () => {
  const NEAR = [
    { query: '{ peeple { id } }' },
    { query: '{ me { nam } }' },
    { query: '{ people(furst: 1) { id } }' },
    { query: 'query ($r: Rolle) { nobody { id @include(if: $r) } }' },
    { query: '{ me { ... on Persn { id } } }' },
  ];

  it('is not told in suggestions', async () => {
    for (const body of NEAR) {
      expect(JSON.stringify(await overHttp(url, body)), body.query).toContain('Did you mean');
      const errors = await overHttp(closedUrl, body);
      expect(errors[0]).toMatchObject({ extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } });
      expect(JSON.stringify(errors)).not.toContain('Did you mean');
    }
  });

  it('answers neither __schema nor __type, and __typename still', async () => {
    for (const query of ['{ __schema { types { name } } }', '{ __type(name: "Person") { name } }'])
      for (const errors of [await overHttp(closedUrl, { query }), await overWebSocket(closedUrl, { query })])
        expect(errors[0]).toMatchObject({ extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } });
    expect(await overHttp(closedUrl, { query: '{ __typename me { __typename } }' })).toEqual([]);
  });

  it('never tells what is inaccessible, kept back or not', async () => {
    for (const query of ['{ media { ... on Vault { id } } }', '{ media { ... on Vaul { id } } }'])
      expect(JSON.stringify(await overHttp(url, { query }))).not.toMatch(/did you mean.*Vault/i);
  });
});

describe('a wish to be told what nobody tells', () => {
  const WRONG = ['freshnes', 'freshness; provenance', 'freshness, age', `${'freshness,'.repeat(20)}`];
  const refusal = {
    message: 'x-weft-tell: expected freshness, provenance, or both with a comma between.',
    extensions: { code: 'BAD_USER_INPUT' },
  };

  it.each(WRONG)('is refused over HTTP, whatever answer is accepted: %.40s', async (tell) => {
    for (const accept of ['application/json', 'application/graphql-response+json', 'text/event-stream']) {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept, 'x-weft-tell': tell },
        body: '{"query":"{ __typename }"}',
      });
      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({ errors: [refusal] });
    }
  });

  it.each(WRONG)('is refused with the upgrade to a WebSocket: %.40s', async (tell) => {
    const headers = { 'x-weft-tell': tell };
    await expect(openClient(url.replace('http', 'ws'), { headers })).rejects.toThrow('400');
  });

  it.each(['freshness', 'Provenance , FRESHNESS', 'provenance,', ''])(
    'is none where each word is known: "%s"',
    async (tell) => {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-weft-tell': tell },
        body: '{"query":"{ __typename }"}',
      });
      expect(await response.json()).toEqual({ data: { __typename: 'Query' } });
      await (await openClient(url.replace('http', 'ws'), { headers: { 'x-weft-tell': tell } })).close();
    },
  );
});
