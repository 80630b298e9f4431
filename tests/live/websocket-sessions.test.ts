// Who is at the other end of a socket: how many of one there may be, and fresh tokens in pings.
import { CredentialsRefused } from '@weft/gateway/identity/credentials';
import { createPrincipal, type Principal } from '@weft/gateway/identity/principal';
import { afterEach, describe, expect, it } from 'vitest';
import { LIVE_FIELD } from './echo-engine.ts';
import { thing } from './live-log.ts';
import { createMemoryLog } from './memory-log.ts';
import { openClient } from './ws-client.ts';
import { type Running, type RunOptions, runTransport, subscribe } from './ws-rig.ts';

const DEADLINE_MS = 15_000;
const LIVE = `subscription { ${LIVE_FIELD} { n } }`;

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

const run = (options: Partial<RunOptions> = {}) =>
  runTransport({ log: createMemoryLog().log, ...options }, cleanups);
const open = (running: Running) => running.open();
const numberOf = (payload: unknown) =>
  (payload as { data: { [LIVE_FIELD]: { n: number } } }).data[LIVE_FIELD].n;
const untilLive = (running: Running, count: number) =>
  expect.poll(() => running.streams.liveSubscribers(), { timeout: DEADLINE_MS }).toBe(count);

/** Credentials are whatever `read` makes of them. */
function identityOf(read: (authorization: unknown) => Principal): NonNullable<RunOptions['identity']> {
  return {
    identifyConnection: (_headers, payload) => read(payload?.authorization),
    watchEnd: () => () => undefined,
  };
}

describe('a fresh token in a ping', () => {
  const soon = Date.parse('2030-01-01T00:00:00Z');
  const identity = identityOf((authorization) => {
    const [subject = '', ...roles] = String(authorization).split(' ');
    if (subject === 'bad') throw new CredentialsRefused('a bad one');
    return createPrincipal({ subject, roles, expiresAtMs: soon });
  });

  async function start() {
    const memory = createMemoryLog();
    const principals: Principal[] = [];
    const running = await run({
      log: memory.log,
      identity,
      engine: { beforeEvent: async (_message, { principal }) => void principals.push(principal) },
    });
    const client = await open(running);
    client.send({ type: 'connection_init', payload: { authorization: 'one viewer' } });
    expect(await client.next()).toEqual({ type: 'connection_ack' });
    client.send(subscribe('s', LIVE));
    await untilLive(running, 1);
    return { memory, principals, running, client };
  }
  const renew = (authorization: string) => ({ type: 'ping', payload: { authorization } });

  it('goes on with the new authority, with nothing lost and nothing twice', async () => {
    const { memory, principals, running, client } = await start();
    memory.append('ws', thing('ws', 1));
    expect(numberOf((await client.next()).payload)).toBe(1);
    client.send(renew('one officer'));
    const seen: number[] = [];
    let pong: unknown;
    for (let n = 2; n <= 30; n++) memory.append('ws', thing('ws', n));
    while (pong === undefined || seen.length < 29) {
      const message = await client.next();
      if (message.type === 'pong') pong = message.payload;
      else seen.push(numberOf(message.payload));
    }
    expect(pong).toEqual({ authorization: 'renewed', expiresAt: '2030-01-01T00:00:00.000Z' });
    expect(seen).toEqual(Array.from({ length: 29 }, (_, index) => index + 2));
    memory.append('ws', thing('ws', 31));
    expect(numberOf((await client.next()).payload)).toBe(31);
    expect(principals.at(-1)?.roles).toEqual(['officer']);
    expect(running.streams.figures()).toMatchObject({ groups: 1, members: 1 });
  });

  it('that does not hold changes nothing, and one of another principal closes with 4403', async () => {
    const { memory, client } = await start();
    client.send(renew('bad'));
    expect(await client.next()).toEqual({
      type: 'pong',
      payload: { authorization: 'refused', expiresAt: '2030-01-01T00:00:00.000Z' },
    });
    memory.append('ws', thing('ws', 1));
    expect(numberOf((await client.next()).payload)).toBe(1);
    client.send(renew('two viewer'));
    expect(await client.closed).toMatchObject({ code: 4403 });
  });
});

describe('the number of sockets', () => {
  it('takes no more sockets of one address, and of one principal, than it may', async () => {
    const running = await run({ limits: { connectionsPerAddressMax: 1 } });
    const first = await running.connect();
    await expect(openClient(running.url)).rejects.toThrow('429');
    await first.close();
    await expect.poll(() => running.transport.connections(), { timeout: DEADLINE_MS }).toBe(0);
    await running.connect();
    const identity = identityOf(() => createPrincipal({ subject: 'one' }));
    const known = await run({ identity, limits: { connectionsPerPrincipalMax: 1 } });
    const one = await known.connect();
    const two = await open(known);
    two.send({ type: 'connection_init' });
    expect(await two.closed).toMatchObject({ code: 4429 });
    await one.close();
    await expect.poll(() => known.transport.connections(), { timeout: DEADLINE_MS }).toBe(0);
    await known.connect();
  });
});
