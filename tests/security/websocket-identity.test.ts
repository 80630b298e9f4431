// Credentials over WebSocket, from ConnectionInit to their end, asked by a raw client over real sockets and a real event log.
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger } from '@weft/core/logger';
import type { OperationContext } from '@weft/gateway/engine';
import { type Identity, openIdentity } from '@weft/gateway/identity/identity';
import type { IdentityLimits } from '@weft/gateway/identity/limits';
import type { Principal } from '@weft/gateway/identity/principal';
import { ALGORITHMS, type IdentitySettings } from '@weft/gateway/identity/settings';
import { createEventStreams, type EventStreams } from '@weft/gateway/subscribe/event-streams';
import { attachWebSocket } from '@weft/gateway/websocket/server';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createEchoEngine, LIVE_FIELD } from '../live/echo-engine.ts';
import { type LiveLog, openLiveLog, thing } from '../live/live-log.ts';
import { openClient, type WsClient } from '../live/ws-client.ts';
import {
  AUDIENCE,
  createSigner,
  ISSUER,
  type KeyServer,
  type Signer,
  startKeyServer,
} from '../support/issuer.ts';

const DEADLINE_MS = 15_000;
const API_KEY = 'a key that is too long to be guessed';
const LIVE = `subscription { ${LIVE_FIELD} { n } }`;
const logger = createLogger('test', 'silent');

let live: LiveLog;
let signer: Signer;
let issuer: KeyServer;
let folder: string;
beforeAll(async () => {
  live = await openLiveLog();
  signer = await createSigner('k1');
  issuer = await startKeyServer(signer);
  folder = mkdtempSync(join(tmpdir(), 'weft-ws-identity-'));
});
afterAll(async () => {
  await Promise.all([live?.close(), issuer?.stop()]);
  rmSync(folder, { recursive: true, force: true });
});

const cleanups: (() => unknown)[] = [];
beforeEach(() => writeApiKeys('screen'));
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

function writeApiKeys(...ids: readonly string[]): void {
  const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
  const apiKeys = ids.map((id) => ({ id, sha256: sha256(`${API_KEY} ${id}`) }));
  writeFileSync(join(folder, 'api-keys.json'), JSON.stringify({ apiKeys }));
}

interface Running {
  readonly url: string;
  readonly identity: Identity;
  readonly streams: EventStreams;
  /** Of the queries so far. */
  readonly principals: Principal[];
  /** Of the events that live fields came to fetch for. */
  readonly eventPrincipals: Principal[];
  /** What a query waits for. */
  gate: Promise<void> | undefined;
}

async function run(limits: Partial<IdentityLimits> = {}, drainTimeoutMs = 2_000): Promise<Running> {
  const settings: IdentitySettings = {
    tokens: {
      keys: { url: new URL(issuer.url) },
      rules: {
        issuer: ISSUER,
        audiences: [AUDIENCE],
        algorithms: ALGORITHMS,
        types: ['jwt'],
        clockToleranceMs: 0,
        claimNames: { roles: 'roles', division: 'division' },
      },
    },
    apiKeysFile: join(folder, 'api-keys.json'),
  };
  const identity = await openIdentity({ settings, logger, limits });
  const principals: Principal[] = [];
  const eventPrincipals: Principal[] = [];
  const engine = createEchoEngine({
    topic: 'identity',
    beforeEvent: async (_message, { principal }) => void eventPrincipals.push(principal),
    async beforeResult({ principal }: OperationContext) {
      principals.push(principal);
      await running.gate;
    },
  });
  const keyRing = [{ id: 'k1', secret: 's'.repeat(32) }] as const;
  const streams = createEventStreams({ log: live.log, engine, keyRing, logger });
  const server = createServer();
  const transport = attachWebSocket({
    server,
    engine: () => engine,
    identity,
    streams,
    logger,
    limits: { drainTimeoutMs },
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(
    () => identity.close(),
    () => new Promise((resolve) => server.close(resolve)),
    () => transport.close(),
  );
  const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`;
  const running: Running = { url, identity, streams, principals, eventPrincipals, gate: undefined };
  return running;
}

async function open(
  { url }: Running,
  payload?: unknown,
  headers?: Readonly<Record<string, string>>,
): Promise<WsClient> {
  const client = await openClient(url, headers === undefined ? {} : { headers });
  cleanups.push(() => client.close());
  client.send({ type: 'connection_init', payload });
  return client;
}

async function connect(...args: Parameters<typeof open>): Promise<WsClient> {
  const client = await open(...args);
  expect(await client.next()).toEqual({ type: 'connection_ack' });
  return client;
}

const subscribe = (id: string, query: string) => ({ id, type: 'subscribe', payload: { query } });
const bearer = async (claims = {}) => `Bearer ${await signer.sign(claims)}`;
const untilLive = ({ streams }: Running, count: number) =>
  expect.poll(() => streams.liveSubscribers(), { timeout: DEADLINE_MS }).toBe(count);
const inSeconds = (seconds: number) => Math.floor(Date.now() / 1_000) + seconds;
const UNAUTHENTICATED = { extensions: { code: 'UNAUTHENTICATED', traceId: expect.any(String) } };

describe('credentials of a socket', () => {
  it('are those of its upgrade or of ConnectionInit, and hold for whatever it asks', async () => {
    const running = await run();
    const authorization = await bearer({ roles: ['duty-officer'] });
    const ways: [unknown, Record<string, string>?][] = [
      [undefined],
      [{ authorization }],
      [{ Authorization: authorization }],
      [undefined, { authorization }],
      [{ apiKey: `${API_KEY} screen` }],
      [undefined, { 'x-api-key': `${API_KEY} screen` }],
    ];
    for (const [payload, headers] of ways) {
      const client = await connect(running, payload, headers);
      client.send(subscribe('q', 'query { any }'));
      expect(await client.next()).toMatchObject({ type: 'next' });
      await client.close();
    }
    const subjects = [undefined, 'worker', 'worker', 'worker', 'screen', 'screen'];
    expect(running.principals.map(({ subject }) => subject)).toEqual(subjects);
    expect(running.principals[1]).toMatchObject({ roles: ['duty-officer'], issuer: ISSUER });
  });

  it('are known to the events of a live field but for who it is: what is fetched is for all who may do the same', async () => {
    const running = await run();
    const client = await connect(running, { authorization: await bearer({ roles: ['duty-officer'] }) });
    client.send(subscribe('s', LIVE));
    await untilLive(running, 1);
    await live.append('identity', thing('identity', 1));
    expect(await client.next()).toMatchObject({ id: 's', type: 'next' });
    expect(running.eventPrincipals[0]).toMatchObject({ isAuthenticated: true, roles: ['duty-officer'] });
    expect(running.eventPrincipals[0]?.subject).toBeUndefined();
  });

  it('are what cursors are bound to: one principal’s is refused from another, and taken from a new token of its own', async () => {
    const running = await run();
    const first = await connect(running, { authorization: await bearer() });
    first.send(subscribe('s', LIVE));
    await untilLive(running, 1);
    await live.append('identity', thing('identity', 10));
    const { payload } = await first.next();
    const { cursor } = (payload as { data: Record<string, { cursor: string }> }).data[LIVE_FIELD] ?? {};
    const resume = { id: 'r', type: 'subscribe', payload: { query: LIVE, variables: { after: cursor } } };
    const INVALID = { id: 'r', type: 'error', payload: [{ extensions: { code: 'INVALID_CURSOR' } }] };
    for (const payload of [undefined, { authorization: await bearer({ sub: 'other' }) }]) {
      const client = await connect(running, payload);
      client.send(resume);
      expect(await client.next()).toMatchObject(INVALID);
    }
    await live.append('identity', thing('identity', 11));
    const again = await connect(running, { authorization: await bearer({ jti: 'another token' }) });
    again.send(resume);
    expect(await again.next()).toMatchObject({ id: 'r', type: 'next' });
  });

  it('close it with 4403 when they do not hold', async () => {
    const running = await run();
    const good = await bearer();
    const ways: [unknown, Record<string, string>?][] = [
      [{ authorization: 'Bearer x' }],
      [{ authorization: `${good}x` }],
      [{ authorization: await bearer({ exp: inSeconds(-1) }) }],
      [{ authorization: 5 }],
      [{ apiKey: 'x' }],
      [{ authorization: `Bearer ${'a'.repeat(500_000)}` }],
      [{ authorization: good }, { authorization: good }],
      [{ authorization: good, apiKey: `${API_KEY} screen` }],
    ];
    for (const [payload, headers] of ways) {
      const client = await open(running, payload, headers);
      expect(await client.closed).toEqual({ code: 4403, reason: 'Forbidden' });
    }
    expect(running.principals).toEqual([]);
  });

  it('close it with 4502 when the issuer’s keys were never read: they may be good', async () => {
    await issuer.stop();
    cleanups.push(() => issuer.start());
    const client = await open(await run(), { authorization: await bearer() });
    expect(await client.closed).toMatchObject({ code: 4502 });
  });
});

/** The first message that is no result: of what was appended just before, one may lie beyond the head (docs/events.md). */
async function afterResults(client: WsClient | undefined) {
  for (let seen = 0; seen < 10; seen += 1) {
    const message = await client?.next();
    if (message?.type !== 'next') return message;
  }
  return expect.fail('nothing but results');
}

describe('the end of credentials', () => {
  it('W27: ends live fields with UNAUTHENTICATED, then the socket with 4401, and no event comes after', async () => {
    const running = await run();
    const client = await connect(running, { authorization: await bearer({ exp: inSeconds(3) }) });
    client.send(subscribe('a', LIVE));
    client.send(subscribe('b', LIVE));
    await untilLive(running, 2);
    const ends = [await afterResults(client), await afterResults(client)];
    expect(ends.map((end) => end?.id).sort()).toEqual(['a', 'b']);
    for (const end of ends) expect(end).toMatchObject({ type: 'error', payload: [UNAUTHENTICATED] });
    const before = running.eventPrincipals.length;
    await live.append('identity', thing('identity', 2));
    expect(await client.closed).toMatchObject({ code: 4401 });
    await untilLive(running, 0);
    expect(running.eventPrincipals).toHaveLength(before);
  });

  it('W27: comes for those whose API key is taken back, and for no other', async () => {
    writeApiKeys('screen', 'wall');
    const running = await run();
    const [screen, wall] = await Promise.all(
      ['screen', 'wall'].map((id) => connect(running, { apiKey: `${API_KEY} ${id}` })),
    );
    for (const client of [screen, wall]) client?.send(subscribe('s', LIVE));
    await untilLive(running, 2);
    writeApiKeys('wall');
    expect(await afterResults(screen)).toMatchObject({ type: 'error', payload: [UNAUTHENTICATED] });
    expect(await screen?.closed).toMatchObject({ code: 4401 });
    await untilLive(running, 1);
    await live.append('identity', thing('identity', 3));
    expect(await wall?.next()).toMatchObject({ id: 's', type: 'next' });
  });

  it('comes for those whose token was signed by a key that the issuer takes back', async () => {
    const running = await run({ jwksCooldownMs: 0 });
    const unnamed = `Bearer ${await signer.sign({}, { kid: undefined })}`;
    const clients = [
      await connect(running, { authorization: await bearer() }),
      await connect(running, { authorization: unnamed }),
    ];
    const next = await createSigner('k2');
    issuer.keys = [next.publicJwk];
    cleanups.push(() => {
      issuer.keys = [signer.publicJwk];
    });
    await running.identity.identify({ authorization: `Bearer ${await next.sign()}` });
    for (const client of clients) expect(await client.closed).toMatchObject({ code: 4401 });
  });

  it('lets a query that was begun be answered, begins no other, and closes then', async () => {
    const running = await run({}, 60_000);
    const gate = Promise.withResolvers<void>();
    running.gate = gate.promise;
    const client = await connect(running, { authorization: await bearer({ exp: inSeconds(8) }) });
    client.send(subscribe('s', LIVE));
    client.send(subscribe('q', 'query { any }'));
    expect(await afterResults(client)).toMatchObject({ id: 's', type: 'error', payload: [UNAUTHENTICATED] });
    client.send(subscribe('late', 'query { any }'));
    expect(await client.next()).toMatchObject({ id: 'late', type: 'error', payload: [UNAUTHENTICATED] });
    gate.resolve();
    expect(await client.next()).toMatchObject({ id: 'q', type: 'next' });
    expect(await client.next()).toMatchObject({ id: 'q', type: 'complete' });
    expect(await client.closed).toMatchObject({ code: 4401 });
    expect(running.principals).toHaveLength(1);
  });

  it('does not wait for a query longer than it may', async () => {
    const running = await run();
    const gate = Promise.withResolvers<void>();
    running.gate = gate.promise;
    const client = await connect(running, { authorization: await bearer({ exp: inSeconds(4) }) });
    client.send(subscribe('q', 'query { any }'));
    expect(await client.closed).toMatchObject({ code: 4401 });
    gate.resolve();
  });
});
