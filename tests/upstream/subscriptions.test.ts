// Subscriptions of subgraphs against servers of both protocols that are not ours: shared, kept apart, opened again, ended.
import { createLogger } from '@weft/core/logger';
import { createRequestVerifier, signableMessage } from '@weft/core/signatures/verify';
import type { UpstreamRequest } from '@weft/gateway/upstream/channel';
import type { UpstreamLimits } from '@weft/gateway/upstream/limits';
import {
  createUpstreamSubscriptions,
  type UpstreamOptions,
  type UpstreamSubscriptions,
} from '@weft/gateway/upstream/subscriptions';
import { afterEach, describe, expect, it } from 'vitest';
import { waitFor } from '../support/wait.ts';
import { type LiveSubgraph, startLiveSubgraph } from './live-subgraph.ts';
import { createRecorder, type Recorder, requestTo } from './recorder.ts';

const SDL = `
  extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])
  type Query { n: Int }
  type Subscription { changed(road: ID): Change }
  type Change { id: ID! n: Int }`;

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

async function startSubgraph(): Promise<LiveSubgraph> {
  const subgraph = await startLiveSubgraph({ name: 'traffic', sdl: SDL, field: 'changed' });
  cleanups.push(() => subgraph.kill());
  return subgraph;
}

const QUICK: Partial<UpstreamLimits> = { retryDelayMsMin: 40, retryDelayMsMax: 200, lingerMs: 100 };

function open(
  limits: Partial<UpstreamLimits> = {},
  options: Partial<UpstreamOptions> = {},
): UpstreamSubscriptions {
  const subscriptions = createUpstreamSubscriptions({
    logger: createLogger('test', 'silent'),
    limits: { ...QUICK, ...limits },
    ...options,
  });
  cleanups.push(() => subscriptions.close());
  return subscriptions;
}

interface Protocol {
  readonly protocol: UpstreamRequest['protocol'];
  urlOf(subgraph: LiveSubgraph): string;
}

const PROTOCOLS: readonly Protocol[] = [
  { protocol: 'graphql-transport-ws', urlOf: ({ wsUrl }) => wsUrl },
  { protocol: 'graphql-sse', urlOf: ({ url }) => url },
];

describe.each(PROTOCOLS)('a subscription of a subgraph over $protocol', ({ protocol, urlOf }) => {
  const requestOf = (subgraph: LiveSubgraph, given: Partial<UpstreamRequest> = {}) =>
    requestTo(urlOf(subgraph), { protocol, ...given });

  async function listen(
    subscriptions: UpstreamSubscriptions,
    request: UpstreamRequest,
  ): Promise<{ recorder: Recorder; leave: () => void }> {
    const recorder = createRecorder();
    const leave = subscriptions.subscribe(request, recorder);
    return { recorder, leave };
  }

  it('is one upstream for a hundred who ask the same, each of whom gets every result in order', async () => {
    const subgraph = await startSubgraph();
    const subscriptions = open();
    const request = requestOf(subgraph);
    const all = await Promise.all(Array.from({ length: 100 }, () => listen(subscriptions, request)));
    await waitFor('the subscription upstream', () => subgraph.active() === 1);
    for (let n = 1; n <= 20; n += 1) subgraph.publish({ id: 'a', n });
    for (const { recorder } of all)
      for (let n = 1; n <= 20; n += 1) expect(await recorder.nextData()).toEqual({ changed: { id: 'a', n } });
    expect([subgraph.active(), subgraph.sockets(), subgraph.heads.length]).toEqual([1, 1, 1]);
    expect(subscriptions.readings()).toEqual({ subscriptions: 1, listeners: 100, connections: 1 });
  });

  it('ends upstream after the last has left and not before, and is joined by who comes back meanwhile', async () => {
    const subgraph = await startSubgraph();
    const subscriptions = open({ lingerMs: 150 });
    const [one, two] = [
      await listen(subscriptions, requestOf(subgraph)),
      await listen(subscriptions, requestOf(subgraph)),
    ];
    await waitFor('the subscription upstream', () => subgraph.active() === 1);
    one.leave();
    one.leave();
    subgraph.publish({ id: 'a', n: 1 });
    await two.recorder.nextData();
    expect(one.recorder.all).toEqual([]);
    two.leave();
    const three = await listen(subscriptions, requestOf(subgraph));
    subgraph.publish({ id: 'a', n: 2 });
    expect(await three.recorder.nextData()).toEqual({ changed: { id: 'a', n: 2 } });
    expect(subgraph.heads).toHaveLength(1);
    three.leave();
    await waitFor('the end upstream', () => subgraph.active() === 0 && subgraph.sockets() === 0);
    expect(subscriptions.readings()).toEqual({ subscriptions: 0, listeners: 0, connections: 0 });
  });

  it('is kept apart for other variables, headers, roles and scopes', async () => {
    const subgraph = await startSubgraph();
    const subscriptions = open();
    const document = 'subscription ($road: ID) { changed(road: $road) { id n } }';
    const base = requestOf(subgraph, { document, variables: { road: '1' } });
    const others: Partial<UpstreamRequest>[] = [
      {},
      { variables: { road: '2' } },
      { headers: ['x-tenant', 'a'] },
      { headers: ['x-tenant', 'b'] },
      { authority: { roles: ['operator'], scopes: [] } },
      { authority: { roles: [], scopes: ['operator'] } },
    ];
    for (const other of others) await listen(subscriptions, { ...base, ...other });
    await waitFor('the subscriptions upstream', () => subgraph.active() === others.length);
    // Over WebSockets, those who differ in variables alone share a socket.
    expect(subgraph.sockets()).toBe(protocol === 'graphql-sse' ? 6 : 5);
    expect(subgraph.heads.map((head) => head['x-tenant']).filter((tenant) => tenant !== undefined)).toEqual(
      expect.arrayContaining(['a', 'b']),
    );
    if (protocol === 'graphql-transport-ws')
      expect(subgraph.payloads).toEqual(
        expect.arrayContaining([undefined, { 'x-tenant': 'a' }, { 'x-tenant': 'b' }]),
      );
  });

  it('tells at once when it is lost, and when it is back: once each, however often it was tried', async () => {
    const subgraph = await startSubgraph();
    const subscriptions = open();
    const { recorder } = await listen(subscriptions, requestOf(subgraph));
    await waitFor('the subscription upstream', () => subgraph.active() === 1);
    subgraph.publish({ id: 'a', n: 1 });
    await recorder.nextData();
    await subgraph.kill();
    expect(await recorder.nextGap(1_000)).toBe('UPSTREAM_LOST');
    const late = await listen(subscriptions, requestOf(subgraph));
    expect(await late.recorder.nextGap(1_000)).toBe('UPSTREAM_LOST');
    // Several tries fail.
    await new Promise((resolve) => setTimeout(resolve, 600));
    await subgraph.start();
    expect(await recorder.nextGap()).toBe('UPSTREAM_RECONNECTED');
    expect(await late.recorder.nextGap()).toBe('UPSTREAM_RECONNECTED');
    expect(subgraph.active()).toBe(1);
    subgraph.publish({ id: 'a', n: 3 });
    expect(await recorder.nextData()).toEqual({ changed: { id: 'a', n: 3 } });
    expect(recorder.all).toHaveLength(4);
  });

  it('waits for a subgraph that is down when it is asked for, and says so', async () => {
    const subgraph = await startSubgraph();
    await subgraph.kill();
    const { recorder } = await listen(open(), requestOf(subgraph));
    expect(await recorder.nextGap()).toBe('UPSTREAM_LOST');
    await subgraph.start();
    expect(await recorder.nextGap()).toBe('UPSTREAM_RECONNECTED');
    subgraph.publish({ id: 'a', n: 1 });
    expect(await recorder.nextData()).toEqual({ changed: { id: 'a', n: 1 } });
  });

  it('ends for all when the subgraph completes it, and is opened anew for who comes then', async () => {
    const subgraph = await startSubgraph();
    const subscriptions = open();
    const { recorder } = await listen(subscriptions, requestOf(subgraph));
    await waitFor('the subscription upstream', () => subgraph.active() === 1);
    subgraph.complete();
    expect(await recorder.nextEnd()).toBeUndefined();
    expect(subscriptions.readings().subscriptions).toBe(0);
    const again = await listen(subscriptions, requestOf(subgraph));
    await waitFor('the subscription upstream', () => subgraph.active() === 1);
    subgraph.publish({ id: 'a', n: 1 });
    await again.recorder.nextData();
  });

  it('ends with the error of a subgraph that does not take it, which is not tried again', async () => {
    const subgraph = await startSubgraph();
    const { recorder } = await listen(
      open(),
      requestOf(subgraph, { document: 'subscription { unknownField }' }),
    );
    const error = await recorder.nextEnd();
    expect(error).toMatchObject({ code: 'UPSTREAM_INVALID', system: 'traffic' });
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(recorder.all).toHaveLength(1);
    expect(subgraph.heads).toHaveLength(1);
  });

  it('keeps a subgraph own words back where they are not to be told', async () => {
    const subgraph = await startSubgraph();
    const request = requestOf(subgraph, { document: 'subscription { unknownField }' });
    const { recorder } = await listen(open({}, { keepsBackOwnWords: true }), request);
    const error = await recorder.nextEnd();
    expect(error?.message).toBe('traffic failed; what it said of that is in the log');
  });

  it('is signed for a subgraph with a key, and says roles and scopes and nobody', async () => {
    const key = { id: 'k', secret: 'a secret of at least thirty-two characters' };
    const subgraph = await startSubgraph();
    const authority = { roles: ['operator'], scopes: ['roads:read'] };
    await listen(open({}, { subgraphKeys: [key] }), requestOf(subgraph, { authority }));
    await waitFor('the subscription upstream', () => subgraph.active() === 1);
    const [request] = subgraph.requests;
    if (request === undefined) throw new Error('nothing was asked');
    expect(createRequestVerifier({ keys: [key] }).refuse(signableMessage(request))).toBeUndefined();
    const principal = Buffer.from(String(request.headers['weft-principal']), 'base64').toString();
    expect(JSON.parse(principal)).toEqual(authority);
  });

  it('refuses by name what is beyond its limits', async () => {
    const subgraph = await startSubgraph();
    const subscriptions = open({
      subscriptionsMax: 3,
      listenersMax: 2,
      connectionsPerSystemMax: 2,
      operationsPerSocketMax: 1,
    });
    const document = 'subscription ($road: ID) { changed(road: $road) { id n } }';
    const on = (road: string) => requestOf(subgraph, { document, variables: { road } });
    const limitOf = (request: UpstreamRequest): unknown => {
      try {
        subscriptions.subscribe(request, createRecorder());
        return undefined;
      } catch (thrown) {
        return (thrown as { details: { limit: string } }).details.limit;
      }
    };
    expect([on('1'), on('1'), on('1')].map(limitOf)).toEqual([undefined, undefined, 'listenersMax']);
    expect([on('2'), on('3')].map(limitOf)).toEqual([undefined, 'connectionsPerSystemMax']);
    expect(subscriptions.readings()).toEqual({ subscriptions: 2, listeners: 3, connections: 2 });
    await waitFor('the subscriptions upstream', () => subgraph.active() === 2);
  });
});

describe('a subscription of a subgraph', () => {
  it('says nothing more when all is closed, and leaves nothing open', async () => {
    const subgraph = await startSubgraph();
    const subscriptions = open();
    const recorder = createRecorder();
    subscriptions.subscribe(requestTo(subgraph.wsUrl), recorder);
    subscriptions.subscribe(requestTo(subgraph.url, { protocol: 'graphql-sse' }), recorder);
    await waitFor('the subscriptions upstream', () => subgraph.active() === 2);
    await subscriptions.close();
    await waitFor('the end upstream', () => subgraph.active() === 0 && subgraph.sockets() === 0);
    expect(recorder.all).toEqual([]);
    expect(subscriptions.readings()).toEqual({ subscriptions: 0, listeners: 0, connections: 0 });
  });
});
