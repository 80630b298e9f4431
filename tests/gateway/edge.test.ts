// The door as pages of other sites and clients of all kinds meet it: CSRF, CORS, content codings.
import { request as nodeRequest } from 'node:http';
import { brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib';
import { createLogger } from '@weft/core/logger';
import { readGatewayConfig } from '@weft/gateway/config';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { type LibraryGateways, startLibraryGateway } from './edge-gateway.ts';

const APP = 'https://app.example';

let rig: LibraryGateways;
let url: string;

beforeAll(async () => {
  rig = await startLibraryGateway(createLogger('test', 'silent'));
  url = (await rig.start({ WEFT_CORS_ORIGINS: `${APP}, http://localhost:3000` })).urls.graphql ?? '';
});
afterAll(() => rig?.close());

interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** As it came, content coding and all. */
  readonly bytes: Buffer;
}

/** Unlike `fetch`, adds no header and undoes no coding. */
function send(
  method: string,
  headers: Record<string, string>,
  body?: string | Buffer,
  query = '',
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const request = nodeRequest(`${url}${query}`, { method, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          bytes: Buffer.concat(chunks),
        }),
      );
    });
    request.on('error', reject);
    request.end(body);
  });
}

const JSON_TYPE = { 'content-type': 'application/json' };
const post = (query: string, headers: Record<string, string> = {}) =>
  send('POST', { ...JSON_TYPE, ...headers }, JSON.stringify({ query }));

describe('CSRF', () => {
  const get = (headers: Record<string, string>) => send('GET', headers, undefined, '?query=%7B__typename%7D');

  it('refuses a GET that a page of another site can have a browser send', async () => {
    const reply = await get({});
    expect(reply.status).toBe(400);
    expect(String(reply.bytes)).toContain('x-weft-csrf');
  });

  it.each(['x-weft-csrf', 'apollo-require-preflight', 'x-apollo-operation-name'])(
    'takes a GET with the header %s',
    async (name) => {
      expect((await get({ [name]: '1' })).status).toBe(200);
    },
  );

  it('takes a GET whose content type makes a browser ask first, and no other content type', async () => {
    expect((await get(JSON_TYPE)).status).toBe(200);
    expect((await get({ 'content-type': 'message/x', 'x-weft-csrf': '1' })).status).toBe(415);
  });

  it.each([
    ['https://evil.example', 403],
    ['null', 403],
    [`${APP}.evil.example`, 403],
    [APP, 101],
  ])('answers a page of %s that opens a WebSocket with %i', async (origin, status) => {
    const socket = new WebSocket(url.replace('http', 'ws'), 'graphql-transport-ws', { headers: { origin } });
    const got = await new Promise<number | undefined>((resolve) => {
      socket.once('upgrade', (response) => resolve(response.statusCode));
      socket.once('unexpected-response', (_request, response) => resolve(response.statusCode));
      socket.once('error', () => undefined);
    });
    socket.terminate();
    expect(got).toBe(status);
  });
});

describe('CORS', () => {
  const preflight = (origin: string) =>
    send('OPTIONS', {
      origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'content-type,authorization',
    });

  it('answers the preflight of a page that may ask, for a bounded time', async () => {
    const { status, headers } = await preflight(APP);
    expect(status).toBe(204);
    expect(headers).toMatchObject({
      'access-control-allow-origin': APP,
      'access-control-allow-methods': 'GET, POST',
      'access-control-allow-headers': 'content-type,authorization',
      'access-control-max-age': '600',
      vary: 'origin, access-control-request-headers',
    });
    expect(headers['access-control-allow-credentials']).toBeUndefined();
  });

  it.each([
    'https://evil.example',
    'null',
    `${APP}.evil.example`,
    'https://evil-app.example',
    'http://app.example',
    `${APP}:8443`,
    'HTTPS://APP.EXAMPLE',
  ])('says nothing to a page of %s', async (origin) => {
    const asked = await preflight(origin);
    expect(asked.status).toBe(405);
    const answered = await post('{ __typename }', { origin });
    for (const { headers } of [asked, answered]) {
      expect(Object.keys(headers).filter((name) => name.startsWith('access-control-'))).toEqual([]);
      expect(headers.vary).toContain('origin');
    }
  });

  it('lets a page that may ask read answers and refusals alike', async () => {
    for (const query of ['{ __typename }', '{ nothing }'])
      expect((await post(query, { origin: APP })).headers).toMatchObject({
        'access-control-allow-origin': APP,
        vary: 'accept, accept-encoding, origin',
      });
  });

  it.each(['*', 'null', 'app.example', 'https://app.example/', 'https://*.example'])(
    'takes no setting %s, which is no origin',
    (origin) => {
      const env = { WEFT_SUPERGRAPH_FILE: 'x', WEFT_CORS_ORIGINS: origin };
      expect(() => readGatewayConfig(env)).toThrow('WEFT_CORS_ORIGINS');
    },
  );
});

describe('content codings', () => {
  const LONG = '{ __schema { types { name fields { name } } } }';

  it.each([
    ['gzip', 'gzip', gunzipSync],
    ['gzip;q=0.5, br', 'br', brotliDecompressSync],
    ['br;q=0.1, gzip;q=0.2', 'gzip', gunzipSync],
    ['gzip, deflate, br, zstd', 'br', brotliDecompressSync],
  ])('compresses a long answer for Accept-Encoding %s as %s', async (accepted, coding, undo) => {
    const plain = await post(LONG);
    const reply = await post(LONG, { 'accept-encoding': accepted });
    expect(reply.headers).toMatchObject({
      'content-encoding': coding,
      vary: expect.stringContaining('accept-encoding'),
    });
    expect(reply.bytes.length).toBeLessThan(plain.bytes.length);
    expect(String(undo(reply.bytes))).toBe(String(plain.bytes));
  });

  it.each(['identity', 'x-unknown', 'gzip;q=0', 'br;q=0, gzip;q=0, *'])(
    'leaves it as it is for Accept-Encoding %s',
    async (accepted) => {
      expect((await post(LONG, { 'accept-encoding': accepted })).headers['content-encoding']).toBeUndefined();
    },
  );

  it('leaves a short answer as it is', async () => {
    const reply = await post('{ __typename }', { 'accept-encoding': 'gzip' });
    expect(reply.headers['content-encoding']).toBeUndefined();
  });

  it('refuses a request that is compressed, and says what it takes', async () => {
    const body = gzipSync(JSON.stringify({ query: '{ __typename }' }));
    const reply = await send('POST', { ...JSON_TYPE, 'content-encoding': 'gzip' }, body);
    expect(reply.status).toBe(415);
    expect(reply.headers['accept-encoding']).toBe('identity');
  });
});
