// The catalogue's attacks on server-sent events, against a gateway that runs as a process of its own and has live fields.
import { connect, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeEvent } from '../events/event-log-suite.ts';
import { type SubgraphServer, startSubgraph } from '../gateway/subgraph-server.ts';
import { type LiveLog, openLiveLog } from '../live/live-log.ts';
import { nextEvent, openStream } from '../sse/stream-client.ts';
import { type GatewayProcess, startGatewayProcess } from '../support/gateway-process.ts';
import { waitFor } from '../support/wait.ts';
import { type Attack, readAttacks } from './attacks.ts';

/** The catalogue's `echo` and `firehose` as events of a log: what a client says, and what a source floods with, comes in them. */
const FEDERATION = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])\n';
const SDL = `${FEDERATION}extend schema @link(url: "https://specs.weft.dev/events/v0.1", import: ["@eventStream"])
type Query { any: Int }
type Subscription {
  echo(after: Cursor): Echo! @eventStream(topic: "echo", message: "{ text }")
  firehose(after: Cursor): Echo! @eventStream(topic: "firehose", message: "{ text }")
}
type Echo implements Resumable { cursor: Cursor! gap: Gap text: String }
`;
const STREAMS_MAX = 100;
const MEGABYTE = 1_000_000;
/** What its words name; its assertion allows more. */
const GROWN_BYTES_MAX = 50 * MEGABYTE;
/** A queue of 4 million characters, the payloads that are kept for others, and what is on its way. */
const HELD_BYTES_MAX = 25 * MEGABYTE;
/** Of half a megabyte each: together many times what a socket and a queue may hold. */
const FLOODS = 60;
const SLOW_TEST_MS_MAX = 300_000;

const attacks = readAttacks('http');
const attack = (id: string): Attack | undefined => attacks?.find((one) => one.id === id);
const titled = (id: string) => `${id} ${attack(id)?.title ?? ''}`;

let live: LiveLog;
let subgraph: SubgraphServer;
let gateway: GatewayProcess;
let url: string;
beforeAll(async () => {
  live = await openLiveLog();
  subgraph = await startSubgraph('texts', SDL, {}, `${FEDERATION}type Query { any: Int }`);
  const env = {
    DATABASE_URL: live.databaseUrl,
    WEFT_METRICS: 'main',
    WEFT_STREAMS_PER_ADDRESS_MAX: String(STREAMS_MAX),
  };
  gateway = await startGatewayProcess([subgraph], env, { probesHeap: true });
  url = `${gateway.origin}/graphql`;
});
afterAll(async () => {
  await gateway?.stop();
  await subgraph?.close();
  await live?.close();
});

let texts = 0;
const textEvent = (text: string) => {
  texts += 1;
  return makeEvent(`t${texts}`, { text });
};
const subscription = (field: string) =>
  `subscription ($after: Cursor) { ${field}(after: $after) { cursor text } }`;

/** A place of the topic behind which everything is still to come. */
async function cursorOf(field: string): Promise<string> {
  const client = await openStream({ url, query: subscription(field) });
  const first = nextEvent(client);
  let isThere = false;
  first.finally(() => (isThere = true)).catch(() => undefined);
  for (let n = 0; !isThere && n < 500; n += 1) {
    await live.append(field, textEvent('warm-up'));
    await wait(5);
  }
  const { id = '' } = await first;
  client.close();
  return id;
}

describe.skipIf(attacks === undefined)('an attack on server-sent events', () => {
  it(titled('X02'), async () => {
    const { request, expected } = attack('X02') as Attack;
    const { body } = request as {
      readonly body: { readonly $json: { readonly variables: { readonly t: string } } };
    };
    const text = body.$json.variables.t;
    const after = await cursorOf('echo');
    const client = await openStream({ url, query: subscription('echo'), variables: { after } });
    await live.append('echo', textEvent(text));
    for (;;) {
      const { event, data } = await nextEvent(client);
      expect(event).toBe('next');
      const told = JSON.parse(data).data.echo.text;
      if (told === text) break;
      expect(told).toBe('warm-up');
    }
    for (const pattern of expected.assert.bodyNot) expect(client.text()).not.toMatch(new RegExp(pattern));
    client.close();
    expect(await gateway.healthMs()).toBeLessThan(expected.assert.health);
  });

  it(titled('X03'), async () => {
    const { headers } = (attack('X03') as Attack).request as {
      readonly headers: Readonly<Record<string, string>>;
    };
    const client = await openStream({ url, query: subscription('echo'), headers });
    await client.ended;
    expect(client.status).toBe(400);
    expect(JSON.parse(client.text()).errors).toMatchObject([{ extensions: { code: 'INVALID_CURSOR' } }]);
  });

  it(
    titled('X04'),
    async () => {
      const { connections } = (attack('X04') as Attack).request as { readonly connections: number };
      const query = subscription('firehose');
      const clients = await Promise.all(
        Array.from({ length: connections }, () => openStream({ url, query })),
      );
      const opened = clients.filter(({ status }) => status === 200);
      expect(opened).toHaveLength(STREAMS_MAX);
      const refused = clients.filter(({ status }) => status === 429);
      expect(refused).toHaveLength(connections - STREAMS_MAX);
      expect(refused[0]?.headers['retry-after']).toBe('5');
      const [first] = refused;
      await first?.ended;
      expect(JSON.parse(first?.text() ?? '').errors).toMatchObject([
        { extensions: { code: 'RATE_LIMITED' } },
      ]);
      expect(await gateway.healthMs()).toBeLessThan(500);
      for (const client of clients) client.close();
      await waitFor('room for another', async () => {
        const next = await openStream({ url, query });
        next.close();
        return next.status === 200;
      });
    },
    SLOW_TEST_MS_MAX,
  );

  it(
    'X04: an idle stream costs less than 50 kB',
    async () => {
      const open = await startGatewayProcess([subgraph], {
        DATABASE_URL: live.databaseUrl,
        WEFT_STREAMS_PER_ADDRESS_MAX: '0',
      });
      const query = subscription('firehose');
      const openMany = () =>
        Promise.all(Array.from({ length: 500 }, () => openStream({ url: `${open.origin}/graphql`, query })));
      try {
        // What the first five hundred load is not what each costs, nor what was not collected yet: many more are opened.
        const clients = [...(await openMany())];
        const before = open.residentBytes();
        for (let round = 0; round < 4; round += 1) clients.push(...(await openMany()));
        const each = (open.residentBytes() - before) / (clients.length - 500);
        console.log(`X04: ${Math.round(each / 1_000)} kB a stream`);
        expect(each).toBeLessThan(50_000);
        for (const client of clients) client.close();
      } finally {
        await open.stop();
      }
    },
    SLOW_TEST_MS_MAX,
  );

  it(
    titled('X05'),
    async () => {
      const { assert } = (attack('X05') as Attack).expected;
      // What the same flood costs with a reader that reads is not what the other's silence costs.
      const variables = { after: await cursorOf('firehose') };
      const reader = await openStream({ url, query: subscription('firehose'), variables });
      for (let n = 0; n < FLOODS; n += 1) await flood(50);
      for (let n = 0; n < FLOODS * 50; n += 1) await nextEvent(reader);
      reader.close();
      const after = await cursorOf('firehose');
      const heapBefore = await gateway.heapBytes();
      const socket = await neverReading(after);
      gateway.resetPeak();
      const before = gateway.residentBytes();
      for (let n = 0; n < FLOODS; n += 1) {
        await flood(50);
        if (n % 20 === 0) expect(await gateway.healthMs()).toBeLessThan(assert.health);
      }
      // What stands in buffers, and what of the memory was taken for garbage that nobody needed to collect yet.
      const held = (await gateway.heapBytes()) - heapBefore;
      const grown = gateway.peakResidentBytes() - before;
      expect(await openStreams()).toBe(1);
      const told = await endOf(socket);
      console.log(
        `X05: holds ${(held / MEGABYTE).toFixed(1)} MB more, RSS grew by ${Math.round(grown / MEGABYTE)} MB at the most`,
      );
      expect(held).toBeLessThan(HELD_BYTES_MAX);
      expect(grown).toBeLessThan(GROWN_BYTES_MAX);
      expect(GROWN_BYTES_MAX).toBeLessThanOrEqual(assert.rssMB * MEGABYTE);
      expect(told.length).toBeLessThan(20 * MEGABYTE);
    },
    SLOW_TEST_MS_MAX,
  );
});

/** Events of 10 kB. */
function flood(count: number): Promise<void> {
  return live.append('firehose', ...Array.from({ length: count }, () => textEvent('x'.repeat(10_000))));
}

/** A client that asks and takes nothing. */
async function neverReading(after: string): Promise<Socket> {
  const { hostname, port, host } = new URL(url);
  const body = JSON.stringify({ query: subscription('firehose'), variables: { after } });
  const head = `POST /graphql HTTP/1.1\r\nhost: ${host}\r\naccept: text/event-stream\r\ncontent-type: application/json`;
  const socket = connect(Number(port), hostname);
  socket.pause();
  socket.on('error', () => undefined);
  socket.write(`${head}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
  await new Promise((resolve) => socket.once('connect', resolve));
  return socket;
}

/** Live streams that the gateway says it has. */
async function openStreams(): Promise<number> {
  const metrics = await (await fetch(`${gateway.origin}/metrics`)).text();
  return Number(/^weft_subscriptions(?:\{[^}]*\})? (\d+)$/m.exec(metrics)?.[1]);
}

/** What the client finds when it looks again after the gateway has ended the stream. */
async function endOf(socket: Socket): Promise<string> {
  await waitFor('the gateway to end the stream', async () => (await openStreams()) === 0, 60_000);
  let text = '';
  socket.on('data', (chunk) => {
    text += String(chunk);
  });
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.resume();
  await closed;
  return text;
}
