// Laws of GraphQL over SSE (distinct connections mode), asked by a raw client of a real gateway over a real log.
import { setTimeout as wait } from 'node:timers/promises';
import { HTTP_SETTINGS } from '@weft/gateway/http/settings';
import { readIdentitySettings } from '@weft/gateway/identity/settings';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { AUDIENCE, createSigner, ISSUER, type KeyServer, startKeyServer } from '../support/issuer.ts';
import {
  LAMP_CHANGED,
  LAMPS_SDL,
  type LampChanged,
  type Lamps,
  type LampsGateway,
  type LampsGatewayOptions,
  startLamps,
} from '../support/lamps.ts';
import { nextEvent, openStream, type StreamClient, type StreamRequest } from './stream-client.ts';

/** Gateways are started, which takes a machine that has much to do its time. */
const SLOW_MS_MAX = 120_000;
vi.setConfig({ testTimeout: SLOW_MS_MAX, hookTimeout: SLOW_MS_MAX });

let lamps: Lamps;
/** For what changes nothing of it. */
let shared: LampsGateway;
beforeAll(async () => {
  lamps = await startLamps();
  shared = await lamps.gateway();
});
afterAll(() => lamps?.close());

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

async function start(options: LampsGatewayOptions = {}): Promise<LampsGateway> {
  const gateway = await lamps.gateway(options);
  cleanups.push(gateway.close);
  return gateway;
}

async function open(gateway: LampsGateway, request: Partial<StreamRequest> = {}): Promise<StreamClient> {
  const client = await openStream({ url: gateway.graphql, query: LAMP_CHANGED, ...request });
  cleanups.push(client.close);
  return client;
}

interface Arrived {
  readonly id: string | undefined;
  readonly value: LampChanged['lampChanged'];
}

async function nextLamp(client: StreamClient): Promise<Arrived> {
  const { event, id, data } = await nextEvent(client);
  const { data: result } = JSON.parse(data || '{}') as { readonly data?: LampChanged };
  if (event !== 'next' || result === undefined) throw new Error(`expected a lamp, got ${event} ${data}`);
  return { id, value: result.lampChanged };
}

let streets = 0;
/** A street of its own for each test, and a first event by which its subscriber stands in the stream. */
const newStreet = () => `s${process.pid}-${++streets}`;
async function untilLive(client: StreamClient, street: string): Promise<Arrived> {
  const first = nextLamp(client);
  let isThere = false;
  first.finally(() => (isThere = true)).catch(() => undefined);
  for (let n = 0; !isThere && n < 500; n += 1) {
    await lamps.change(street, [`${street}-warm-${n}`]);
    await wait(5);
  }
  return first;
}

/** What is not of the warm-up. */
async function lampOf(client: StreamClient): Promise<Arrived> {
  for (;;) {
    const arrived = await nextLamp(client);
    if (arrived.value.lamp?.id.includes('-warm-') !== true) return arrived;
  }
}

const codeIn = (text: string) => JSON.parse(text).errors?.[0]?.extensions?.code;

describe('a subscription over server-sent events', () => {
  it('brings one JSON line an event, with the cursor as its id', async () => {
    const street = newStreet();
    const client = await open(shared, { variables: { street } });
    expect(client.status).toBe(200);
    expect(client.headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    });
    await untilLive(client, street);
    await lamps.change(street, [`${street}-1`, `${street}-2`]);
    for (const n of [1, 2]) {
      const { id, value } = await lampOf(client);
      expect(value.lamp).toEqual({ id: `${street}-${n}`, colour: `colour ${street}-${n}` });
      expect(id).toBe(value.cursor);
    }
  });

  it('resumes behind Last-Event-ID on another gateway, without a loss or a double, whatever `after` says', async () => {
    const street = newStreet();
    const first = await start();
    const client = await open(first, { variables: { street } });
    const ids = Array.from({ length: 30 }, (_, n) => `${street}-${n}`);
    const early = await untilLive(client, street);
    await lamps.change(street, ids.slice(0, 10));
    let last = await lampOf(client);
    while (last.value.lamp?.id !== ids[4]) last = await lampOf(client);
    client.close();
    await first.close();
    await lamps.change(street, ids.slice(10, 20));
    const headers = { 'last-event-id': last.id ?? '' };
    const again = await open(await start(), { headers, variables: { street, after: early.value.cursor } });
    const seen: (string | undefined)[] = [];
    while (seen.length < 15) seen.push((await nextLamp(again)).value.lamp?.id);
    await lamps.change(street, ids.slice(20));
    while (seen.length < 25) seen.push((await nextLamp(again)).value.lamp?.id);
    expect(seen).toEqual(ids.slice(5));
  });

  it('resumes by Last-Event-ID a document that has no `after`', async () => {
    const street = newStreet();
    const gateway = shared;
    const query = `subscription { lampChanged(street: "${street}") { cursor gap { reason } note lamp { id colour } } }`;
    const client = await open(gateway, { query });
    const { id = '' } = await untilLive(client, street);
    client.close();
    await lamps.change(street, [`${street}-1`]);
    const again = await open(gateway, { query, headers: { 'last-event-id': id } });
    expect((await lampOf(again)).value.lamp?.id).toBe(`${street}-1`);
  });

  it.each([
    ['garbage', '0-0 COUNT 100000000'],
    ['a line break that a proxy let through', 'a\tb'],
    ['too long a text', 'x'.repeat(2_000)],
  ])('answers 400 with INVALID_CURSOR to %s in Last-Event-ID', async (_what, id) => {
    const client = await open(shared, { headers: { 'last-event-id': id } });
    await client.ended;
    expect(client.status).toBe(400);
    expect(codeIn(client.text())).toBe('INVALID_CURSOR');
  });

  it('takes an empty Last-Event-ID for none', async () => {
    const client = await open(shared, { headers: { 'last-event-id': '' } });
    expect(client.status).toBe(200);
  });

  it('lets no text of an event begin another event', async () => {
    const street = newStreet();
    const client = await open(shared, { variables: { street } });
    await untilLive(client, street);
    const note = 'a\n\nevent: complete\ndata: {"forged":true}\r\n\rid: forged\u2028\u2029\n\n';
    await lamps.change(street, [`${street}-1`], note);
    expect((await lampOf(client)).value.note).toBe(note);
    expect(client.text()).not.toMatch(/^event: complete/m);
    expect(client.text()).not.toMatch(/^id: forged/m);
  });

  it('sends a comment when nothing else is sent for the interval', async () => {
    const client = await open(await start({ limits: { keepAliveMs: 30 } }), {
      variables: { street: newStreet() },
    });
    for (let n = 0; n < 4; n += 1) expect(await client.upTo('\n\n')).toBe(':');
  });

  it('asks its clients to come back after different times when the gateway closes, and ends without `complete`', async () => {
    const gateway = await start({ limits: { retryMsMin: 1_000, retryMsMax: 9_000 } });
    const clients = await Promise.all(
      Array.from({ length: 8 }, () => open(gateway, { variables: { street: newStreet() } })),
    );
    const startedAt = performance.now();
    await gateway.close();
    expect(performance.now() - startedAt).toBeLessThan(2_500);
    const retries = await Promise.all(
      clients.map(async (client) => {
        expect(await client.ended).toBe(true);
        expect(client.text()).not.toContain('complete');
        return Number(/^retry: (\d+)\n\n/m.exec(client.text())?.[1]);
      }),
    );
    for (const retryMs of retries) expect(retryMs).toBeGreaterThanOrEqual(1_000);
    for (const retryMs of retries) expect(retryMs).toBeLessThanOrEqual(9_000);
    expect(new Set(retries).size).toBeGreaterThan(1);
  });

  it('goes on when the graph is reloaded, and ends with an error when the new one lacks a field of it', async () => {
    const street = newStreet();
    const gateway = await start();
    const client = await open(gateway, { variables: { street } });
    await untilLive(client, street);
    await gateway.reloadWith(LAMPS_SDL.replace('colour: String', 'colour: String power: Int'));
    await lamps.change(street, [`${street}-1`]);
    expect((await lampOf(client)).value.lamp?.id).toBe(`${street}-1`);
    await gateway.reloadWith(LAMPS_SDL.replace('colour: String', 'power: Int'));
    const { event, data } = await nextEvent(client);
    expect([event, codeIn(data)]).toEqual(['next', 'SUBSCRIPTION_SCHEMA_RELOAD']);
    expect(await nextEvent(client)).toMatchObject({ event: 'complete', data: '' });
    expect(await client.ended).toBe(true);
  });

  it('begins by GET with the header against other sites, and frees what it holds when its client goes', async () => {
    const gateway = await start({ limits: { streamsPerAddressMax: 1 } });
    const headers = { 'x-weft-csrf': '1' };
    const client = await open(gateway, { method: 'GET', headers, variables: { street: newStreet() } });
    expect(client.status).toBe(200);
    client.close();
    for (let n = 0; n < 100; n += 1) {
      const next = await open(gateway, { method: 'GET', headers, variables: { street: newStreet() } });
      if (next.status === 200) return;
      await wait(20);
    }
    throw new Error('the stream of a client that is gone still counts');
  });

  it('answers an application/json subscription with what to accept, and a mutation by GET with 405', async () => {
    const gateway = shared;
    const plain = await open(gateway, { headers: { accept: 'application/json' } });
    await plain.ended;
    expect(plain.status).toBe(400);
    expect(plain.text()).toContain('text/event-stream');
    const headers = { 'x-weft-csrf': '1' };
    const mutation = await open(gateway, {
      method: 'GET',
      headers,
      query: 'mutation { break(id: "1") { id } }',
    });
    expect(mutation.status).toBe(405);
  });

  it('answers a query by one `next` and `complete`, and a document that is wrong too', async () => {
    const gateway = shared;
    const query = await open(gateway, { query: '{ lamp(id: "7") { colour } }' });
    const { event, data } = await nextEvent(query);
    expect([event, JSON.parse(data)]).toEqual(['next', { data: { lamp: { colour: 'colour 7' } } }]);
    expect((await nextEvent(query)).event).toBe('complete');
    const wrong = await open(gateway, { query: 'subscription { nothing }' });
    expect(codeIn((await nextEvent(wrong)).data)).toBe('GRAPHQL_VALIDATION_FAILED');
    expect((await nextEvent(wrong)).event).toBe('complete');
  });
});

describe('what EventSource of a browser can send', () => {
  let gateway: LampsGateway;
  beforeAll(async () => {
    const corsOrigins = new Set(['https://app.example']);
    gateway = await lamps.gateway({ config: { http: { ...HTTP_SETTINGS, corsOrigins } } });
  });

  const browser = {
    accept: 'text/event-stream',
    'cache-control': 'no-cache',
    'sec-fetch-mode': 'cors',
    'sec-fetch-dest': 'empty',
  };

  it.each([
    ['a page of this origin', { 'sec-fetch-site': 'same-origin' }, 200],
    ['a page of an allowed origin', { 'sec-fetch-site': 'cross-site', origin: 'https://app.example' }, 200],
    ['a page of another site', { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }, 400],
    ['a page of a neighbour', { 'sec-fetch-site': 'same-site', origin: 'https://evil.example' }, 400],
    ['nobody says where from', {}, 400],
  ])('is taken or refused: %s', async (_who, headers, status) => {
    const client = await open(gateway, { method: 'GET', headers: { ...browser, ...headers } });
    expect(client.status).toBe(status);
    const { origin } = headers as { readonly origin?: string };
    expect(client.headers['access-control-allow-origin']).toBe(status === 200 ? origin : undefined);
  });
});

describe('the credentials of a stream', () => {
  let keys: KeyServer;
  let signer: Awaited<ReturnType<typeof createSigner>>;
  beforeAll(async () => {
    signer = await createSigner('k1');
    keys = await startKeyServer(signer);
  });
  afterAll(() => keys?.stop());

  const identity = () =>
    readIdentitySettings({
      WEFT_JWKS: keys.url,
      WEFT_JWT_ISSUER: ISSUER,
      WEFT_JWT_AUDIENCE: AUDIENCE,
      WEFT_JWT_ALGORITHMS: 'ES256',
      WEFT_JWT_TYPES: 'JWT',
      WEFT_JWT_CLOCK_TOLERANCE_MS: 0,
      WEFT_JWT_ROLES_CLAIM: 'roles',
      WEFT_JWT_DIVISION_CLAIM: 'division',
      WEFT_JWT_DEPARTMENT_CLAIM: 'department',
    });

  it('end it with an error that says so when they end', async () => {
    const gateway = await start({ config: { identity: identity() } });
    const exp = Math.floor(Date.now() / 1_000) + 2;
    const headers = { authorization: `Bearer ${await signer.sign({ exp })}` };
    const client = await open(gateway, { headers, variables: { street: newStreet() } });
    expect(client.status).toBe(200);
    const { event, data } = await nextEvent(client);
    expect([event, codeIn(data)]).toEqual(['next', 'UNAUTHENTICATED']);
    expect((await nextEvent(client)).event).toBe('complete');
    expect(await client.ended).toBe(true);
  });

  it('let one person hold so many streams and no more, whatever others hold', async () => {
    const limits = { streamsPerPrincipalMax: 2, streamsPerAddressMax: 0 };
    const gateway = await start({ config: { identity: identity() }, limits });
    const as = async (sub: string) =>
      open(gateway, { headers: { authorization: `Bearer ${await signer.sign({ sub })}` } });
    expect([(await as('a')).status, (await as('a')).status]).toEqual([200, 200]);
    const third = await as('a');
    await third.ended;
    expect([third.status, codeIn(third.text())]).toEqual([429, 'RATE_LIMITED']);
    expect(third.headers['retry-after']).toBe('5');
    expect((await as('b')).status).toBe(200);
  });
});
