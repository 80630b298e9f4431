// The laws of the WebSocket transport, asked by a raw client over real sockets.
import { connect } from 'node:net';
import type { StopSignal } from '@weft/gateway/stop-signal';
import type { WebSocketLimits } from '@weft/gateway/websocket/limits';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { LIVE_FIELD } from './echo-engine.ts';
import { type LiveLog, openLiveLog, thing, things } from './live-log.ts';
import { createMemoryLog } from './memory-log.ts';
import { connectClient, openClient } from './ws-client.ts';
import { type Running, type RunOptions, runTransport, subscribe } from './ws-rig.ts';

const DEADLINE_MS = 15_000;
const QUERY = 'query { any }';
const LIVE = `subscription { ${LIVE_FIELD} { n } }`;

let live: LiveLog;
beforeAll(async () => {
  live = await openLiveLog();
});
afterAll(() => live?.close());

const UPGRADE = [
  'GET /graphql HTTP/1.1',
  'Host: gateway',
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Protocol: graphql-transport-ws',
  '\r\n',
].join('\r\n');

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

const run = (options: Partial<RunOptions> = {}) => runTransport({ log: live.log, ...options }, cleanups);
const open = (running: Running, protocols?: string[]) => running.open(protocols);
const numberOf = (payload: unknown) =>
  (payload as { data: { [LIVE_FIELD]: { n: number } } }).data[LIVE_FIELD].n;
const untilLive = (running: Running, count: number) =>
  expect.poll(() => running.streams.liveSubscribers(), { timeout: DEADLINE_MS }).toBe(count);

describe('operations over the socket', () => {
  it('answers a query and a mutation with one result and a completion', async () => {
    const client = await (await run()).connect();
    for (const [id, query] of [
      ['q', QUERY],
      ['m', 'mutation { any }'],
    ] as const) {
      client.send(subscribe(id, query, { a: 1 }));
      expect(await client.next()).toEqual({ id, type: 'next', payload: { data: { variables: { a: 1 } } } });
      expect(await client.next()).toEqual({ id, type: 'complete' });
    }
  });

  it('answers a document that is not GraphQL with an error that has a code and a trace id', async () => {
    const client = await (await run()).connect();
    client.send(subscribe('1', 'query {'));
    const extensions = { code: 'GRAPHQL_PARSE_FAILED', traceId: expect.stringMatching(/^[0-9a-f]{32}$/) };
    expect(await client.next()).toMatchObject({ id: '1', type: 'error', payload: [{ extensions }] });
  });

  it('brings events until the client completes, and then reads the topic no more', async () => {
    const running = await run();
    const client = await running.connect();
    client.send(subscribe('s', LIVE));
    await untilLive(running, 1);
    await live.append('ws', thing('ws', 1), thing('ws', 2));
    expect(numberOf((await client.next()).payload)).toBe(1);
    expect(numberOf((await client.next()).payload)).toBe(2);
    client.send({ id: 's', type: 'complete' });
    await untilLive(running, 0);
    expect(running.streams.topics()).toEqual([]);
    client.send(subscribe('s', QUERY));
    expect(await client.next()).toMatchObject({ id: 's', type: 'next' });
  });

  it.each(['x'.repeat(200), '长'.repeat(80)])(
    'closes the socket with 4409 and as much of the reason as a close frame holds, for a long id in use: %s',
    async (id) => {
      const entered = Promise.withResolvers<void>();
      const running = await run({
        engine: {
          beforeResult: async ({ signal }) => {
            entered.resolve();
            await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
          },
        },
      });
      const client = await running.connect();
      client.send(subscribe(id, QUERY));
      await entered.promise;
      client.send(subscribe(id, QUERY));
      const { code, reason } = await client.closed;
      expect(code).toBe(4409);
      expect(reason).toMatch(/^Subscriber for/);
      expect(Buffer.byteLength(reason)).toBeLessThanOrEqual(123);
      expect(`Subscriber for ${id} already exists`).toContain(reason);
    },
  );

  it('resumes on another gateway by the cursor', async () => {
    const first = await run({ engine: { topic: 'resume' } });
    const client = await first.connect();
    client.send(subscribe('s', LIVE));
    await untilLive(first, 1);
    await live.append('resume', ...things('resume', 1, 3));
    const { payload } = await client.next();
    await client.close();
    await live.append('resume', thing('resume', 4));
    const second = await run({ engine: { topic: 'resume' } });
    const again = await second.connect();
    const after = (payload as { data: { [LIVE_FIELD]: { cursor: string } } }).data[LIVE_FIELD].cursor;
    again.send(subscribe('s', LIVE, { after }));
    for (const n of [2, 3, 4]) expect(numberOf((await again.next()).payload)).toBe(n);
  });

  it('ends a subscription with a bad cursor by an error, and leaves the others alone', async () => {
    const client = await (await run()).connect();
    client.send(subscribe('bad', LIVE, { after: 'nonsense' }));
    const extensions = { code: 'INVALID_CURSOR', origin: 'HUB', traceId: expect.any(String) };
    expect(await client.next()).toMatchObject({ id: 'bad', type: 'error', payload: [{ extensions }] });
    client.send(subscribe('good', QUERY));
    expect(await client.next()).toMatchObject({ id: 'good', type: 'next' });
  });

  it('ends a subscription with STORE_UNAVAILABLE where there is no event log', async () => {
    const client = await (await run({ withoutLog: true })).connect();
    client.send(subscribe('s', LIVE));
    expect(await client.next()).toMatchObject({
      type: 'error',
      payload: [{ extensions: { code: 'STORE_UNAVAILABLE' } }],
    });
  });

  it('aborts a query when its client completes it, and lets a mutation finish', async () => {
    const signals: StopSignal[] = [];
    const finish = Promise.withResolvers<void>();
    const running = await run({
      engine: {
        beforeResult({ signal }) {
          signals.push(signal);
          return Promise.race([
            finish.promise,
            new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve())),
          ]);
        },
      },
    });
    const client = await running.connect();
    client.send(subscribe('m', 'mutation { any }'));
    client.send(subscribe('q', QUERY));
    await expect.poll(() => signals.length, { timeout: DEADLINE_MS }).toBe(2);
    client.send({ id: 'm', type: 'complete' });
    client.send({ id: 'q', type: 'complete' });
    await expect.poll(() => signals[1]?.aborted, { timeout: DEADLINE_MS }).toBe(true);
    expect(signals[0]?.aborted).toBe(false);
    finish.resolve();
  });

  it('ends what runs when the socket goes away', async () => {
    const running = await run();
    const client = await running.connect();
    client.send(subscribe('a', LIVE));
    client.send(subscribe('b', LIVE));
    await untilLive(running, 2);
    await client.close();
    await untilLive(running, 0);
    await expect.poll(() => running.transport.connections(), { timeout: DEADLINE_MS }).toBe(0);
  });
});

describe('the protocol', () => {
  it('closes with the code that the protocol names', async () => {
    const running = await run({ limits: { connectionInitTimeoutMs: 200, payloadBytesMax: 2_000 } });
    const early = await open(running);
    early.send(subscribe('1', QUERY));
    expect(await early.closed).toMatchObject({ code: 4401 });

    const twice = await running.connect();
    twice.send({ type: 'connection_init' });
    expect(await twice.closed).toMatchObject({ code: 4429 });

    const noMessage = await running.connect();
    noMessage.send('{"type":"unheard-of"}');
    expect(await noMessage.closed).toMatchObject({ code: 4400 });

    const duplicate = await running.connect();
    duplicate.send(subscribe('1', LIVE));
    duplicate.send(subscribe('1', QUERY));
    expect(await duplicate.closed).toMatchObject({ code: 4409 });

    const silent = await open(running);
    expect(await silent.closed).toMatchObject({ code: 4408 });

    const tooLong = await running.connect();
    tooLong.send(subscribe('1', `query { any } # ${'x'.repeat(2_000)}`));
    expect(await tooLong.closed).toMatchObject({ code: 1009 });

    const old = await open(running, ['graphql-transport-ws-of-old', 'graphql-ws']).catch(
      (thrown: Error) => thrown.message,
    );
    expect(typeof old === 'string' ? old : (await old.closed).code).toSatisfy(
      (refused: string | number) => refused === 4406 || /subprotocol/.test(String(refused)),
    );
  });

  it('closes with 1003 for a binary frame, and with 4429 for a flood of pings of either kind', async () => {
    const running = await run({ limits: { pingsPerSecondMax: 5 } });
    const binary = await running.connect();
    binary.socket.send(Buffer.from('{"type":"ping"}'));
    expect(await binary.closed).toMatchObject({ code: 1003 });
    const pings = await running.connect();
    for (let n = 0; n < 20; n++) pings.send({ type: 'ping' });
    expect(await pings.closed).toMatchObject({ code: 4429 });
    const frames = await running.connect();
    for (let n = 0; n < 20; n++) frames.socket.ping();
    expect(await frames.closed).toMatchObject({ code: 4429 });
  });

  it('closes with 4400 for an id that is too long, and for a message that only a server sends', async () => {
    const running = await run({ limits: { idCharsMax: 10 } });
    const long = await running.connect();
    long.send(subscribe('x'.repeat(11), QUERY));
    expect(await long.closed).toMatchObject({ code: 4400 });
    const turned = await running.connect();
    turned.send({ type: 'connection_ack' });
    expect(await turned.closed).toMatchObject({ code: 4400 });
  });

  it('forgets an operation that is completed while it is being prepared', async () => {
    const running = await run();
    const client = await running.connect();
    client.send(subscribe('s', LIVE));
    client.send({ id: 's', type: 'complete' });
    client.send(subscribe('s', QUERY));
    expect(await client.next()).toMatchObject({ id: 's', type: 'next' });
    expect(await client.next()).toEqual({ id: 's', type: 'complete' });
    expect(running.streams.figures().members).toBe(0);
  });

  it('answers a ping of the client with a pong and its payload', async () => {
    const client = await (await run()).connect();
    client.send({ type: 'ping', payload: { n: 1 } });
    expect(await client.next()).toEqual({ type: 'pong', payload: { n: 1 } });
  });

  it('refuses another path, and more sockets than it may hold', async () => {
    const running = await run({ limits: { connectionsMax: 1 } });
    await expect(openClient(`${running.url}/other`)).rejects.toThrow('404');
    await running.connect();
    await expect(openClient(running.url)).rejects.toThrow('503');
  });

  it('runs no more operations on one socket than it may, and the others go on', async () => {
    const running = await run({ limits: { operationsPerConnectionMax: 2 }, engine: { topic: 'many' } });
    const client = await running.connect();
    for (const id of ['1', '2', '3']) client.send(subscribe(id, LIVE));
    const extensions = { code: 'LIMIT_EXCEEDED', limit: 'operationsPerConnectionMax', max: 2 };
    expect(await client.next()).toMatchObject({ id: '3', type: 'error', payload: [{ extensions }] });
    await untilLive(running, 2);
    await live.append('many', thing('many', 1));
    const ids = [(await client.next()).id, (await client.next()).id];
    expect(ids.toSorted()).toEqual(['1', '2']);
  });

  it('cuts off a client that answers no ping', async () => {
    const running = await run({ limits: { keepAliveMs: 50 } });
    const answering = await running.connect();
    const silent = await connectClient(running.url, { autoPong: false });
    expect(await silent.closed).toMatchObject({ code: 1006 });
    expect(answering.socket.readyState).toBe(WebSocket.OPEN);
  });
});

describe('a socket that the hub closes', () => {
  it('is cut off when its client says nothing to that, long before ws would do it', async () => {
    const running = await run({ limits: { connectionInitTimeoutMs: 300, closeTimeoutMs: 300 } });
    const { hostname, port } = new URL(running.url);
    const raw = connect({ port: Number(port), host: hostname, allowHalfOpen: true });
    // It takes what comes and answers nothing, not even the end of the connection.
    raw.resume().write(UPGRADE);
    await expect.poll(() => running.transport.connections(), { timeout: DEADLINE_MS }).toBe(1);
    await expect.poll(() => running.transport.connections(), { timeout: 5_000 }).toBe(0);
    raw.destroy();
  });
});

describe('a slow client', () => {
  async function becomeSlow(limits: Partial<WebSocketLimits>) {
    const memory = createMemoryLog();
    const streamLimits = { bufferedBytesMax: 10_000, slowClientTimeoutMs: 200 };
    const running = await run({ log: memory.log, limits, streamLimits });
    const client = await running.connect();
    client.send(subscribe('s', LIVE));
    await untilLive(running, 1);
    client.socket.pause();
    const text = 'x'.repeat(1_000_000);
    for (let n = 1; n <= 30; n++) memory.append('ws', thing('ws', n, { thing: { id: text } }));
    await untilLive(running, 0);
    expect(running.streams.figures()).toMatchObject({ members: 0, slow: 0, slowGaps: 1 });
    return { running, client };
  }

  it('that takes nothing for too long reads the gap and the code of slow consumers when it takes again', async () => {
    const { client } = await becomeSlow({});
    client.socket.resume();
    expect(await client.closed).toEqual({ code: 4499, reason: 'slow consumer' });
  });

  it('that goes on taking nothing answers no ping, and is cut off', async () => {
    const { running } = await becomeSlow({ keepAliveMs: 300 });
    await expect.poll(() => running.transport.connections(), { timeout: DEADLINE_MS }).toBe(0);
  });

  it('is told of the gap and goes on behind it, and the others do not notice', async () => {
    const memory = createMemoryLog();
    const running = await run({
      log: memory.log,
      engine: { topic: 'slow' },
      streamLimits: { queueEventsMax: 10, bufferedBytesMax: 10_000 },
    });
    const slow = await running.connect();
    const quick = await running.connect();
    slow.send(subscribe('s', LIVE));
    quick.send(subscribe('s', LIVE));
    await untilLive(running, 2);
    slow.socket.pause();
    // The kernel's buffers hold some megabytes; what is beyond them the hub must not keep.
    const text = 'x'.repeat(100_000);
    const last = 150;
    for (let n = 1; n <= last; n++) {
      memory.append('slow', { ...thing('slow', n, { thing: { id: text } }) });
      expect(numberOf((await quick.next()).payload)).toBe(n);
    }
    slow.socket.resume();
    const seen: (number | string)[] = [];
    for (let done = false; !done; ) {
      const message = await slow.next();
      const { n, gap } =
        (message.payload as { data: Record<string, { n: number; gap: { reason: string } | null }> }).data[
          LIVE_FIELD
        ] ?? {};
      seen.push(gap?.reason ?? n ?? 'nothing');
      done = gap !== null && gap !== undefined;
    }
    const delivered = seen.slice(0, -1);
    expect(delivered).toEqual(delivered.map((_, index) => index + 1));
    expect(delivered.length).toBeLessThan(last);
    expect(seen.at(-1)).toBe('SLOW_CONSUMER');
    memory.append('slow', thing('slow', last + 1));
    expect(numberOf((await slow.next()).payload)).toBe(last + 1);
  });
});

describe('closing', () => {
  it('lets a query finish, tells every client why, and takes no new ones', async () => {
    const finish = Promise.withResolvers<void>();
    const started = Promise.withResolvers<void>();
    const running = await run({
      engine: {
        beforeResult() {
          started.resolve();
          return finish.promise;
        },
      },
    });
    const client = await running.connect();
    client.send(subscribe('q', QUERY));
    client.send(subscribe('s', LIVE));
    await started.promise;
    await untilLive(running, 1);
    const closing = running.transport.close(1012);
    client.send(subscribe('late', QUERY));
    expect(await client.next()).toMatchObject({
      id: 'late',
      type: 'error',
      payload: [{ extensions: { code: 'CANCELLED' } }],
    });
    await expect(openClient(running.url)).rejects.toThrow('503');
    finish.resolve();
    expect(await client.next()).toMatchObject({ id: 'q', type: 'next' });
    expect(await client.closed).toEqual({ code: 1012, reason: 'Service restart' });
    await closing;
    await untilLive(running, 0);
  });

  it('ends in bounded time when a query hangs and a client does not answer', async () => {
    const never = new Promise<void>(() => undefined);
    const started = Promise.withResolvers<void>();
    const running = await run({
      limits: { drainTimeoutMs: 50, closeTimeoutMs: 50 },
      engine: {
        beforeResult() {
          started.resolve();
          return never;
        },
      },
    });
    const client = await running.connect();
    client.send(subscribe('q', QUERY));
    await started.promise;
    client.socket.pause();
    const before = performance.now();
    await running.transport.close();
    expect(performance.now() - before).toBeLessThan(5_000);
    await expect.poll(() => running.transport.connections(), { timeout: DEADLINE_MS }).toBe(0);
  });
});
