// Webhooks out, from the log to a real receiver: processes that are killed, receivers that fail, and what must hold all the same.
import { createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { things } from '../live/live-log.ts';
import { waitFor } from '../support/wait.ts';
import { type Receiver, startReceiver } from './receiver.ts';
import { API_KEY, openRig, type Rig } from './rig.ts';

const WAIT_MS = 20_000;
/** Each starts processes of its own, several of them more than once. */
const TEST_MS_MAX = 90_000;
/** For tests that fail a few times on purpose. */
const QUICK = { retryDelayMsMin: 20, retryDelayMsMax: 60, timeoutMs: 2_000 };
/** Numbers of warm-ups lie above all others. */
const WARM = 1_000_000;

let rig: Rig;
let receiver: Receiver;
beforeEach(async () => {
  rig = await openRig();
  receiver = await startReceiver();
});
afterEach(async () => {
  await rig?.close();
  await receiver?.close();
});

/** Appends warm-ups until one has arrived: from then on the webhook has a position. */
async function untilLive(): Promise<void> {
  let n = WARM;
  await waitFor(
    'a first delivery',
    async () => {
      await rig.append(n, n++);
      return receiver.received.length > 0;
    },
    WAIT_MS,
  );
  const last = n - 1;
  await waitFor('the last warm-up', () => receiver.accepted().includes(last), WAIT_MS);
}

/** A delivery is accepted before its position is written: a process that is killed between the two leaves an older one, or none. */
async function untilKept(): Promise<void> {
  await waitFor(
    'the position after the last delivery',
    async () => {
      const { rows } = await rig.client.query<{ delivered: number }>(
        'SELECT delivered::int FROM webhooks.webhook',
      );
      return rows[0]?.delivered === receiver.accepted().length;
    },
    WAIT_MS,
  );
}

const accepted = () => receiver.accepted().filter((n) => n < WARM);
const untilAccepted = (n: number) =>
  waitFor(`the delivery of ${n}`, () => receiver.accepted().includes(n), WAIT_MS);
const range = (first: number, last: number) =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index);

describe('a webhook', { timeout: TEST_MS_MAX }, () => {
  it('brings every result once and in order, as a signed CloudEvent', async () => {
    await rig.deliver(receiver.url);
    await untilLive();
    await rig.append(1, 20);
    await untilAccepted(20);
    expect(accepted()).toEqual(range(1, 20));
    expect(receiver.received.every(({ isSigned }) => isSigned)).toBe(true);
    const { headers, body, id } = receiver.received.find(({ n }) => n === 7) ?? expect.fail('no 7');
    expect(headers['content-type']).toBe('application/cloudevents+json; charset=utf-8');
    expect(JSON.parse(body)).toEqual({
      specversion: '1.0',
      id,
      source: '/webhooks/bureau',
      type: 'dev.weft.webhook.thingChanged',
      datacontenttype: 'application/json',
      data: { data: { thingChanged: { cursor: expect.any(String), gap: null, n: 7 } } },
    });
  });

  it('tries again with the same id and body until it is accepted, and keeps the order meanwhile', async () => {
    await rig.deliver(receiver.url, QUICK);
    await untilLive();
    receiver.reply = (n, attempt) => (n === 2 && attempt < 4 ? ([503, 429, 302][attempt - 1] ?? 500) : 200);
    await rig.append(1, 4);
    await untilAccepted(4);
    expect(accepted()).toEqual([1, 2, 3, 4]);
    const tries = receiver.received.filter(({ n }) => n === 2);
    expect(tries.map(({ status }) => status)).toEqual([503, 429, 302, 200]);
    expect(new Set(tries.map(({ id, body }) => id + body)).size).toBe(1);
    expect(tries.every(({ isSigned }) => isSigned)).toBe(true);
  });

  it('takes no answer, a cut connection and an answer without an end for failures or success by the status alone', async () => {
    await rig.deliver(receiver.url, { ...QUICK, timeoutMs: 500 });
    await untilLive();
    receiver.reply = (n, attempt) => {
      if (n === 1 && attempt === 1) return 'hang';
      if (n === 2 && attempt === 1) return (response) => response.socket?.resetAndDestroy();
      if (n === 3 && attempt === 1) {
        return (response) => {
          response.writeHead(200);
          const timer = setInterval(() => response.write('x'.repeat(10_000)), 1);
          response.on('close', () => clearInterval(timer));
        };
      }
      return 204;
    };
    await rig.append(1, 4);
    await untilAccepted(4);
    const attempts = range(1, 4).map((n) => receiver.received.filter((one) => one.n === n).length);
    expect(attempts).toEqual([2, 2, 1, 1]);
  });

  it('follows no redirect', async () => {
    const elsewhere = await startReceiver();
    try {
      await rig.deliver(receiver.url, { ...QUICK, attemptsMax: 2 });
      await untilLive();
      receiver.reply = (n) =>
        n === 1 ? (response) => response.writeHead(307, { location: elsewhere.url }).end() : 204;
      await rig.append(1, 2);
      await untilAccepted(2);
      expect(elsewhere.received).toEqual([]);
    } finally {
      await elsewhere.close();
    }
  });

  it('puts aside what is never accepted, goes on, and sends it again when it is asked to', async () => {
    await rig.deliver(receiver.url, { ...QUICK, attemptsMax: 3 });
    await untilLive();
    expect(await rig.weft('dead-letters')).toBe('no dead letters\n');
    await expect(rig.weft('redrive', 'bureau')).rejects.toThrow('there is no dead letter of bureau');
    receiver.reply = (n) => (n === 2 ? 500 : 204);
    await rig.append(1, 3);
    await untilAccepted(3);
    expect(accepted()).toEqual([1, 3]);
    expect(receiver.received.filter(({ n }) => n === 2)).toHaveLength(3);
    const { id } = receiver.received.find(({ n }) => n === 2) ?? expect.fail('no 2');
    expect(await rig.weft('list')).toMatch(/^bureau .* 1 dead letter/m);
    expect(await rig.weft('dead-letters')).toMatch(
      new RegExp(`^bureau +${id} +3 attempts .*status 500`, 'm'),
    );

    expect(await rig.weft('redrive', 'bureau', id)).toContain('1 dead letter');
    await waitFor(
      'the fourth attempt',
      () => receiver.received.filter(({ n }) => n === 2).length === 4,
      WAIT_MS,
    );
    await waitFor('its failure', async () => /4 attempts/.test(await rig.weft('dead-letters')), WAIT_MS);

    receiver.reply = () => 204;
    await rig.weft('redrive', 'bureau');
    await untilAccepted(2);
    await waitFor('its end', async () => /0 dead letters/.test(await rig.weft('list')), WAIT_MS);
    const last = receiver.received.filter(({ n }) => n === 2).at(-1);
    expect(last).toMatchObject({ id, isSigned: true });
  });

  it('goes on after kill -9 behind what was accepted, and brings nothing else twice', async () => {
    const first = await rig.deliver(receiver.url, QUICK);
    await untilLive();
    receiver.reply = (n) => (n === 6 ? 'hang' : 204);
    await rig.append(1, 10);
    await waitFor('the sixth to be under way', () => receiver.received.some(({ n }) => n === 6), WAIT_MS);
    await first.kill('SIGKILL');
    receiver.reply = () => 204;
    await rig.append(11, 12);
    await rig.deliver(receiver.url, QUICK);
    await untilAccepted(12);
    expect(accepted()).toEqual(range(1, 12));
    expect(new Set(receiver.received.filter(({ n }) => n === 6).map(({ id }) => id)).size).toBe(1);
  });

  it('lets an attempt end on SIGTERM, and does not make it again', async () => {
    const first = await rig.deliver(receiver.url, { timeoutMs: 5_000 });
    await untilLive();
    const begun = Promise.withResolvers<() => void>();
    receiver.reply = (n) =>
      n === 1 ? (response) => begun.resolve(() => response.writeHead(204).end()) : 204;
    await rig.append(1, 2);
    const accept = await begun.promise;
    const ended = first.kill('SIGTERM');
    accept();
    expect(await ended).toBe(0);
    await rig.deliver(receiver.url);
    await untilAccepted(2);
    expect(receiver.received.filter(({ n }) => n === 1)).toHaveLength(1);
  });

  it('is delivered by one of several processes, and by another when that one is killed', async () => {
    const both = [await rig.deliver(receiver.url, QUICK), await rig.deliver(receiver.url, QUICK)];
    await untilLive();
    await rig.append(1, 10);
    await untilAccepted(10);
    expect(accepted()).toEqual(range(1, 10));
    const isDelivering = (one: (typeof both)[number]) =>
      one.output().includes('is delivered by this process');
    await waitFor('the log', () => both.some(isDelivering));
    expect(both.filter(isDelivering)).toHaveLength(1);
    await both.find(isDelivering)?.kill('SIGKILL');
    await rig.append(11, 20);
    await untilAccepted(20);
    expect(accepted()).toEqual(range(1, 20));
  });

  it('survives a restart of the gateway and the loss of its session in the database', async () => {
    await rig.deliver(receiver.url, QUICK);
    await untilLive();
    await rig.append(1, 3);
    await untilAccepted(3);
    await rig.restartGateway();
    await rig.append(4, 6);
    await untilAccepted(6);
    await rig.client.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'weft webhook bureau'`,
    );
    await rig.append(7, 9);
    await untilAccepted(9);
    // The one whose position was not stored when the session went comes again, in its place and under the same id.
    const numbers = accepted().filter((n, index, all) => n !== all[index - 1]);
    expect(numbers).toEqual(range(1, 9));
    expect(accepted().length).toBeLessThanOrEqual(10);
    const ids = receiver.received.filter(({ n }) => n < WARM).map(({ n, id }) => `${n} ${id}`);
    expect(new Set(ids).size).toBe(9);
  });

  it('keeps more than its queue holds for a receiver that was away', async () => {
    await rig.deliver(receiver.url, { ...QUICK, attemptsMax: 100 });
    await untilLive();
    let isAway = true;
    receiver.reply = () => (isAway ? 503 : 204);
    await rig.live.append('thing', ...things('thing', 1, 350));
    await waitFor(
      'some attempts',
      () => receiver.received.filter(({ status }) => status === 503).length > 4,
      WAIT_MS,
    );
    isAway = false;
    await untilAccepted(350);
    expect(accepted()).toEqual(range(1, 350));
  });

  it('sees what its key may see, and nothing without one', async () => {
    const subscription =
      'subscription ($after: Cursor) { thingChanged: secretChanged(after: $after) { cursor gap { reason } n } }';
    const nobody = await rig.deliver(receiver.url, { subscription });
    await rig.append(1, 1);
    await waitFor('the refusal', () => nobody.output().includes('UNAUTHENTICATED'), WAIT_MS);
    expect(await rig.weft('list')).toMatch(/UNAUTHENTICATED/);
    await nobody.kill();
    expect(receiver.received).toEqual([]);
    await rig.deliver(receiver.url, { subscription, apiKey: 'key' });
    await untilLive();
    expect(receiver.received.every(({ body }) => !body.includes(API_KEY))).toBe(true);
  });

  it('stands still with a position that does not hold any more, until that is forgotten', async () => {
    const first = await rig.deliver(receiver.url, QUICK);
    await untilLive();
    await untilKept();
    await first.kill();
    const { rowCount } = await rig.client.query(
      `UPDATE webhooks.webhook SET cursor = 'another key signed this'`,
    );
    expect(rowCount).toBe(1);
    const second = await rig.deliver(receiver.url, QUICK);
    await waitFor('the refusal', () => second.output().includes('INVALID_CURSOR'), WAIT_MS);
    await second.kill();
    expect(await rig.weft('reset', 'bureau')).toContain('begins at now');
    const count = receiver.received.length;
    await rig.deliver(receiver.url, QUICK);
    let n = 1;
    await waitFor(
      'a delivery',
      async () => {
        await rig.append(n, n++);
        return receiver.received.length > count;
      },
      WAIT_MS,
    );
  });
});

describe('where a webhook may go', { timeout: TEST_MS_MAX }, () => {
  it('is not an address of this machine (K11): the process does not start, and says why in one line', async () => {
    const failure = await rig
      .deliver('https://127.0.0.1:5432/', {}, { WEFT_WEBHOOKS_ALLOWED_HOSTS: '' })
      .then(
        () => expect.fail('it started'),
        (thrown: Error) => thrown.message,
      );
    expect(failure).toMatch(
      /^WEFT_WEBHOOKS_FILE: .*: bureau: url: .* WEFT_WEBHOOKS_ALLOWED_HOSTS may name it$/,
    );
  });

  it('is no name that resolves to this machine: nobody is connected to', async () => {
    const asked: unknown[] = [];
    const server = createServer((socket) => asked.push(socket.destroy()));
    await new Promise<void>((resolve) => server.listen(0, resolve));
    const { port } = server.address() as { port: number };
    const env = { WEFT_WEBHOOKS_ALLOWED_HOSTS: '' };
    await rig.deliver(`https://localhost:${port}/`, { ...QUICK, attemptsMax: 1 }, env);
    let n = WARM;
    await waitFor(
      'a dead letter',
      async () => {
        await rig.append(n, n++);
        return /localhost is an address of this machine/.test(await rig.weft('dead-letters'));
      },
      WAIT_MS,
    );
    expect(asked).toEqual([]);
    await new Promise((resolve) => server.close(resolve));
  });
});
