// Subgraphs that misbehave over graphql-transport-ws: attacks S24 and S26 of the catalogue, and what else a server can get wrong.
import { createLogger } from '@weft/core/logger';
import type { UpstreamLimits } from '@weft/gateway/upstream/limits';
import {
  createUpstreamSubscriptions,
  type UpstreamSubscriptions,
} from '@weft/gateway/upstream/subscriptions';
import { afterEach, describe, expect, it } from 'vitest';
import { type Attack, readAttacks } from '../security/attacks.ts';
import { waitFor } from '../support/wait.ts';
import { createRecorder, type Recorder, requestTo } from './recorder.ts';
import {
  acknowledge,
  answering,
  type Script,
  type ScriptedSocketServer,
  startScriptedSocket,
} from './scripted-socket.ts';

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

async function start(script?: Script): Promise<ScriptedSocketServer> {
  const server = await startScriptedSocket(script);
  cleanups.push(() => server.close());
  return server;
}

function open(limits: Partial<UpstreamLimits> = {}): UpstreamSubscriptions {
  const subscriptions = createUpstreamSubscriptions({
    logger: createLogger('test', 'silent'),
    limits: { retryDelayMsMin: 50, retryDelayMsMax: 200, lingerMs: 50, ...limits },
  });
  cleanups.push(() => subscriptions.close());
  return subscriptions;
}

function listen(subscriptions: UpstreamSubscriptions, url: string, n = 0): Recorder {
  const recorder = createRecorder();
  subscriptions.subscribe(requestTo(url, { variables: { n } }), recorder);
  return recorder;
}

const next = (id: string | undefined, data: unknown) => ({ type: 'next', id, payload: { data } });

interface SocketAttack {
  readonly respond: {
    readonly ws: { readonly rawHex?: string; readonly frames?: readonly Record<string, unknown>[] };
  };
}

function wsOf(attacks: readonly Attack[], id: string): SocketAttack['respond']['ws'] {
  const attack = attacks.find((one) => one.id === id);
  if (attack === undefined) throw new Error(`the catalogue has no ${id}`);
  return (attack.request as SocketAttack).respond.ws;
}

const attacks = readAttacks('subgraph-response');

describe.skipIf(attacks === undefined)('the catalogue', () => {
  it('S24: a frame of 2 ** 63 bytes ends the connection, which is opened again; nothing else is harmed', async () => {
    const { rawHex } = wsOf(attacks ?? [], 'S24');
    const server = await start(answering(({ sendBytes }) => sendBytes(Buffer.from(rawHex ?? '', 'hex'))));
    const recorder = listen(open(), server.url);
    expect(await recorder.nextGap()).toBe('UPSTREAM_LOST');
    server.script = answering(({ id, send }) => send(next(id, { changed: 1 })));
    expect(await recorder.nextGap()).toBe('UPSTREAM_RECONNECTED');
    expect(await recorder.nextData()).toEqual({ changed: 1 });
  });

  it('S24: with back-off, not at once and for ever', async () => {
    const { rawHex } = wsOf(attacks ?? [], 'S24');
    const server = await start(answering(({ sendBytes }) => sendBytes(Buffer.from(rawHex ?? '', 'hex'))));
    const recorder = listen(open({ retryDelayMsMin: 100, retryDelayMsMax: 10_000 }), server.url);
    await waitFor('the fifth try', () => server.upgrades.length === 5);
    // 100, 200, 400 and 800 ms, each between its half and itself: had the delay not doubled, 400 at most.
    const [first = 0, fifth = 0] = [server.upgrades[0], server.upgrades[4]];
    expect(fifth - first).toBeGreaterThan(740);
    // A ping that the server never reads must not count as an answer.
    expect(
      recorder.all.filter((told) => told.kind === 'gap' && told.reason === 'UPSTREAM_RECONNECTED'),
    ).toEqual([]);
  });

  it('S26: a result for an id that nobody has goes to nobody', async () => {
    const { frames = [] } = wsOf(attacks ?? [], 'S26');
    const server = await start(
      answering(({ id, send }) => {
        for (const frame of frames) send(frame);
        if (id === '2') send(next(id, { changed: 'mine' }));
      }),
    );
    const subscriptions = open();
    const [one, two] = [listen(subscriptions, server.url, 1), listen(subscriptions, server.url, 2)];
    expect(await two.nextData()).toEqual({ changed: 'mine' });
    expect([one.all.length, two.all.length]).toEqual([0, 1]);
  });
});

describe('a result of another subscription', () => {
  it('reaches the one whose id it has, and never one that has left or comes later', async () => {
    const sends: ((message: unknown) => void)[] = [];
    const server = await start(answering(({ send }) => sends.push(send)));
    const subscriptions = open({ lingerMs: 10 });
    const one = createRecorder();
    const leave = subscriptions.subscribe(requestTo(server.url, { variables: { n: 1 } }), one);
    const two = listen(subscriptions, server.url, 2);
    await waitFor('both upstream', () => sends.length === 2);
    leave();
    await waitFor('the end upstream', () =>
      server.received.some(({ type, id }) => type === 'complete' && id === '1'),
    );
    const three = listen(subscriptions, server.url, 3);
    await waitFor('the third upstream', () => sends.length === 3);
    const ids = server.received.filter(({ type }) => type === 'subscribe').map(({ id }) => id);
    expect(ids).toEqual(['1', '2', '3']);
    for (const id of ['0', '1', '4', '-1', '1e0', '__proto__', 'constructor'])
      sends[0]?.(next(id, { changed: id }));
    sends[0]?.(next('2', { changed: 'two' }));
    sends[0]?.(next('3', { changed: 'three' }));
    expect(await two.nextData()).toEqual({ changed: 'two' });
    expect(await three.nextData()).toEqual({ changed: 'three' });
    expect([one.all.length, two.all.length, three.all.length]).toEqual([0, 1, 1]);
    // The socket was not given up for what it said to nobody.
    expect(server.upgrades).toHaveLength(1);
  });

  it('is not taken for one of the connection before', async () => {
    let isFirst = true;
    const server = await start(
      answering(({ id, send, close }) => {
        if (isFirst) close(1012);
        else send(next(id, { changed: id }));
        isFirst = false;
      }),
    );
    const recorder = listen(open(), server.url);
    expect([await recorder.nextGap(), await recorder.nextGap()]).toEqual([
      'UPSTREAM_LOST',
      'UPSTREAM_RECONNECTED',
    ]);
    expect(await recorder.nextData()).toEqual({ changed: '1' });
  });
});

describe('a payload that is no result', () => {
  it.each([
    ['nothing', undefined],
    ['a list', []],
    ['a text', 'data'],
    ['neither data nor errors', { dat: 1 }],
    ['data that is a list', { data: [] }],
    ['null data and no error', { data: null }],
    ['what is nested too deep', { data: { a: JSON.parse(`${'['.repeat(150)}${']'.repeat(150)}`) } }],
  ])('is an error in its place, and the subscription goes on: %s', async (_what, payload) => {
    const server = await start(
      answering(({ id, send }) => {
        send({ type: 'next', id, payload });
        send(next(id, { changed: 1 }));
      }),
    );
    const recorder = listen(open(), server.url);
    const told = await recorder.next();
    expect(told).toMatchObject({
      kind: 'result',
      result: { data: null, errors: [{ error: { code: 'UPSTREAM_INVALID', system: 'traffic' } }] },
    });
    expect(await recorder.nextData()).toEqual({ changed: 1 });
  });

  it('has keys of its own choosing, and sets no prototype', async () => {
    const text = (id: string | undefined) =>
      `{"type":"next","id":"${id}","payload":{"data":{"__proto__":{"polluted":1},"changed":1}},"__proto__":{"x":1}}`;
    const server = await start(answering(({ id, send }) => send(text(id))));
    const data = await listen(open(), server.url).nextData();
    expect(Object.getPrototypeOf(data)).toBe(Object.prototype);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });
});

describe('a server that breaks the protocol', () => {
  const big = 'x'.repeat(20_000);
  const lost: readonly (readonly [what: string, script: Script, limits?: Partial<UpstreamLimits>])[] = [
    ['sends no JSON', answering(({ send }) => send('no'))],
    ['sends a list', answering(({ send }) => send('[]'))],
    ['sends an unknown type', answering(({ send }) => send({ type: 'data', id: '1' }))],
    [
      'sends an id that is no text',
      answering(({ send }) => send({ type: 'next', id: 1, payload: { data: {} } })),
    ],
    ['sends bytes', answering(({ send }) => send(Buffer.from('{"type":"pong"}')))],
    [
      'sends a message that is too long',
      answering(({ id, send }) => send(next(id, big))),
      { messageBytesMax: 10_000 },
    ],
    ['acknowledges twice', answering(({ send }) => send({ type: 'connection_ack' }))],
    [
      'sends a result before it acknowledges',
      ({ type, send }) => type === 'connection_init' && send(next('1', {})),
    ],
    ['does not acknowledge', () => undefined, { ackTimeoutMs: 200 }],
    ['closes', answering(({ close }) => close(1011))],
    ['is not allowed to say 4400 to what it took', answering(({ close }) => close(4400))],
    [
      'sends frames that are masked',
      answering(({ sendBytes }) => sendBytes(Buffer.from('818000000000', 'hex'))),
    ],
  ];
  it.each(lost.map(([what, script, limits = {}]) => ({ what, script, limits })))(
    'is left, and asked again: it $what',
    async ({ script, limits }) => {
      const server = await start(script);
      const recorder = listen(open(limits), server.url);
      expect(await recorder.nextGap()).toBe('UPSTREAM_LOST');
      server.script = answering(({ id, send }) => send(next(id, { changed: 1 })));
      expect(await recorder.nextGap()).toBe('UPSTREAM_RECONNECTED');
      expect(await recorder.nextData()).toEqual({ changed: 1 });
    },
  );

  it('is answered its own ping', async () => {
    const server = await start(answering(({ send }) => send({ type: 'ping', payload: { any: 1 } })));
    listen(open(), server.url);
    await waitFor('the pong', () => server.received.some(({ type }) => type === 'pong'));
  });
});

describe('a server that refuses', () => {
  const byClosing =
    (code: number): Script =>
    ({ type, close }) =>
      type === 'connection_init' && close(code);
  it.each([4400, 4401, 4403, 4406])('ends the subscription when it closes with %i', async (code) => {
    const server = await start(byClosing(code));
    const error = await listen(open(), server.url).nextEnd();
    expect(error).toMatchObject({ code: 'UPSTREAM_INVALID', details: { upstreamStatus: code } });
    expect(server.upgrades).toHaveLength(1);
  });

  it.each([302, 400, 401, 403, 404])(
    'ends the subscription when the upgrade is answered with %i',
    async (status) => {
      const server = await start();
      server.status = status;
      const error = await listen(open(), server.url).nextEnd();
      expect(error?.message).toBe(`traffic refuses subscriptions (HTTP ${status})`);
      expect(server.upgrades).toHaveLength(1);
    },
  );

  it.each([408, 429, 500, 503])('is asked again when the upgrade is answered with %i', async (status) => {
    const server = await start();
    server.status = status;
    const recorder = listen(open(), server.url);
    expect(await recorder.nextGap()).toBe('UPSTREAM_LOST');
    server.status = undefined;
    expect(await recorder.nextGap()).toBe('UPSTREAM_RECONNECTED');
  });

  it('ends the subscription when it speaks another subprotocol', async () => {
    const server = await start();
    server.subprotocol = false;
    expect((await listen(open(), server.url).nextEnd())?.message).toMatch(
      /does not speak graphql-transport-ws/,
    );
  });

  it('is asked again when it took the subscription before, but for its credentials', async () => {
    const closes: ((code: number) => void)[] = [];
    const server = await start((message) => {
      acknowledge(message);
      if (message.type === 'subscribe') closes.push(message.close);
    });
    const recorder = listen(open(), server.url);
    await waitFor('the subscription upstream', () => closes.length === 1);
    server.status = 404;
    closes[0]?.(1001);
    expect(await recorder.nextGap()).toBe('UPSTREAM_LOST');
    await waitFor('a second try', () => server.upgrades.length > 2);
    server.status = undefined;
    expect(await recorder.nextGap()).toBe('UPSTREAM_RECONNECTED');
    closes[1]?.(4403);
    expect((await recorder.nextEnd())?.message).toBe('traffic refuses subscriptions (close code 4403)');
  });

  it('ends one subscription with an error, and leaves the others on the socket', async () => {
    const server = await start(
      answering(({ id, send }) => {
        if (id === '1')
          send({ type: 'error', id, payload: [{ message: 'gone', extensions: { code: 'NOT_FOUND' } }] });
        else send(next(id, { changed: 2 }));
      }),
    );
    const subscriptions = open();
    const [one, two] = [listen(subscriptions, server.url, 1), listen(subscriptions, server.url, 2)];
    expect(await one.nextEnd()).toMatchObject({ code: 'NOT_FOUND', message: 'gone', system: 'traffic' });
    expect(await two.nextData()).toEqual({ changed: 2 });
    expect(server.upgrades).toHaveLength(1);
  });
});
