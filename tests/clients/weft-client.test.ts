// Laws of @weft/client against real gateways over a real log: nothing lost, nothing twice, whatever happens to the connection.
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer, type Server, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import {
  type ConnectionState,
  createWeftClient,
  type WeftClientOptions,
  type WeftError,
} from '@weft/client/client';
import { fileStorage } from '@weft/client/file-storage';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { WebSocketServer } from 'ws';
import { ROOT } from '../support/hub.ts';
import { type LampChanged, type Lamps, type LampsGateway, startLamps } from '../support/lamps.ts';
import { waitFor } from '../support/wait.ts';
import { openStreet, range } from './lamp-street.ts';

type Change = LampChanged['lampChanged'];
/** No cursor, no gap, no after: those are the client's own. */
const QUERY = 'subscription ($street: ID) { lampChanged(street: $street) { note lamp { id colour } } }';
const FAST = { backOffMsMin: 20, backOffMsMax: 100, settledMs: 50 };

/** Gateways are started, which takes a machine that has much to do its time. */
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let lamps: Lamps;
let gateway: LampsGateway;
beforeAll(async () => {
  lamps = await startLamps();
  gateway = await lamps.gateway();
});
afterAll(() => lamps?.close());

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

function connect(options: WeftClientOptions) {
  const states: ConnectionState[] = [];
  const client = createWeftClient({ limits: FAST, onState: (state) => states.push(state), ...options });
  cleanups.push(client.close);
  return { ...client, states, kinds: () => states.map(({ kind }) => kind) };
}

/** Between client and gateway: can cut what is open, and let nobody through. */
interface Gate {
  readonly url: string;
  cut(): void;
  close(): void;
}

async function openGate(target: string): Promise<Gate> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((inside) => {
    const outside = new Socket().connect(Number(new URL(target).port), '127.0.0.1');
    for (const socket of [inside, outside]) {
      sockets.add(socket);
      socket
        .on('error', () => undefined)
        .once('close', () => {
          inside.destroy();
          outside.destroy();
        });
    }
    inside.pipe(outside).pipe(inside);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cut = () => {
    for (const socket of sockets) socket.destroy();
    sockets.clear();
  };
  const close = () => {
    server.close();
    cut();
  };
  cleanups.push(close);
  return { url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`, cut, close };
}

describe('a subscription of @weft/client', () => {
  it('loses nothing and hands nothing over twice while its connection is cut again and again', async () => {
    const street = openStreet(lamps);
    const gate = await openGate(gateway.ws);
    const client = connect({ url: gate.url });
    const gaps: unknown[] = [];
    client.subscribe<Change>(
      { query: QUERY, variables: { street: street.name } },
      { next: ({ value }) => street.take(value), gap: (gap) => gaps.push(gap) },
    );
    await street.untilLive();
    const losses = () => client.kinds().filter((kind) => kind === 'stale').length;
    for (let n = 1; n <= 100; n += 5) {
      await street.change(...range(n, n + 4));
      if (n % 15 !== 1) continue;
      // A connection that is not there yet cannot be cut.
      await expect.poll(() => client.states.at(-1)?.kind, { timeout: 15_000 }).toBe('connected');
      const before = losses();
      gate.cut();
      await expect.poll(losses, { timeout: 15_000 }).toBe(before + 1);
    }
    await street.until(100);
    await wait(200);
    expect(street.ids()).toEqual(range(1, 100).map(String));
    expect(street.seen[0]).toMatchObject({ lamp: { colour: expect.stringMatching(/^colour /) } });
    expect(gaps).toEqual([]);
    expect(losses()).toBe(7);
    expect(client.states.at(-1)?.kind).toBe('connected');
  });

  it('goes on at another gateway when its own closes', async () => {
    const street = openStreet(lamps);
    const [first, second] = [await lamps.gateway(), await lamps.gateway()];
    const client = connect({ url: [first.ws, second.ws] });
    client.subscribe<Change>(
      { query: QUERY, variables: { street: street.name } },
      { next: ({ value }) => street.take(value) },
    );
    await street.untilLive();
    await street.change(...range(1, 10));
    await street.until(10);
    const isAtSecond = client.states.at(-1)?.attempts === 0;
    await (isAtSecond ? second : first).close();
    await street.change(...range(11, 20));
    await street.until(20);
    expect(street.ids()).toEqual(range(1, 20).map(String));
  });

  it('begins behind what was committed under its name, in a process that comes later', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'weft-commits-'));
    cleanups.push(() => rmSync(folder, { recursive: true }));
    const street = openStreet(lamps);
    const request = { query: QUERY, variables: { street: street.name }, name: 'ledger' };
    const first = connect({ url: gateway.ws, storage: fileStorage(folder) });
    const taken = first.subscribe<Change>(request, { next: ({ value }) => street.take(value) });
    await street.untilLive();
    await street.change(1, 2, 3);
    await street.until(3);
    await taken.commit();
    await street.change(4, 5);
    // What comes after the commit is handed over again: it may not have been dealt with.
    await street.until(5);
    first.close();
    const second = connect({ url: gateway.ws, storage: fileStorage(folder) });
    second.subscribe<Change>(request, { next: ({ value }) => street.take(value) });
    await street.until(7);
    expect(street.ids()).toEqual(['1', '2', '3', '4', '5', '4', '5']);
  });

  it('is an iterable whose slow consumer loses nothing, though no more than its limit waits', async () => {
    const street = openStreet(lamps);
    const client = connect({ url: gateway.ws, limits: { ...FAST, iteratedEventsMax: 10 } });
    const messages = client.iterate<Change>({ query: QUERY, variables: { street: street.name } });
    let isLive = false;
    const first = messages.next().then(({ value }) => {
      isLive = true;
      return value;
    });
    for (let n = 0; !isLive; n += 1) {
      await lamps.change(street.name, [`${street.name}-warm-${n}`]);
      await wait(10);
    }
    expect(await first).toMatchObject({ kind: 'event', cursor: expect.any(String) });
    await street.change(...range(1, 60));
    await wait(300);
    for await (const message of messages) {
      if (message.kind === 'event') street.take(message.value);
      await wait(5);
      if (street.seen.length === 60) break;
    }
    expect(street.ids()).toEqual(range(1, 60).map(String));
  });

  it('ends with INVALID_CURSOR, and with what the gateway finds wrong in the document', async () => {
    const client = connect({ url: gateway.ws });
    const failed = (query: string, variables = {}) =>
      new Promise<WeftError>((resolve) =>
        client.subscribe({ query, variables }, { next: () => undefined, error: resolve }),
      );
    expect((await failed(QUERY, { after: 'garbage' })).code).toBe('INVALID_CURSOR');
    expect((await failed('subscription { lampChanged { nothing } }')).code).toBe('GRAPHQL_VALIDATION_FAILED');
  });

  it('says that it missed what it cannot know when the connection is lost before the first event', async () => {
    const gate = await openGate(gateway.ws);
    const client = connect({ url: gate.url });
    const gap = new Promise((resolve) =>
      client.subscribe(
        { query: QUERY, variables: { street: 'nobody lives here' } },
        { next: () => undefined, gap: resolve },
      ),
    );
    await waitFor('the connection', () => client.states.at(-1)?.kind === 'connected');
    gate.cut();
    expect(await gap).toEqual({ from: null, to: null, reason: 'NO_CURSOR' });
  });

  it('ends when its consumer fails, and leaves the other subscriptions of the client alone', async () => {
    const [one, other] = [openStreet(lamps), openStreet(lamps)];
    const client = connect({ url: gateway.ws });
    const failure = new Promise<WeftError>((resolve) =>
      client.subscribe(
        { query: QUERY, variables: { street: one.name } },
        {
          next() {
            one.take({ cursor: '', gap: null, note: null, lamp: null });
            throw new Error('no room');
          },
          error: resolve,
        },
      ),
    );
    client.subscribe<Change>(
      { query: QUERY, variables: { street: other.name } },
      { next: ({ value }) => other.take(value) },
    );
    await Promise.all([one.untilLive(), other.untilLive()]);
    expect(await failure).toMatchObject({ code: 'HANDLER', message: expect.stringContaining('no room') });
    await other.change(1);
    await other.until(1);
  });
});

describe('@weft/client and a server that it cannot trust to be there', () => {
  /** A server of the protocol that does with each socket what the test says. */
  async function scripted(
    onInit: (payload: { authorization?: string }, socket: import('ws').WebSocket, n: number) => void,
  ) {
    const server = new WebSocketServer({
      port: 0,
      host: '127.0.0.1',
      handleProtocols: () => 'graphql-transport-ws',
    });
    await once(server, 'listening');
    let connections = 0;
    server.on('connection', (socket) => {
      const n = ++connections;
      socket.once('message', (data) => onInit(JSON.parse(String(data)).payload ?? {}, socket, n));
    });
    cleanups.push(() => {
      for (const socket of server.clients) socket.terminate();
      server.close();
    });
    return {
      url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`,
      connections: () => connections,
    };
  }
  const outcome = (client: ReturnType<typeof connect>) =>
    new Promise<WeftError>((resolve) =>
      client.subscribe({ query: QUERY }, { next: () => undefined, error: resolve }),
    );

  it.each([4400, 4401, 4403, 4406])(
    'gives up at once after close code %i when it has no other token',
    async (code) => {
      const server = await scripted((_payload, socket) => socket.close(code));
      expect((await outcome(connect({ url: server.url, token: 'fixed' }))).code).toBe(`CLOSE_${code}`);
      expect(server.connections()).toBe(1);
    },
  );

  it.each([1001, 1012, 1013, 4429, 4500])('comes again after close code %i', async (code) => {
    const server = await scripted((_payload, socket, n) => socket.close(n < 4 ? code : 4400));
    expect((await outcome(connect({ url: server.url }))).code).toBe('CLOSE_4400');
    expect(server.connections()).toBe(4);
  });

  it('asks for a fresh token when one is refused, a bounded number of times', async () => {
    const given: (string | undefined)[] = [];
    const server = await scripted(({ authorization }, socket) => {
      given.push(authorization);
      socket.close(4403);
    });
    let made = 0;
    const client = connect({ url: server.url, token: async () => `t${++made}` });
    expect((await outcome(client)).code).toBe('CLOSE_4403');
    expect(given).toEqual(['Bearer t1', 'Bearer t2', 'Bearer t3']);
  });

  it('gives up a socket that answers no ping', async () => {
    const server = await scripted((_payload, socket) => {
      socket.send('{"type":"connection_ack"}');
      socket.removeAllListeners('message');
    });
    const client = connect({ url: server.url, limits: { ...FAST, keepAliveMs: 50, pongTimeoutMs: 50 } });
    void outcome(client);
    await waitFor('a second connection', () => server.connections() >= 2);
    expect(client.kinds()).toContain('stale');
  });

  it('sends a fresh token in-band before the old one ends, on the same connection', async () => {
    const pings: unknown[] = [];
    const server = await scripted((_payload, socket) => {
      socket.send('{"type":"connection_ack"}');
      socket.on('message', (data) => {
        const { type, payload } = JSON.parse(String(data));
        if (type !== 'ping' || payload === undefined) return;
        pings.push(payload);
        const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
        socket.send(JSON.stringify({ type: 'pong', payload: { authorization: 'renewed', expiresAt } }));
      });
    });
    const jwt = () =>
      `h.${btoa(JSON.stringify({ exp: Math.floor(Date.now() / 1_000) + 3, n: pings.length }))}.s`;
    void outcome(connect({ url: server.url, token: jwt }));
    await waitFor('the fresh token', () => pings.length > 0);
    await wait(1_500);
    expect(pings).toEqual([{ authorization: expect.stringMatching(/^Bearer h\./) }]);
    expect(server.connections()).toBe(1);
  });
});

describe('the package', () => {
  it('is built for browsers with nothing of Node in it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'weft-client-build-'));
    cleanups.push(() => rmSync(folder, { recursive: true }));
    const build = `import { build } from 'vite';
      await build({ root: ${JSON.stringify(join(ROOT, 'client'))}, configFile: false, logLevel: 'error', build: {
        outDir: ${JSON.stringify(folder)}, emptyOutDir: true, minify: true,
        lib: { entry: 'client.ts', formats: ['es'], fileName: 'client' } } });`;
    await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', build], { cwd: ROOT });
    const code = readFileSync(join(folder, 'client.js'), 'utf8');
    expect(code).toContain('graphql-transport-ws');
    expect(code).not.toMatch(/from\s*["'](?:node:|fs|path)|require\(|__vite-browser-external/);
    expect(Buffer.byteLength(code)).toBeLessThan(120_000);
  });
});
