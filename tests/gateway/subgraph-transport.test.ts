// The transport to subgraphs by itself, against a real server that answers what it is told to.
import { gzipSync } from 'node:zlib';
import { HubError, OperatorError } from '@weft/core/errors';
import type { SubgraphKey } from '@weft/core/signatures/keys';
import { createRequestVerifier, signableMessage } from '@weft/core/signatures/verify';
import {
  createSubgraphClient,
  type FetchContext,
  type SubgraphClient,
  type SubgraphClientOptions,
  type UpstreamAnswer,
} from '@weft/gateway/fetch/subgraph-client';
import { createPrincipal } from '@weft/gateway/identity/principal';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Script, type ScriptedUpstream, startScriptedUpstream } from '../support/scripted-upstream.ts';

const KEY: SubgraphKey = { id: 'k1', secret: 'a secret of at least thirty-two characters' };
const TRACE_ID = 'abcdef0123456789abcdef0123456789';
const JSON_HEADERS = { 'content-type': 'application/json' };

function respond(body: string | Buffer, headers: Record<string, string> = {}, status = 200): Script {
  return { kind: 'respond', status, headers: { ...JSON_HEADERS, ...headers }, body: [body] };
}

function held(script: Script): { readonly script: Script; release(): void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { script: { kind: 'hold', until: promise, script }, release: resolve };
}

function failureOf(sending: Promise<UpstreamAnswer>): Promise<HubError> {
  return sending.then(
    () => {
      throw new Error('expected a failure');
    },
    (thrown) => {
      if (thrown instanceof HubError) return thrown;
      throw thrown;
    },
  );
}

describe('the transport to a subgraph', () => {
  let upstream: ScriptedUpstream;
  let client: SubgraphClient;

  beforeEach(async () => {
    upstream = await startScriptedUpstream(respond('{"data":{"a":{"b":1}}}'));
  });
  afterEach(async () => {
    await client?.close();
    await upstream?.close();
  });

  function open(options: Partial<SubgraphClientOptions> = {}): void {
    client = createSubgraphClient({ urls: new Map([['s', upstream.url]]), ...options });
  }

  function send(context: Partial<FetchContext> = {}, isMutation = false): Promise<UpstreamAnswer> {
    const whole: FetchContext = {
      signal: AbortSignal.timeout(20_000),
      deadlineAtMs: performance.now() + 20_000,
      traceId: TRACE_ID,
      authority: 'one',
      ...context,
    };
    return client.send({ system: 's', body: '{"query":"{a{b}}"}', isMutation, context: whole });
  }

  async function arrived(count: number): Promise<void> {
    await expect.poll(() => upstream.requests.length, { timeout: 5_000 }).toBe(count);
  }

  describe('retries', () => {
    it('stay within a tenth of the calls and the reserve, whatever breaks', async () => {
      open({ limits: { breakerFailuresMax: 1_000 } });
      upstream.script = { kind: 'reset' };
      for (let calls = 0; calls < 200; calls += 1) await failureOf(send());
      expect(upstream.requests.length).toBeGreaterThan(200);
      expect(upstream.requests.length).toBeLessThanOrEqual(200 + 20 + 10);
    });

    it('are made once for a 503, and not for one that says when to come again', async () => {
      open();
      upstream.script = respond('busy', {}, 503);
      expect((await failureOf(send())).code).toBe('UPSTREAM_UNAVAILABLE');
      expect(upstream.requests).toHaveLength(2);
      upstream.script = respond('busy', { 'retry-after': '1' }, 503);
      expect((await failureOf(send())).code).toBe('UPSTREAM_UNAVAILABLE');
      expect(upstream.requests).toHaveLength(3);
    });

    it('are never made for a mutation', async () => {
      open();
      upstream.script = respond('busy', {}, 503);
      await failureOf(send({}, true));
      upstream.script = { kind: 'reset' };
      expect((await failureOf(send({}, true))).code).toBe('WRITE_UNKNOWN');
      expect(upstream.requests).toHaveLength(2);
    });
  });

  describe('the breaker', () => {
    const LIMITS = { breakerFailuresMax: 3, breakerProbeIntervalMs: 100 };

    it('keeps calls from a failing subgraph, probes it, and closes at its first answer', async () => {
      open({ limits: LIMITS });
      upstream.script = respond('busy', { 'retry-after': '1' }, 503);
      for (let failure = 0; failure < 3; failure += 1)
        expect((await failureOf(send())).details.breaker).toBeUndefined();
      const refused = await failureOf(send());
      expect(refused).toMatchObject({
        code: 'UPSTREAM_UNAVAILABLE',
        system: 's',
        details: { breaker: 'OPEN' },
      });
      expect(upstream.requests).toHaveLength(3);
      upstream.script = respond('{"data":{"a":null}}');
      await expect
        .poll(
          () =>
            send().then(
              () => true,
              () => false,
            ),
          { timeout: 5_000 },
        )
        .toBe(true);
      expect((await send()).data).toEqual({ a: null });
    });

    it('is not opened by clients that leave, nor by answers that make no sense', async () => {
      open({ limits: LIMITS });
      upstream.script = { kind: 'hang' };
      for (let left = 1; left <= 5; left += 1) {
        const controller = new AbortController();
        const failing = failureOf(send({ signal: controller.signal }));
        await arrived(left);
        controller.abort();
        expect((await failing).code).toBe('CANCELLED');
      }
      upstream.script = respond('<html>');
      for (let count = 0; count < 5; count += 1)
        expect((await failureOf(send())).code).toBe('UPSTREAM_INVALID');
      upstream.script = respond('{"data":{"a":null}}');
      expect((await send()).data).toEqual({ a: null });
    });
  });

  describe('the queue', () => {
    it('is bounded, and one who waits and leaves makes room', async () => {
      open({ limits: { subgraphConnectionsMax: 2, subgraphRequestsMax: 3 } });
      const { script, release } = held(respond('{"data":{"a":1}}'));
      upstream.script = script;
      const sent = [send(), send()];
      await arrived(2);
      const controller = new AbortController();
      const waiting = failureOf(send({ signal: controller.signal }));
      const refused = await failureOf(send());
      expect(refused).toMatchObject({ code: 'LIMIT_EXCEEDED', details: { limit: 'subgraphRequestsMax' } });
      controller.abort();
      expect((await waiting).code).toBe('CANCELLED');
      const last = send();
      release();
      expect((await Promise.all([...sent, last])).map(({ data }) => data)).toEqual([
        { a: 1 },
        { a: 1 },
        { a: 1 },
      ]);
      expect(upstream.requests).toHaveLength(3);
    });

    it('tells one whose time is up while waiting that the subgraph was not asked, also for a mutation', async () => {
      open({ limits: { subgraphConnectionsMax: 1, subgraphTimeoutMs: 400 } });
      upstream.script = { kind: 'hang' };
      const first = failureOf(send());
      await arrived(1);
      const error = await failureOf(send({ deadlineAtMs: performance.now() + 100 }, true));
      expect(error).toMatchObject({ code: 'DEADLINE_EXCEEDED', message: /was not asked/ });
      expect((await first).message).toMatch(/did not answer within (399|400) ms/);
      expect(upstream.requests).toHaveLength(1);
    });
  });

  describe('a coded answer', () => {
    it('is inflated', async () => {
      open();
      upstream.script = respond(gzipSync('{"data":{"a":"经纬"}}'), { 'content-encoding': 'gzip' });
      expect((await send()).data).toEqual({ a: '经纬' });
    });

    it('is bounded in what comes out', async () => {
      open({ limits: { responseBytesMax: 100_000 } });
      const bomb = gzipSync(`{"data":{"a":"${'x'.repeat(5_000_000)}"}}`);
      upstream.script = respond(bomb, { 'content-encoding': 'gzip' });
      expect(await failureOf(send())).toMatchObject({
        code: 'UPSTREAM_INVALID',
        details: { limit: 'responseBytesMax' },
      });
    });
  });

  describe('the headers', () => {
    it('carry a span of its own for each fetch, and nothing of the client unless it is named', async () => {
      open({ forwardedHeaders: ['X-Tenant'] });
      const headers = { 'x-tenant': 'east', authorization: 'Bearer secret' };
      await send({ headers });
      const first = upstream.lastHeaders;
      await send({ headers });
      const spans = [first, upstream.lastHeaders].map(({ traceparent }) => String(traceparent).split('-'));
      expect(spans.map(([version, trace]) => [version, trace])).toEqual([
        ['00', TRACE_ID],
        ['00', TRACE_ID],
      ]);
      expect(spans[0]?.[2]).toMatch(/^[0-9a-f]{16}$/);
      expect(spans[0]?.[2]).not.toBe(spans[1]?.[2]);
      expect(upstream.lastHeaders['x-tenant']).toBe('east');
      expect(upstream.lastHeaders.authorization).toBeUndefined();
    });
  });

  it.each(['ftp://a/b', '', 'nonsense'])('refuses the address %s at start', (url) => {
    open();
    expect(() => createSubgraphClient({ urls: new Map([['s', url]]) })).toThrow(OperatorError);
  });

  it('breaks off what is under way when it is closed', async () => {
    open();
    upstream.script = { kind: 'hang' };
    const failing = failureOf(send());
    await arrived(1);
    const writing = failureOf(send({}, true));
    await arrived(2);
    await client.close();
    expect((await failing).code).toBe('UPSTREAM_UNAVAILABLE');
    expect((await writing).code).toBe('WRITE_UNKNOWN');
    await expect.poll(() => upstream.connections(), { timeout: 5_000 }).toBe(0);
  });

  describe('signing', () => {
    const claims = {
      subject: '王',
      issuer: 'https://id',
      roles: ['b', 'a'],
      scopes: ['s'],
      division: '320508',
    };

    it('says who asks, over every part of the request, and anew for a retry', async () => {
      open({ subgraphKeys: [KEY], forwardedHeaders: ['x-tenant'] });
      upstream.script = respond('busy', {}, 503);
      const headers = { 'x-tenant': 'east', 'weft-principal': 'forged' };
      await failureOf(send({ principal: createPrincipal(claims), headers }));
      expect(upstream.requests).toHaveLength(2);
      const verifier = createRequestVerifier({ keys: [KEY] });
      for (const request of upstream.received) {
        expect(verifier.refuse(signableMessage(request))).toBeUndefined();
        expect(request.headers['x-tenant']).toBe('east');
        const told = Buffer.from(String(request.headers['weft-principal']), 'base64').toString('utf8');
        expect(JSON.parse(told)).toEqual({ ...claims, roles: ['a', 'b'] });
      }
    });

    it('says of the anonymous that they have no roles and no scopes', async () => {
      open({ subgraphKeys: [KEY] });
      await send();
      const told = String(upstream.lastHeaders['weft-principal']);
      expect(JSON.parse(Buffer.from(told, 'base64').toString('utf8'))).toEqual({ roles: [], scopes: [] });
    });

    it('is not of a subgraph that no key is for, nor is it told who asks', async () => {
      for (const subgraphKeys of [undefined, [{ ...KEY, subgraphs: ['other'] }]]) {
        open({ subgraphKeys });
        await send({ principal: createPrincipal(claims) });
        expect(
          Object.keys(upstream.lastHeaders).filter((name) => /signature|weft-principal|digest/.test(name)),
        ).toEqual([]);
        await client.close();
      }
    });

    it('is with the first key that is for the subgraph', async () => {
      open({
        subgraphKeys: [
          { ...KEY, id: 'other', subgraphs: ['t'] },
          { ...KEY, subgraphs: ['s', 't'] },
        ],
      });
      await send();
      expect(upstream.lastHeaders['signature-input']).toContain(';keyid="k1"');
    });
  });

  describe('sharing', () => {
    const ANSWER = respond('{"data":{"a":{"b":1}}}');

    it('is off unless it is switched on', async () => {
      open();
      const { script, release } = held(ANSWER);
      upstream.script = script;
      const both = [send(), send()];
      await arrived(2);
      release();
      await Promise.all(both);
    });

    it('sends equal queries once, and gives each a tree of their own', async () => {
      open({ shareInFlight: true });
      const { script, release } = held(ANSWER);
      upstream.script = script;
      const both = [send(), send()];
      await arrived(1);
      release();
      const [first, second] = await Promise.all(both);
      expect(first?.data).toEqual({ a: { b: 1 } });
      expect(second?.data).toEqual({ a: { b: 1 } });
      expect(first?.data?.a).not.toBe(second?.data?.a);
      expect(upstream.requests).toHaveLength(1);
    });

    it('is not between authorities, nor between forwarded headers, nor of mutations', async () => {
      open({ shareInFlight: true, forwardedHeaders: ['x-tenant'] });
      const { script, release } = held(ANSWER);
      upstream.script = script;
      const all = [
        send(),
        send({ authority: 'two' }),
        send({ headers: { 'x-tenant': 'east' } }),
        send({}, true),
        send({}, true),
      ];
      await arrived(5);
      release();
      await Promise.all(all);
    });

    it('is not between two of whom a subgraph is told different things, whatever their authority says', async () => {
      open({ shareInFlight: true, subgraphKeys: [KEY] });
      const { script, release } = held(ANSWER);
      upstream.script = script;
      const [one, two] = ['one', 'two'].map((subject) => createPrincipal({ subject }));
      const all = [send({ principal: one }), send({ principal: one }), send({ principal: two })];
      await arrived(2);
      release();
      await Promise.all(all);
      expect(upstream.requests).toHaveLength(2);
    });

    it('survives the one who asked first, and ends upstream with the last', async () => {
      open({ shareInFlight: true });
      const { script, release } = held(ANSWER);
      upstream.script = script;
      const [leaver, other] = [new AbortController(), new AbortController()];
      const left = failureOf(send({ signal: leaver.signal }));
      const stayed = send({ signal: other.signal });
      await arrived(1);
      leaver.abort();
      expect((await left).code).toBe('CANCELLED');
      release();
      expect((await stayed).data).toEqual({ a: { b: 1 } });
      upstream.script = { kind: 'hang' };
      const controller = new AbortController();
      const all = [send({ signal: controller.signal }), send({ signal: controller.signal })].map(failureOf);
      await arrived(2);
      controller.abort();
      expect((await Promise.all(all)).map(({ code }) => code)).toEqual(['CANCELLED', 'CANCELLED']);
      await expect.poll(() => upstream.connections(), { timeout: 5_000 }).toBe(0);
    });

    it('never gives one who reads after a write what was asked before it', async () => {
      open({ shareInFlight: true });
      const { script, release } = held(ANSWER);
      upstream.script = script;
      const before = send();
      await arrived(1);
      upstream.script = respond('{"data":{"a":{"b":2}}}');
      await send({}, true);
      expect((await send()).data).toEqual({ a: { b: 2 } });
      release();
      expect((await before).data).toEqual({ a: { b: 1 } });
    });

    it('gives the failure to all who share it', async () => {
      open({ shareInFlight: true });
      const { script, release } = held(respond('<html>'));
      upstream.script = script;
      const both = [send(), send()].map(failureOf);
      await arrived(1);
      release();
      expect((await Promise.all(both)).map(({ code }) => code)).toEqual([
        'UPSTREAM_INVALID',
        'UPSTREAM_INVALID',
      ]);
    });
  });
});
