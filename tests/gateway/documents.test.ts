// Documents sent by hash or id, and several requests in one body, over real sockets.
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createLogger } from '@weft/core/logger';
import { readGatewayConfig } from '@weft/gateway/config';
import { createDocumentCache } from '@weft/gateway/documents/document-cache';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openClient } from '../live/ws-client.ts';
import { type LibraryGateways, startLibraryGateway } from './edge-gateway.ts';

const JSON_TYPE = 'application/json';
const GRAPHQL_TYPE = 'application/graphql-response+json';

let rig: LibraryGateways;
beforeAll(async () => {
  rig = await startLibraryGateway(createLogger('test', 'silent'));
});
afterAll(() => rig?.close());

interface Reply {
  readonly status: number;
  readonly body: { data?: unknown; errors?: { message: string; extensions: Record<string, unknown> }[] };
}

async function send(at: string, body: unknown, accept = JSON_TYPE): Promise<Reply> {
  const headers = { 'content-type': JSON_TYPE, accept };
  const response = await fetch(at, { method: 'POST', headers, body: JSON.stringify(body) });
  return { status: response.status, body: (await response.json()) as Reply['body'] };
}

async function sendOverWebSocket(at: string, payload: object): Promise<unknown> {
  const client = await openClient(at.replace('http', 'ws'));
  try {
    client.send({ type: 'connection_init' });
    await client.next();
    client.send({ id: '1', type: 'subscribe', payload });
    return (await client.next()).payload;
  } finally {
    await client.close();
  }
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const byHash = (sha256Hash: string, version: unknown = 1) => ({ persistedQuery: { version, sha256Hash } });
const code = ({ body }: Reply) => body.errors?.[0]?.extensions.code;
const ME = { data: { me: { name: '甲' } } };

describe('automatic persisted queries', () => {
  let url: string;
  beforeAll(async () => {
    url = (await rig.start({ WEFT_APQ: 'true' })).urls.graphql ?? '';
  });

  it.each([
    [JSON_TYPE, 200],
    [GRAPHQL_TYPE, 404],
  ])('ask for the text of a hash that is not known, as %s with %i', async (accept, status) => {
    const reply = await send(url, { extensions: byHash(sha256('{ unknown }')) }, accept);
    expect(reply.status).toBe(status);
    expect(reply.body.errors).toMatchObject([
      { message: 'PersistedQueryNotFound', extensions: { code: 'PERSISTED_QUERY_NOT_FOUND' } },
    ]);
  });

  it('run a document by its hash from then on, over POST, GET and WebSocket', async () => {
    const query = '{ me { name } } # by hash';
    const extensions = byHash(sha256(query));
    expect((await send(url, { query, extensions })).body).toEqual(ME);
    expect((await send(url, { extensions })).body).toEqual(ME);
    const parameters = new URLSearchParams({ extensions: JSON.stringify(extensions) });
    const got = await fetch(`${url}?${parameters}`, { headers: { 'x-weft-csrf': '1' } });
    expect(await got.json()).toEqual(ME);
    expect(await sendOverWebSocket(url, { query: '', extensions })).toEqual(ME);
    expect((await send(url, { documentId: `sha256:${sha256(query)}` })).body).toEqual(ME);
  });

  it('never store a document under the hash of another', async () => {
    const hash = sha256('{ me { id } }');
    const reply = await send(url, { query: '{ nobody { id } }', extensions: byHash(hash) });
    expect(reply).toMatchObject({ status: 400 });
    expect(code(reply)).toBe('BAD_USER_INPUT');
    expect(code(await send(url, { extensions: byHash(hash) }))).toBe('PERSISTED_QUERY_NOT_FOUND');
  });

  it.each([
    ['another version', byHash('0'.repeat(64), 2)],
    ['no hash', { persistedQuery: { version: 1 } }],
    ['a hash that is none', byHash('x')],
    ['a text', { persistedQuery: 'x' }],
    ['a hash in an array', { persistedQuery: { version: 1, sha256Hash: ['0'.repeat(64)] } }],
  ])('answer 400 to %s', async (_what, extensions) => {
    expect((await send(url, { extensions })).status).toBe(400);
  });

  it('are not supported unless they are switched on, and the text still runs', async () => {
    const plain = (await rig.start({})).urls.graphql ?? '';
    const query = '{ me { name } }';
    expect(code(await send(plain, { extensions: byHash(sha256(query)) }))).toBe(
      'PERSISTED_QUERY_NOT_SUPPORTED',
    );
    expect((await send(plain, { query, extensions: byHash(sha256(query)) })).body).toEqual(ME);
    expect(await sendOverWebSocket(plain, { query: '', extensions: byHash(sha256(query)) })).toMatchObject([
      { message: 'PersistedQueryNotSupported' },
    ]);
    expect((await send(plain, {})).status).toBe(400);
  });
});

describe('the store of automatic persisted queries', () => {
  const LIMITS = { automaticEntriesMax: 3, automaticBytesMax: 40, automaticDocumentCharsMax: 10 };

  it('keeps those used last, within its entries and its bytes', () => {
    const cache = createDocumentCache(LIMITS);
    for (const name of ['a', 'b', 'c']) cache.set(name, name.repeat(5));
    expect(cache.get('a')).toBe('aaaaa');
    cache.set('d', 'd');
    expect(cache.get('b')).toBeUndefined();
    cache.set('e', 'e'.repeat(10));
    expect(['a', 'c', 'd', 'e'].filter((name) => cache.get(name) !== undefined)).toEqual(['a', 'd', 'e']);
    cache.set('f', 'f'.repeat(11));
    expect(cache.get('f')).toBeUndefined();
  });
});

describe('a trusted document that the graph cannot run', () => {
  it('is told in the log when the gateway starts, and the others are planned by then', async () => {
    const written: string[] = [];
    const logged = await startLibraryGateway(
      createLogger('test', 'info', { write: (line) => written.push(line) }),
    );
    const file = join(logged.folder, 'trusted.json');
    writeFileSync(file, JSON.stringify({ me: '{ me { name } }', gone: '{ me { shoeSize } }' }));
    await logged.start({ WEFT_TRUSTED_DOCUMENTS_FILE: file });
    const warnings = () =>
      written.map((line) => JSON.parse(line)).filter(({ msg }) => /trusted document/.test(msg));
    await expect
      .poll(warnings, { timeout: 15_000 })
      .toMatchObject([{ document: 'gone', problem: expect.stringContaining('shoeSize') }]);
    await logged.close();
  });
});

describe('trusted documents', () => {
  const LISTED = 'query Me { me { name } }';
  let file: string;
  beforeAll(() => {
    file = join(rig.folder, 'trusted.json');
    writeFileSync(file, JSON.stringify({ me: LISTED }));
  });

  it.each(['allow', 'require'])('are run by id and by hash, in mode %s', async (mode) => {
    const env = { WEFT_TRUSTED_DOCUMENTS_FILE: file, WEFT_TRUSTED_DOCUMENTS: mode };
    const url = (await rig.start(env)).urls.graphql ?? '';
    const forms = [
      { documentId: 'me' },
      { documentId: `sha256:${sha256(LISTED)}` },
      { extensions: byHash(sha256(LISTED)) },
      { query: LISTED },
      { query: LISTED, extensions: byHash(sha256(LISTED)) },
    ];
    for (const form of forms) {
      expect((await send(url, form)).body).toEqual(ME);
      expect(await sendOverWebSocket(url, { query: '', ...form })).toEqual(ME);
    }
    expect(code(await send(url, { documentId: 'nobody' }))).toBe('PERSISTED_QUERY_NOT_FOUND');
    expect((await send(url, { documentId: 'me', query: '{ me { id } }' })).status).toBe(400);
    const other = { query: '{ me { id } }' };
    expect((await send(url, other)).status).toBe(mode === 'require' ? 403 : 200);
    const overWebSocket = await sendOverWebSocket(url, other);
    if (mode === 'require') expect(overWebSocket).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
  });

  it('refuse settings that leave nothing to run, or too much', () => {
    const broken = join(rig.folder, 'broken.json');
    writeFileSync(broken, JSON.stringify({ me: '{ me { name }', all: '{ me { id } }' }));
    expect(() =>
      readGatewayConfig({ WEFT_SUPERGRAPH_FILE: 'x', WEFT_TRUSTED_DOCUMENTS_FILE: broken }),
    ).toThrow(/broken\.json: document "me" is not GraphQL: Syntax Error: Expected Name/);
    const env = { WEFT_SUPERGRAPH_FILE: 'x', WEFT_TRUSTED_DOCUMENTS: 'require' };
    expect(() => readGatewayConfig(env)).toThrow('WEFT_TRUSTED_DOCUMENTS_FILE');
    const both = { ...env, WEFT_TRUSTED_DOCUMENTS_FILE: file, WEFT_APQ: 'true' };
    expect(() => readGatewayConfig(both)).toThrow('WEFT_APQ');
  });
});

describe('a batch', () => {
  let url: string;
  beforeAll(async () => {
    url = (await rig.start({ WEFT_BATCHING: 'true' })).urls.graphql ?? '';
  });
  const repeat = (count: number, query: string) => Array.from({ length: count }, () => ({ query }));

  it('is answered in its order, each request by itself', async () => {
    const { status, body } = await send(url, [{ query: '{ me { name } }' }, { query: '{ nothing }' }]);
    expect(status).toBe(200);
    expect(body).toMatchObject([ME, { errors: [{ extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } }] }]);
  });

  it('runs in turn when one of its requests writes', async () => {
    rig.library.post.requests.length = 0;
    const { body } = await send(url, repeat(3, 'mutation { stamp(parcel: "p1") { id } }'));
    expect(body).toHaveLength(3);
    expect(rig.library.post.requests).toHaveLength(3);
  });

  it.each([
    ['batchRequestsMax', repeat(11, '{ __typename }')],
    ['documentBytesMax', repeat(2, `{ __typename } #${'x'.repeat(30_000)}`)],
    ['aliasesMax', repeat(10, `{ me { ${'a b c d e f g h i j k'.replaceAll(/\w/g, '$&: id')} } }`)],
    [
      'rootFieldsMax',
      repeat(10, '{ a: __typename b: __typename c: __typename d: __typename e: __typename f: __typename }'),
    ],
    [
      'mutationFieldsMax',
      repeat(
        10,
        'mutation { a: stamp(parcel: "1") { id } b: stamp(parcel: "1") { id } c: stamp(parcel: "1") { id } }',
      ),
    ],
  ])('is refused by %s as a whole, and runs nothing', async (limit, requests) => {
    rig.library.post.requests.length = 0;
    const { status, body } = await send(url, requests);
    expect(status).toBe(413);
    expect(body.errors).toMatchObject([{ extensions: { code: 'LIMIT_EXCEEDED', limit } }]);
    expect(rig.library.post.requests).toHaveLength(0);
  });

  it('is refused by costMax as a whole, and asks nobody', async () => {
    const env = { WEFT_BATCHING: 'true', WEFT_COST_MAX: '25' };
    const dear = (await rig.start(env)).urls.graphql ?? '';
    expect((await send(dear, repeat(2, '{ people { id } }'))).status).toBe(200);
    rig.library.people.requests.length = 0;
    const { status, body } = await send(dear, repeat(3, '{ people { id } }'));
    expect(status).toBe(413);
    expect(body.errors).toMatchObject([
      { extensions: { code: 'LIMIT_EXCEEDED', limit: 'costMax', max: 25 } },
    ]);
    expect(rig.library.people.requests).toHaveLength(0);
  });

  it.each([
    ['no request', []],
    ['what is no request', [1, 2]],
    ['a batch in it', [[{ query: '{ __typename }' }]]],
  ])('is refused with 400 when it has %s', async (_what, requests) => {
    expect((await send(url, requests)).status).toBe(400);
  });
});
