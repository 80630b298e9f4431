import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { createLogger } from '@weft/core/logger';
import { createRequestSigner } from '@weft/core/signatures/sign';
import { compileMapping } from '@weft/schema/mapping/compile';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSystem, type RunningSystem } from '../load/system.ts';
import type { ConnectPlan, RestSource, SystemPlan } from '../plan.ts';
import { type ServedSystems, serveSystems } from './server.ts';

describe('serveSystems', () => {
  let upstream: Server;
  let system: RunningSystem;
  let served: ServedSystems;

  beforeAll(async () => {
    upstream = createServer((request, response) => {
      // A request for /hang is never answered.
      if (request.url === '/things')
        response.end(
          JSON.stringify([
            { id: 1, size: 'large' },
            { id: 2, size: 3 },
          ]),
        );
    });
    await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
    const { port } = upstream.address() as { port: number };
    const logger = createLogger('test', 'silent');
    const secrets = () => '';
    system = await openSystem(systemPlan(`http://127.0.0.1:${port}`), { env: {}, secrets, logger });
    served = await serveSystems([system], { host: '127.0.0.1', port: 0, logger });
  });
  afterAll(async () => {
    await served.close();
    await system.close();
    upstream.closeAllConnections();
    upstream.close();
  });

  function post(query: string, headers = {}, signal: AbortSignal | null = null): Promise<Response> {
    return fetch(served.urls.city ?? '', {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ query }),
      signal,
    });
  }

  it('answers nobody but its gateway when it has keys', async () => {
    const subgraphKeys = [{ id: 'k', secret: 'a secret of at least thirty-two characters' }];
    const logger = createLogger('test', 'silent');
    const closed = await serveSystems([system], { host: '127.0.0.1', port: 0, subgraphKeys, logger });
    const url = new URL(closed.urls.city ?? '');
    const body = '{"query":"{ _service { sdl } }"}';
    const contentType = 'application/json';
    const place = { method: 'POST', authority: url.host, target: url.pathname, contentType };
    const [key = { id: '', secret: '' }] = subgraphKeys;
    const signed = createRequestSigner({ key, ...place }).sign(body, 'e30=');
    const headers = signed.flatMap((name, at) => (at % 2 === 0 ? [[name, signed[at + 1] ?? '']] : []));
    const ask = (more: readonly string[][]) =>
      fetch(url, {
        method: 'POST',
        headers: { 'content-type': contentType, ...Object.fromEntries(more) },
        body,
      });
    expect((await ask([])).status).toBe(401);
    expect((await ask(headers)).status).toBe(200);
    await closed.close();
  });

  it('keeps the indices of a path as numbers, and the siblings of a value that does not fit', async () => {
    const answer = (await (await post('{ things { id size } }')).json()) as {
      data: unknown;
      errors: unknown[];
    };
    expect(answer.data).toEqual({
      things: [
        { id: '1', size: null },
        { id: '2', size: 3 },
      ],
    });
    expect(answer.errors).toMatchObject([
      { path: ['things', 0, 'size'], extensions: { code: 'UPSTREAM_INVALID', system: 'city' } },
    ]);
  });

  it('sends the trace of the request upstream', async () => {
    const trace = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const asked = once(upstream, 'request') as Promise<[IncomingMessage]>;
    await post('{ things { id } }', { traceparent: trace });
    expect((await asked)[0].headers['x-correlation-id']).toBe(trace);
  });

  it('ends the call upstream when the client leaves', async () => {
    const leaving = new AbortController();
    const asked = once(upstream, 'request') as Promise<[IncomingMessage]>;
    const answered = post('{ hang { id } }', {}, leaving.signal);
    const [request] = await asked;
    const closed = once(request.socket, 'close');
    leaving.abort();
    await expect(answered).rejects.toThrow();
    await closed;
  });

  it('answers with the code when the deadline passes', async () => {
    const response = await post('{ hang { id } }', { 'x-weft-deadline-ms': '50' });
    expect(await response.json()).toMatchObject({
      data: { hang: null },
      errors: [{ path: ['hang'], extensions: { code: 'DEADLINE_EXCEEDED' } }],
    });
  });

  it('calls a document that does not fit by its code', async () => {
    const response = await post('{ nothing }');
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      errors: [{ extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } }],
    });
    expect(await (await post('{')).json()).toMatchObject({
      errors: [{ extensions: { code: 'GRAPHQL_PARSE_FAILED' } }],
    });
  });
});

function connectTo(path: string): ConnectPlan {
  const call = {
    protocol: 'rest',
    method: 'GET',
    path: compileMapping(`'${path}'`),
    query: undefined,
    body: undefined,
  } as const;
  return {
    source: 'api',
    call,
    failWhen: undefined,
    emptyWhen: undefined,
    select: compileMapping('$ { id size }'),
  };
}

function systemPlan(baseUrl: string): SystemPlan {
  const servedSdl = 'type Query { things: [Thing!] hang: Thing } type Thing { id: ID! size: Int }';
  const guard = { timeoutMs: 4_000, concurrency: 4, retries: 0, responseBytesMax: 10_000 };
  const api: RestSource = {
    protocol: 'rest',
    name: 'api',
    guard: { ...guard, breaker: { failureRatio: 0.5, minCalls: 50, openForMs: 1_000 } },
    timezone: 'Asia/Shanghai',
    encoding: 'utf-8',
    readOnly: true,
    format: 'JSON',
    tls: undefined,
    baseUrl: compileMapping(`'${baseUrl}'`),
    auth: undefined,
  };
  return {
    name: 'city',
    title: '城市',
    storedSdl: servedSdl,
    servedSdl,
    sources: new Map([['api', api]]),
    entities: new Map(),
    fields: new Map([
      ['Query.things', { kind: 'call', connect: connectTo('/things'), list: true, returnType: 'Thing' }],
      ['Query.hang', { kind: 'call', connect: connectTo('/hang'), list: false, returnType: 'Thing' }],
    ]),
    ingests: [],
  };
}
