// Rows 1 to 5 of the fault matrix: what a client sees of a gateway process while one of its subgraphs fails on the wire.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type SubgraphServer, startSubgraph } from '../gateway/subgraph-server.ts';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts';
import { type GatewayProcess, startGatewayProcess, type Timed } from '../support/gateway-process.ts';
import { type ScriptedUpstream, startScriptedUpstream } from '../support/scripted-upstream.ts';
import { waitFor } from '../support/wait.ts';

const SUBGRAPH_TIMEOUT_MS = 5_000;
const TIMEOUT_TOLERANCE_MS = 300;
const REFUSED_MS_MAX = 100;
const RECOVERED_MS_MAX = 5_000;
const SOCKETS_FREED_MS_MAX = 30_000;
const BREAKER_FAILURES = 5;
/** That the gateway has to one subgraph. */
const CONNECTIONS = 64;
const STORM = 80;
/** The promise is 20 %; what takes a millisecond or two needs room besides for the clock and the collector. */
const P99_RATIO_MAX = 1.2;
const P99_NOISE_MS = 5;
/** Neighbours on the machine only ever add to a time: the best of so many rows is what the gateway does. */
const ROWS = 3;
const SAMPLES = 200;
const TEST_MS_MAX = 90_000;
const MEGABYTE = 1_000_000;

const BOTH = '{ shaky { text } steady }';

describe('a gateway, while one of its subgraphs fails', () => {
  let shaky: SubgraphServer;
  let steady: SubgraphServer;
  let huge: ScriptedUpstream;
  let proxy: FaultProxy;
  let gateway: GatewayProcess;

  beforeAll(async () => {
    const text = 'x'.repeat(20_000);
    shaky = await startSubgraph(
      'shaky',
      'type Query { shaky: Shaky } type Shaky { text: String } type Mutation { poke: Int }',
      { Query: { shaky: () => ({ text }) }, Mutation: { poke: () => 1 } },
    );
    steady = await startSubgraph('steady', 'type Query { steady: Int }', { Query: { steady: () => 1 } });
    huge = await startScriptedUpstream();
    proxy = await startFaultProxy(Number(new URL(shaky.url).port));
    gateway = await startGatewayProcess([
      { ...shaky, url: `http://127.0.0.1:${proxy.port}/graphql` },
      steady,
      { name: 'huge', url: huge.url, sdl: 'type Query { huge: String }' },
    ]);
  });
  beforeEach(async () => {
    await proxy.setMode({ kind: 'pass' });
    await recovered();
    shaky.requests.length = 0;
  });
  afterAll(async () => {
    await gateway?.stop();
    await proxy?.close();
    await Promise.all([shaky?.close(), steady?.close(), huge?.close()]);
  });

  /** Milliseconds until the whole answer is there again. */
  async function recovered(): Promise<number> {
    const startedAt = performance.now();
    await waitFor('the subgraph to be asked again', async () => {
      const { answer } = await gateway.ask(BOTH);
      return answer.errors === undefined;
    });
    return performance.now() - startedAt;
  }

  function expectPartial({ answer }: Timed, code: string): void {
    expect(answer.data).toEqual({ shaky: null, steady: 1 });
    expect(answer.errors).toMatchObject([
      { path: ['shaky'], message: expect.stringMatching(/^shaky /), extensions: { code, system: 'shaky' } },
    ]);
    expect(answer.errors?.[0]?.extensions.traceId).toMatch(/^[0-9a-f]{32}$/);
  }

  /** Of the field of the subgraph that is well, in milliseconds. */
  async function steadyP99(): Promise<number> {
    const rows: number[] = [];
    for (let row = 0; row < ROWS; row += 1) {
      const times: number[] = [];
      for (let sample = 0; sample < SAMPLES; sample += 1) {
        const { answer, ms } = await gateway.ask('{ steady }');
        expect(answer).toEqual({ data: { steady: 1 } });
        times.push(ms);
      }
      rows.push(times.sort((a, b) => a - b)[Math.floor(SAMPLES * 0.99)] ?? Number.NaN);
    }
    return Math.min(...rows);
  }

  it('answers partly in under 100 ms when it is down, probes it after 5 failures, and has it back in under 5 s', async () => {
    const baseP99 = await steadyP99();
    await proxy.setMode({ kind: 'refuse' });
    for (let failure = 0; failure < BREAKER_FAILURES; failure += 1) {
      const timed = await gateway.ask(BOTH);
      expectPartial(timed, 'UPSTREAM_UNAVAILABLE');
      expect(timed.answer.errors?.[0]?.extensions.breaker).toBeUndefined();
      expect(timed.ms).toBeLessThan(REFUSED_MS_MAX);
    }
    const open = await gateway.ask(BOTH);
    expectPartial(open, 'UPSTREAM_UNAVAILABLE');
    expect(open.answer.errors?.[0]?.extensions.breaker).toBe('OPEN');
    expect(open.ms).toBeLessThan(REFUSED_MS_MAX);
    expect(await steadyP99()).toBeLessThan(baseP99 * P99_RATIO_MAX + P99_NOISE_MS);
    await proxy.setMode({ kind: 'pass' });
    expect(await recovered()).toBeLessThan(RECOVERED_MS_MAX);
  });

  it(
    'gives up a slow one at its 5 s, sends a mutation once, and keeps the others as fast as they were',
    async () => {
      const baseP99 = await steadyP99();
      await proxy.setMode({ kind: 'delay', delayMs: 10_000 });
      const mutation = gateway.ask('mutation { poke }');
      const storm = Array.from({ length: STORM }, () => gateway.ask(BOTH));
      await waitFor('the storm to fill its connections', () => proxy.connections() >= CONNECTIONS);
      expect(await steadyP99()).toBeLessThan(baseP99 * P99_RATIO_MAX + P99_NOISE_MS);
      for (const timed of await Promise.all(storm)) {
        expectPartial(timed, 'DEADLINE_EXCEEDED');
        expect(Math.abs(timed.ms - SUBGRAPH_TIMEOUT_MS)).toBeLessThan(TIMEOUT_TOLERANCE_MS);
      }
      expect((await mutation).answer.errors).toMatchObject([
        { path: ['poke'], extensions: { code: 'WRITE_UNKNOWN', system: 'shaky' } },
      ]);
      expect(shaky.requests.filter(({ query }) => query.includes('poke'))).toHaveLength(1);
    },
    TEST_MS_MAX,
  );

  it.each(['halfopen', 'blackhole'] as const)(
    'gives up a %s connection at its 5 s, and frees the socket',
    async (kind) => {
      await waitFor('idle connections to go', () => proxy.connections() === 0, SOCKETS_FREED_MS_MAX);
      await proxy.setMode({ kind });
      const timed = await gateway.ask(BOTH);
      expectPartial(timed, 'DEADLINE_EXCEEDED');
      expect(Math.abs(timed.ms - SUBGRAPH_TIMEOUT_MS)).toBeLessThan(TIMEOUT_TOLERANCE_MS);
      await waitFor('the connection to be freed', () => proxy.connections() === 0, SOCKETS_FREED_MS_MAX);
      await proxy.setMode({ kind: 'pass' });
      expect(await recovered()).toBeLessThan(RECOVERED_MS_MAX);
    },
    TEST_MS_MAX,
  );

  it.each(['truncate', 'reset'] as const)(
    'asks once more after a %s in the middle of an answer, for queries only',
    async (kind) => {
      await proxy.setMode({ kind, afterBytes: 5_000 });
      expectPartial(await gateway.ask(BOTH), 'UPSTREAM_INVALID');
      expect(shaky.requests).toHaveLength(2);
      await proxy.setMode({ kind, afterBytes: 100 });
      expect((await gateway.ask('mutation { poke }')).answer.errors).toMatchObject([
        { path: ['poke'], extensions: { code: 'WRITE_UNKNOWN', system: 'shaky' } },
      ]);
      expect(shaky.requests.filter(({ query }) => query.includes('poke'))).toHaveLength(1);
    },
  );

  it('takes garbage for an error of that subgraph, and asks once', async () => {
    shaky.fault = { kind: 'status', status: 200, body: '<html>busy</html>' };
    try {
      expectPartial(await gateway.ask(BOTH), 'UPSTREAM_INVALID');
      expect(shaky.requests).toHaveLength(1);
    } finally {
      shaky.fault = undefined;
    }
  });

  it('cuts a huge answer at 10 MB, grows by less than 50 MB, and answers others in under 500 ms', async () => {
    huge.script = {
      kind: 'respond',
      status: 200,
      headers: { 'content-type': 'application/json' },
      body: ['{"data":{"huge":"', { text: 'x', times: 100 * MEGABYTE }, '"}}'],
    };
    await gateway.ask('{ huge steady }');
    gateway.resetPeak();
    const before = gateway.residentBytes();
    const cut = gateway.ask('{ huge steady }');
    const p99 = await steadyP99();
    expect((await cut).answer).toMatchObject({
      data: { huge: null, steady: 1 },
      errors: [{ path: ['huge'], extensions: { code: 'UPSTREAM_INVALID', limit: 'responseBytesMax' } }],
    });
    expect(p99).toBeLessThan(500);
    expect(gateway.peakResidentBytes() - before).toBeLessThan(50 * MEGABYTE);
  });
});
