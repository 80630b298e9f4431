import { createServer, type Server } from 'node:http';
import { createLogger } from '@weft/core/logger';
import { compileMapping } from '@weft/schema/mapping/compile';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openSystem, type RunningSystem } from '../load/system.ts';
import type { RestSource, SystemPlan } from '../plan.ts';
import { type ServedSystems, serveSystems } from './server.ts';

const SDL = `
  extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])
  type Query { none: String }
  type Thing @key(fields: "id") { id: ID! name: String size: Int }
`;
const ENTITIES = 'query($r: [_Any!]!) { _entities(representations: $r) { ... on Thing { id name size } } }';

describe('entities that are asked for', () => {
  let upstream: Server;
  let asked: string[];
  let system: RunningSystem;
  let served: ServedSystems;
  const logger = createLogger('test', 'silent');

  beforeAll(async () => {
    upstream = createServer((request, response) => {
      const keys = new URL(request.url ?? '', 'http://x').searchParams.get('k')?.split(',') ?? [];
      asked.push(keys.join(','));
      if (keys.includes('down')) return void response.writeHead(503).end();
      const rows = keys.flatMap((id) =>
        id === 'none'
          ? []
          : id === 'twice'
            ? [{ id }, { id }]
            : [{ id, name: `n${id}`, size: id === 'bad' ? 'x' : 1 }],
      );
      response.setHeader('content-type', 'application/json').end(JSON.stringify(rows));
    });
    await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
    const { port } = upstream.address() as { port: number };
    system = await openSystem(systemPlan(`http://127.0.0.1:${port}`), { env: {}, secrets: () => '', logger });
    served = await serveSystems([system], { host: '127.0.0.1', port: 0, logger });
  });
  beforeEach(() => {
    asked = [];
  });
  afterAll(async () => {
    await served.close();
    await system.close();
    upstream.closeAllConnections();
    upstream.close();
  });

  async function ask(ids: readonly string[], query = ENTITIES, url = served.urls.city ?? '') {
    const variables = { r: ids.map((id) => ({ __typename: 'Thing', id })) };
    const body = JSON.stringify({ query, variables });
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    });
    return {
      status: response.status,
      answer: (await response.json()) as { data: unknown; errors?: unknown },
    };
  }

  it('come in the order of the question, each key asked for once, in as few calls', async () => {
    const { answer } = await ask(['1', '2', 'none', '1']);
    const thing = (id: string) => ({ id, name: `n${id}`, size: 1 });
    expect(answer).toEqual({ data: { _entities: [thing('1'), thing('2'), null, thing('1')] } });
    expect(asked).toEqual(['1,2,none']);
    await ask(['a', 'b', 'c', 'd', 'e']);
    expect(asked.slice(1)).toEqual(['a,b,c,d', 'e']);
  });

  it('say by path what is wrong with one of them, and the old system is not asked again for that', async () => {
    const { answer } = await ask(['1', 'twice', 'bad']);
    expect(answer.data).toEqual({
      _entities: [{ id: '1', name: 'n1', size: 1 }, null, { id: 'bad', name: 'nbad', size: null }],
    });
    // In no order: https://spec.graphql.org/October2021/#sec-Errors
    const errors = answer.errors as readonly { readonly path: readonly unknown[] }[];
    expect(errors.toSorted((one, other) => one.path.length - other.path.length)).toMatchObject([
      { path: ['_entities', 1], extensions: { code: 'UPSTREAM_INVALID', duplicates: 2 } },
      { path: ['_entities', 2, 'size'], extensions: { code: 'UPSTREAM_INVALID' } },
    ]);
    expect(asked).toEqual(['1,twice,bad']);
  });

  it('fail by the call that they were in, which is not made again', async () => {
    const { answer } = await ask(['1', '2', '3', '4', 'down']);
    expect(answer.errors).toMatchObject([
      { path: ['_entities', 4], extensions: { code: 'UPSTREAM_UNAVAILABLE', system: 'city' } },
    ]);
    expect(asked).toEqual(['1,2,3,4', 'down']);
  });

  it('are asked for by nobody but the gateway when there are keys, compiled or not', async () => {
    const subgraphKeys = [{ id: 'k', secret: 'a secret of at least thirty-two characters' }];
    const closed = await serveSystems([system], { host: '127.0.0.1', port: 0, subgraphKeys, logger });
    expect((await ask(['1'], ENTITIES, closed.urls.city)).status).toBe(401);
    expect(asked).toEqual([]);
    await closed.close();
  });
});

function systemPlan(baseUrl: string): SystemPlan {
  const source: RestSource = {
    protocol: 'rest',
    name: 'web',
    guard: {
      timeoutMs: 2_000,
      concurrency: 4,
      retries: 0,
      breaker: { failureRatio: 0.5, minCalls: 1_000, openForMs: 1_000 },
      responseBytesMax: 100_000,
    },
    timezone: 'Asia/Shanghai',
    encoding: 'utf-8',
    readOnly: true,
    baseUrl: compileMapping(`'${baseUrl}'`),
    auth: undefined,
    format: 'JSON',
    tls: undefined,
  };
  const call = {
    protocol: 'rest' as const,
    method: 'GET' as const,
    path: compileMapping("'/'"),
    query: compileMapping("k: $batch.id->join(',')"),
    body: undefined,
  };
  const batch = { how: 'LIST_PARAM' as const, keysMax: 4, match: 'id', many: false };
  const select = compileMapping('$ { id name size }');
  const connect = { source: 'web', call, failWhen: undefined, emptyWhen: undefined, select, batch };
  return {
    name: 'city',
    title: 'city',
    storedSdl: SDL,
    servedSdl: SDL,
    sources: new Map([['web', source]]),
    entities: new Map([['Thing', { type: 'Thing', keyField: 'id', connect }]]),
    fields: new Map(),
    ingests: [],
  };
}
