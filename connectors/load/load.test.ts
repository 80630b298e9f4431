import { createServer, type Server } from 'node:http';
import { createLogger } from '@weft/core/logger';
import { compileMapping } from '@weft/schema/mapping/compile';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BatchPlan, EntityPlan, FieldPlan, RestSource, SystemPlan } from '../plan.ts';
import { findBusinessCode, type Row } from './connect.ts';
import { loadBatchField, loadEntities, loadEntity } from './loaders.ts';
import { createRequestContext, type RequestContext } from './request-context.ts';
import { openSystem, type RunningSystem } from './system.ts';

const ROWS = [
  { no: 1, name: 'one' },
  { no: 2, name: 'two' },
  { no: '3', name: 'three' },
  { no: 4, name: 'four' },
  { no: 4, name: 'again four' },
];

describe('loaders', () => {
  let server: Server;
  let system: RunningSystem;
  const asked: { path: string; correlation: string | undefined; key: string | undefined }[] = [];

  beforeAll(async () => {
    server = createServer((request, response) => {
      const url = new URL(request.url ?? '', 'http://x');
      const header = (name: string) => request.headers[name] as string | undefined;
      asked.push({
        path: request.url ?? '',
        correlation: header('x-correlation-id'),
        key: header('authorization'),
      });
      const numbers = url.searchParams.get('no')?.split(',');
      const rows = ROWS.filter(({ no }) => numbers === undefined || numbers.includes(String(no)));
      if (numbers?.includes('9')) response.writeHead(500).end();
      else response.end(JSON.stringify({ rows: numbers?.includes('extra') ? ROWS : rows }));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    const plan = systemPlan(`http://127.0.0.1:${port}/base/`);
    system = await openSystem(plan, {
      env: {},
      secrets: () => 'user:pw',
      logger: createLogger('test', 'silent'),
    });
  });
  afterAll(async () => {
    await system.close();
    server.close();
  });

  function context(): RequestContext {
    asked.length = 0;
    return createRequestContext(system, AbortSignal.timeout(5_000), 'trace-1');
  }

  function entity(how: BatchPlan['how'], keysMax = 10): EntityPlan {
    const query = how === 'LOAD_ALL' ? undefined : compileMapping("no: $batch.id->join(',')");
    const call = {
      protocol: 'rest',
      method: 'GET',
      path: compileMapping("'/things'"),
      query,
      body: undefined,
    } as const;
    const connect = {
      source: 'api',
      call,
      failWhen: undefined,
      emptyWhen: undefined,
      select: compileMapping('$.rows { id: no name }'),
      batch: { how, keysMax, match: 'id', many: false },
    };
    return { type: 'Thing', keyField: 'id', connect };
  }

  it('gathers the keys of a tick, once each, and lets 1 meet "1"', async () => {
    const request = context();
    const plan = entity('LIST_PARAM');
    const rows = await Promise.all([1, '1', '3', 'none'].map((key) => loadEntity(request, plan, key)));
    expect(rows.map((row) => row?.name ?? null)).toEqual(['one', 'one', 'three', null]);
    expect(asked).toHaveLength(1);
    expect(asked[0]).toMatchObject({ path: '/base/things?no=1%2C3%2Cnone', correlation: 'trace-1' });
    expect(asked[0]?.key).toBe(`Basic ${Buffer.from('user:pw').toString('base64')}`);
  });

  it('gives each key its row, in whatever order the answer has them', async () => {
    const wanted = ['3', '1', '2'];
    const rows = await loadEntities(context(), entity('LIST_PARAM'), wanted);
    expect(rows.map((row) => (row as Row).name)).toEqual(['three', 'one', 'two']);
    const several = await loadEntities(context(), entity('LIST_PARAM'), ['3', '4', 'none', '3']);
    expect(several[0]).toMatchObject({ name: 'three' });
    expect(several[1]).toMatchObject({ code: 'UPSTREAM_INVALID', details: { duplicates: 2 } });
    expect(several.slice(2)).toMatchObject([null, { name: 'three' }]);
  });

  it('splits at the limit of keys', async () => {
    const request = context();
    const plan = entity('LIST_PARAM', 2);
    await Promise.all(['1', '2', '3'].map((key) => loadEntity(request, plan, key)));
    expect(asked).toHaveLength(2);
  });

  it('fails a duplicate alone', async () => {
    const request = context();
    const plan = entity('LIST_PARAM');
    const [two, four] = await Promise.allSettled([
      loadEntity(request, plan, 2),
      loadEntity(request, plan, 4),
    ]);
    expect(two).toMatchObject({ status: 'fulfilled', value: { name: 'two' } });
    expect(four).toMatchObject({ reason: { code: 'UPSTREAM_INVALID', details: { duplicates: 2 } } });
  });

  it('leaves out rows that nobody asked for', async () => {
    expect(await loadEntity(context(), entity('LIST_PARAM'), 'extra')).toBeNull();
  });

  it('fans out with one call a key, and the failure of one is its own', async () => {
    const request = context();
    const plan = entity('FAN_OUT');
    const settled = await Promise.allSettled(['1', '9', '3'].map((key) => loadEntity(request, plan, key)));
    expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(settled[1]).toMatchObject({
      reason: { code: 'UPSTREAM_UNAVAILABLE', details: { upstreamStatus: 500 } },
    });
    expect(asked.filter(({ path }) => path.endsWith('no=9'))).toHaveLength(1);
  });

  it('loads a dictionary whole, once a request', async () => {
    const request = context();
    const plan = entity('LOAD_ALL', 1);
    const rows = await Promise.all(['1', '2', '3'].map((key) => loadEntity(request, plan, key)));
    expect(rows.map((row) => row?.name)).toEqual(['one', 'two', 'three']);
    expect(asked).toHaveLength(1);
    expect(asked[0]?.path).toBe('/base/things');
  });

  it('gives each parent its own rows of a batched field', async () => {
    const request = context();
    const { connect } = entity('LIST_PARAM');
    const plan: Extract<FieldPlan, { kind: 'batch' }> = {
      kind: 'batch',
      connect: { ...connect, batch: { ...connect.batch, many: true } },
      parentKeyField: 'id',
      returnType: 'Thing',
    };
    const [four, none] = await Promise.all(
      ['4', 'none'].map((key) => loadBatchField(request, 'A.b', plan, key)),
    );
    expect(four).toHaveLength(2);
    expect(none).toEqual([]);
    expect(asked).toHaveLength(1);
  });
});

describe('findBusinessCode', () => {
  it('finds the old system’s own code near the top, and nothing else', () => {
    expect(findBusinessCode({ code: '1001', msg: 'x' })).toBe('1001');
    expect(findBusinessCode({ Result: { RetCode: 2 } })).toBe('2');
    expect(findBusinessCode({ rows: [{ code: 'of a row' }] })).toBeUndefined();
    expect(findBusinessCode('code')).toBeUndefined();
  });
});

function systemPlan(baseUrl: string): SystemPlan {
  const api: RestSource = {
    protocol: 'rest',
    name: 'api',
    guard: {
      timeoutMs: 1_000,
      concurrency: 2,
      retries: 0,
      breaker: { failureRatio: 0.5, minCalls: 50, openForMs: 1_000 },
      responseBytesMax: 10_000,
    },
    timezone: 'Asia/Shanghai',
    encoding: 'utf-8',
    readOnly: true,
    format: 'JSON',
    tls: undefined,
    baseUrl: compileMapping(`'${baseUrl}'`),
    auth: { kind: 'basic', secret: 'api' },
  };
  return {
    name: 'city',
    title: '城市',
    storedSdl: '',
    servedSdl: '',
    sources: new Map([['api', api]]),
    entities: new Map(),
    fields: new Map(),
    ingests: [],
  };
}
