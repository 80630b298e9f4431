// What Prometheus reads, where it may read it, and that no client decides how much there is to read.
import { afterEach, describe, expect, it } from 'vitest';
import { connectClient } from '../live/ws-client.ts';
import { type ObservedGateway, startObservedGateway } from './observed-gateway.ts';

let gateway: ObservedGateway | undefined;
afterEach(async () => {
  await gateway?.close();
  gateway = undefined;
});

/** Samples by name and labels, as Prometheus writes them. */
async function read(url: string): Promise<ReadonlyMap<string, number>> {
  const response = await fetch(url);
  expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
  const lines = (await response.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => [
      line.slice(0, line.lastIndexOf(' ')),
      Number(line.slice(line.lastIndexOf(' ') + 1)),
    ]),
  );
}

describe('/metrics', () => {
  it('counts operations and fetches by how they ended, and tells how the gateway stands', async () => {
    gateway = await startObservedGateway();
    const client = await connectClient(gateway.started.urls.ws ?? '');
    await gateway.post({ query: '{ orders { id status } }' });
    await gateway.post({ query: '{ orders { id status } }' });
    await gateway.post({ query: '{ nothing }' });
    gateway.police.fault = { kind: 'status', status: 503, body: '' };
    for (let times = 0; times < 6; times += 1) await gateway.post({ query: '{ orders { id status } }' });
    const samples = await read(gateway.started.urls.metrics ?? '');
    const operations = (outcome: string, kind = 'query') =>
      samples.get(
        `weft_operation_duration_seconds_count{kind="${kind}",transport="http",outcome="${outcome}"}`,
      );
    expect([operations('ok'), operations('partial'), operations('refused', 'none')]).toEqual([2, 6, 1]);
    const fetches = (subgraph: string, outcome: string) =>
      samples.get(`weft_fetch_duration_seconds_count{subgraph="${subgraph}",outcome="${outcome}"}`);
    expect(fetches('orders', 'ok')).toBe(8);
    expect(fetches('police', 'ok')).toBe(2);
    expect(fetches('police', 'UPSTREAM_UNAVAILABLE')).toBeGreaterThanOrEqual(5);
    expect(samples.get('weft_breaker_state{subgraph="police"}')).toBe(2);
    expect(samples.get('weft_breaker_state{subgraph="orders"}')).toBe(0);
    expect(samples.get('weft_planner_cache_entries')).toBe(1);
    expect(samples.get('weft_planner_cache_lookups_total{found="hit"}')).toBe(7);
    expect(samples.get('weft_prepare_duration_seconds_count{outcome="GRAPHQL_VALIDATION_FAILED"}')).toBe(1);
    expect(samples.get('weft_websocket_connections')).toBe(1);
    expect(samples.get('weft_generation_loaded_timestamp_seconds')).toBeGreaterThan(1.7e9);
    expect([...samples.keys()]).toEqual(expect.arrayContaining(['nodejs_eventloop_lag_p99_seconds']));
    await client.close();
  });

  it('has no more series after a thousand differently named operations of differently named clients', async () => {
    gateway = await startObservedGateway();
    const ask = (n: number) =>
      gateway?.post({ query: `query Q${n} { a${n}: open }` }, { 'graphql-client-name': `client-${n}` });
    await ask(0);
    const before = await read(gateway.started.urls.metrics ?? '');
    for (let n = 1; n <= 1_000; n += 50) await Promise.all(Array.from({ length: 50 }, (_, i) => ask(n + i)));
    const after = await read(gateway.started.urls.metrics ?? '');
    const series = (samples: ReadonlyMap<string, number>) =>
      [...samples.keys()].filter((name) => name.startsWith('weft_')).toSorted();
    expect(series(after)).toEqual(series(before));
  });

  it('tells of live fields and of sockets, of which a gateway takes as many as its settings say', async () => {
    gateway = await startObservedGateway({ WEFT_SOCKETS_PER_ADDRESS_MAX: '1' });
    const client = await connectClient(gateway.started.urls.ws ?? '');
    await expect(connectClient(gateway.started.urls.ws ?? '')).rejects.toThrow('429');
    const samples = await read(gateway.started.urls.metrics ?? '');
    expect(samples.get('weft_websocket_connections')).toBe(1);
    for (const name of [
      'groups',
      'members',
      'slow_members',
      'events_total',
      'deliveries_total',
      'slow_gaps_total',
    ])
      expect(samples.get(`weft_live_${name}`), name).toBe(0);
    await client.close();
  });

  it('is on a port of its own, and not on the main one, where the setting names one', async () => {
    gateway = await startObservedGateway({ WEFT_METRICS: '0' });
    const url = gateway.started.urls.metrics ?? '';
    expect(new URL(url).origin).not.toBe(gateway.origin);
    expect((await read(url)).get('weft_websocket_connections')).toBe(0);
    expect((await fetch(`${gateway.origin}/metrics`)).status).toBe(404);
    expect((await fetch(new URL('/graphql', url))).status).toBe(404);
  });

  it('is nowhere in production unless it is told where', async () => {
    gateway = await startObservedGateway({ NODE_ENV: 'production' });
    expect(gateway.started.urls.metrics).toBeUndefined();
    expect((await fetch(`${gateway.origin}/metrics`)).status).toBe(404);
  });
});

describe('the explorer', () => {
  it('is off in production, by whatever path it is asked for', async () => {
    gateway = await startObservedGateway({ NODE_ENV: 'production' });
    for (const path of [
      '/explorer',
      '/explorer.html',
      '/%65xplorer.html',
      '//explorer.html',
      '/explorer/main.js',
      '/vendor/graphiql.js',
    ])
      expect([403, 404], path).toContain((await fetch(`${gateway.origin}${path}`)).status);
    expect((await fetch(`${gateway.origin}/`)).status).toBe(200);
    expect((await fetch(`${gateway.origin}/vendor/graphql-ws/client.js`)).status).toBe(200);
  });

  it('is on where the setting says so', async () => {
    gateway = await startObservedGateway({ NODE_ENV: 'production', WEFT_EXPLORER: 'true' });
    expect((await fetch(`${gateway.origin}/explorer`)).status).toBe(200);
  });
});
