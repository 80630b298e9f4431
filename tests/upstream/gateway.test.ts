// A subgraph's own subscription from its server to clients' sockets, through the whole gateway, without an event log.
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger } from '@weft/core/logger';
import { readGatewayConfig } from '@weft/gateway/config';
import { type StartedGateway, startGateway } from '@weft/gateway/start';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type SubgraphServer, startSubgraph } from '../gateway/subgraph-server.ts';
import { connectClient, type WsClient } from '../live/ws-client.ts';
import { waitFor } from '../support/wait.ts';
import { type LiveSubgraph, startLiveSubgraph } from './live-subgraph.ts';

const LINK = (names: string) =>
  `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: [${names}])`;
const TRAFFIC = `
  ${LINK('"@key", "@requiresScopes"')}
  scalar Json
  type Query { n: Int }
  type Subscription { changed(road: ID): Change }
  type Change { n: Int road: Road secret: Int @requiresScopes(scopes: [["secrets"]]) }
  type Road @key(fields: "id") { id: ID! }`;
const REGISTRY = `
  ${LINK('"@key"')}
  type Query { m: Int }
  type Road @key(fields: "id") { id: ID! name: String }`;
const QUERY = 'subscription { changed { n road { name } } }';

const KEYS = { reader: ['roads'], keeper: ['secrets'] } as const;

let folder: string;
let traffic: LiveSubgraph;
let registry: SubgraphServer;
let gateway: StartedGateway;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'weft-upstream-'));
  traffic = await startLiveSubgraph({ name: 'traffic', sdl: TRAFFIC, field: 'changed' });
  registry = await startSubgraph('registry', REGISTRY, {
    Road: { __resolveReference: ({ id }: { id: string }) => ({ id, name: `road ${id}` }) },
  });
  gateway = await start({});
});
afterAll(async () => {
  await gateway?.close();
  await registry?.close();
  await traffic?.kill();
  rmSync(folder, { recursive: true, force: true });
});

function writeManifest(home: string, subscriptions: object): void {
  const members = [
    { name: 'traffic', url: traffic.url, sdlFile: 'traffic.graphql', subscriptions },
    { name: 'registry', url: registry.url, sdlFile: 'registry.graphql' },
  ];
  writeFileSync(join(home, 'manifest.json'), JSON.stringify({ subgraphs: members }));
}

function start(subscriptions: object, home = mkdtempSync(join(folder, 'home-'))): Promise<StartedGateway> {
  const apiKeys = Object.entries(KEYS).map(([id, scopes]) => ({ id, sha256: sha256(id), scopes }));
  writeFileSync(join(home, 'traffic.graphql'), TRAFFIC);
  writeFileSync(join(home, 'registry.graphql'), REGISTRY);
  writeManifest(home, subscriptions);
  writeFileSync(join(home, 'api-keys.json'), JSON.stringify({ apiKeys }));
  const config = readGatewayConfig({
    PORT: '0',
    WEFT_SUBGRAPHS_FILE: join(home, 'manifest.json'),
    WEFT_API_KEYS_FILE: join(home, 'api-keys.json'),
    WEFT_FORWARDED_HEADERS: 'x-tenant',
  });
  return startGateway({ config, logger: createLogger('test', 'silent') });
}

function sha256(key: string): string {
  return createHash('sha256').update(key).digest('hex');
}

const clients: WsClient[] = [];
afterEach(async () => {
  for (const client of clients.splice(0)) await client.close();
  await waitFor('no more upstream', () => traffic.active() === 0);
});

async function subscribe(
  query = QUERY,
  headers: Record<string, string> = {},
  through = gateway,
): Promise<WsClient> {
  const client = await connectClient(through.urls.ws ?? '', { headers });
  clients.push(client);
  client.send({ id: 's', type: 'subscribe', payload: { query } });
  return client;
}

async function payloadOf(client: WsClient): Promise<unknown> {
  const { type, payload } = await client.next();
  if (type !== 'next') throw new Error(`expected next, got ${type} ${JSON.stringify(payload)}`);
  return payload;
}

/** The gateway's own samples without labels, by their names. */
async function metrics(): Promise<Readonly<Record<string, number>>> {
  const text = await (await fetch(gateway.urls.metrics ?? '')).text();
  const samples = [...text.matchAll(/^weft_(\w+) (\d+)$/gm)];
  return Object.fromEntries(samples.map(([, name, value]) => [name, Number(value)]));
}

const gap = (reason: string) => ({ data: null, extensions: { weft: { gap: { reason } } } });
const changed = (n: number) => ({ data: { changed: { n, road: { name: 'road 7' } } } });
const publish = (n: number) => traffic.publish({ n, secret: n, road: { __typename: 'Road', id: '7' } });

describe('a subscription of a subgraph through the gateway', { timeout: 30_000 }, () => {
  it('is one upstream and one fetch a result for a hundred clients', async () => {
    const all = await Promise.all(Array.from({ length: 100 }, () => subscribe()));
    await waitFor('the subscription upstream', () => traffic.active() === 1);
    await waitFor('its hundred listeners in the metrics', async () => {
      const { upstream_listeners, upstream_subscriptions, live_members } = await metrics();
      return upstream_listeners === 1 && upstream_subscriptions === 1 && live_members === 100;
    });
    const heads = traffic.heads.length;
    registry.requests.length = 0;
    // Every client stands in the stream when it has the first.
    for (let n = 1; n <= 5; n += 1) {
      publish(n);
      for (const client of all) expect(await payloadOf(client)).toEqual(changed(n));
    }
    expect(traffic.active()).toBe(1);
    expect(traffic.heads.length).toBe(heads);
    expect(registry.requests.length).toBe(5);
  });

  it('tells clients at once that it is lost, and when it is back', async () => {
    const client = await subscribe();
    await waitFor('the subscription upstream', () => traffic.active() === 1);
    publish(1);
    expect(await payloadOf(client)).toEqual(changed(1));
    await traffic.kill();
    expect(await payloadOf(client)).toEqual(gap('UPSTREAM_LOST'));
    // Who joins the others now must not take the silence for peace.
    const late = await subscribe();
    expect(await payloadOf(late)).toEqual(gap('UPSTREAM_LOST'));
    await traffic.start();
    expect(await payloadOf(client)).toEqual(gap('UPSTREAM_RECONNECTED'));
    expect(await payloadOf(late)).toEqual(gap('UPSTREAM_RECONNECTED'));
    publish(2);
    expect(await payloadOf(late)).toEqual(changed(2));
    expect(await payloadOf(client)).toEqual(changed(2));
  });

  it('is shared by those of equal scopes and headers alone, and brings nobody what they may not have', async () => {
    const query = 'subscription { changed { n secret } }';
    traffic.received.length = 0;
    const reader = await subscribe(query, { 'x-api-key': 'reader' });
    const keeper = await subscribe(query, { 'x-api-key': 'keeper' });
    await subscribe(query, { 'x-api-key': 'keeper', 'x-tenant': 'a' });
    await subscribe(query, { 'x-api-key': 'keeper', 'x-tenant': 'a' });
    await waitFor('the subscriptions upstream', () => traffic.active() === 3);
    expect(traffic.received.map((one) => one.query.includes('secret')).sort()).toEqual([false, true, true]);
    publish(1);
    expect(await payloadOf(keeper)).toEqual({ data: { changed: { n: 1, secret: 1 } } });
    expect(await payloadOf(reader)).toMatchObject({
      data: { changed: { n: 1, secret: null } },
      errors: [{ path: ['changed', 'secret'], extensions: { code: 'FORBIDDEN' } }],
    });
  });

  it('ends with the subgraph, and with its error', async () => {
    const client = await subscribe();
    await waitFor('the subscription upstream', () => traffic.active() === 1);
    traffic.complete();
    expect(await client.next()).toEqual({ id: 's', type: 'complete' });
  });

  it('goes over event streams where the manifest says so', async () => {
    const other = await start({ protocol: 'graphql-sse' });
    try {
      const client = await subscribe(QUERY, {}, other);
      await waitFor('the subscription upstream', () => traffic.active() === 1);
      expect(traffic.heads.at(-1)?.accept).toBe('text/event-stream');
      publish(1);
      expect(await payloadOf(client)).toEqual(changed(1));
    } finally {
      await other.close();
    }
    await waitFor('no more upstream', () => traffic.active() === 0);
  });

  it('goes on when the graph is reloaded, and moves where the new one asks another', {
    timeout: 120_000,
  }, async () => {
    const other = await startLiveSubgraph({ name: 'traffic', sdl: TRAFFIC, field: 'changed' });
    const home = mkdtempSync(join(folder, 'home-'));
    const reloaded = await start({}, home);
    try {
      const client = await subscribe(QUERY, {}, reloaded);
      await waitFor('the subscription upstream', () => traffic.active() === 1);
      const heads = traffic.heads.length;
      writeFileSync(join(home, 'registry.graphql'), REGISTRY.replace('m: Int', 'm: Int k: Int'));
      expect(await reloaded.reload()).toMatchObject({ kind: 'switched' });
      publish(1);
      expect(await payloadOf(client)).toEqual(changed(1));
      expect(traffic.heads.length).toBe(heads);
      writeManifest(home, { url: other.wsUrl });
      expect(await reloaded.reload()).toMatchObject({ kind: 'switched' });
      expect(await payloadOf(client)).toEqual(gap('UPSTREAM_RECONNECTED'));
      await waitFor('the other upstream', () => other.active() === 1 && traffic.active() === 0);
      other.publish({ n: 2, road: { __typename: 'Road', id: '7' } });
      expect(await payloadOf(client)).toEqual(changed(2));
    } finally {
      await reloaded.close();
      await other.kill();
    }
  });

  it('refuses variables that do not fit, and those that are nested too deep', async () => {
    const query = 'subscription ($road: ID) { changed(road: $road) { n } }';
    const deep = `${'['.repeat(20_000)}${']'.repeat(20_000)}`;
    for (const [road, code] of [
      ['{}', 'BAD_USER_INPUT'],
      [deep, 'LIMIT_EXCEEDED'],
    ]) {
      const client = await connectClient(gateway.urls.ws ?? '');
      clients.push(client);
      client.send(
        `{"id":"s","type":"subscribe","payload":{"query":${JSON.stringify(query)},"variables":{"road":${road}}}}`,
      );
      expect(await client.next()).toMatchObject({ type: 'error', payload: [{ extensions: { code } }] });
    }
    expect(traffic.active()).toBe(0);
  });

  it('is refused at the start where the manifest says what cannot be', () => {
    expect(() => start({ protocol: 'graphql-sse', url: 'ws://127.0.0.1:1/' })).toThrow(
      /the address for subscriptions of subgraph traffic .* expected http/,
    );
    expect(() => start({ protocol: 'subscriptions-transport-ws' })).toThrow(/protocol/);
  });
});
