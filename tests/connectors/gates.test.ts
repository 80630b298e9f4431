// The gate of a source, on both of its forms: in one process, and through Redis for all.

import type { Gate, GatePlan } from '@weft/connectors/guard/gate';
import { createLocalGate } from '@weft/connectors/guard/local-gate';
import { openReplica, type Replica } from '@weft/connectors/guard/replica';
import { createSharedGate } from '@weft/connectors/guard/shared-gate';
import { createLogger } from '@weft/core/logger';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askRedis, type EventServer, startRedis, whyNoProgram } from '../support/event-servers.ts';
import { waitFor } from '../support/wait.ts';

const skipReason = whyNoProgram('redis-server');
const logger = createLogger('gates-test', 'silent');
const PLAN: GatePlan = {
  timeoutMs: 400,
  concurrency: 2,
  breaker: { failureRatio: 0.5, minCalls: 2, openForMs: 150 },
};
let number = 0;

/** Every test has a source of its own. */
function suite(open: (plan: GatePlan, source: string) => Gate): void {
  const gateOf = (plan: Partial<GatePlan> = {}) => open({ ...PLAN, ...plan }, `s${++number}`);
  const kinds = async (gate: Gate, ...leases: readonly string[]) => {
    const entries: string[] = [];
    for (const lease of leases) {
      const entry = await gate.enter(lease);
      entries.push(entry.kind === 'wait' ? entry.gate : entry.kind);
    }
    return entries;
  };

  it('lets as many in as there are places, and one more when one leaves', async () => {
    const gate = gateOf();
    expect(await kinds(gate, 'a', 'b', 'c')).toEqual(['admitted', 'admitted', 'BULKHEAD']);
    await gate.leave('a', 'answered');
    expect(await kinds(gate, 'c', 'd')).toEqual(['admitted', 'BULKHEAD']);
  });

  it('hands out no more tokens than the rate and the burst allow', async () => {
    const gate = gateOf({ concurrency: 64, rate: { perSecond: 20, burst: 3 } });
    const startedAtMs = performance.now();
    let admitted = 0;
    while (performance.now() - startedAtMs < 500) {
      const entry = await gate.enter(`t${admitted}`);
      if (entry.kind === 'admitted') admitted += 1;
      else expect(entry).toMatchObject({ gate: 'RATE' });
      if (entry.kind === 'wait') await new Promise((resolve) => setTimeout(resolve, 5));
    }
    const seconds = (performance.now() - startedAtMs) / 1_000;
    expect(admitted).toBeLessThanOrEqual(Math.floor(3 + 20 * seconds));
    expect(admitted).toBeGreaterThan(2);
  });

  it('opens after failures, lets one call try, and closes by its answer alone', async () => {
    const gate = gateOf();
    await kinds(gate, 'a', 'b');
    await gate.leave('a', 'failed');
    await gate.leave('b', 'failed');
    expect(gate.breaker()).toBe('OPEN');
    expect(await gate.enter('c')).toMatchObject({ kind: 'open' });
    const tries = async (lease: string) => (await gate.enter(lease)).kind;
    await waitFor('the breaker to let one try', async () => (await tries('d')) === 'admitted', 2_000);
    expect(await tries('e')).toBe('open');
    await gate.leave('d', 'unknown');
    expect(await tries('f')).toBe('admitted');
    await gate.leave('f', 'failed');
    expect(await tries('g')).toBe('open');
    await waitFor('the breaker to let one try', async () => (await tries('h')) === 'admitted', 2_000);
    await gate.leave('h', 'answered');
    expect(gate.breaker()).toBe('CLOSED');
    expect(await kinds(gate, 'i', 'j')).toEqual(['admitted', 'admitted']);
  });

  it('does not count callers who left', async () => {
    const gate = gateOf();
    for (const lease of ['a', 'b', 'c', 'd']) {
      expect(await kinds(gate, lease)).toEqual(['admitted']);
      await gate.leave(lease, 'unknown');
    }
    expect(gate.breaker()).toBe('CLOSED');
  });
}

describe('the gate of one process', () => suite((plan) => createLocalGate(plan)));

describe.skipIf(skipReason !== undefined)('the gate of all replicas', () => {
  let redis: EventServer;
  let replicas: Replica[];

  beforeAll(async () => {
    redis = await startRedis();
    replicas = [1, 2].map(() => openReplica({ url: redis.url, replicasMax: 2, logger }));
    await waitFor('both to share', () => replicas.every((each) => each.mode() === 'shared'), 10_000);
  });
  afterAll(async () => {
    for (const replica of replicas ?? []) await replica.close();
    await redis?.stop();
  });
  const gates = (plan: Partial<GatePlan> = {}, source = `s${++number}`) =>
    replicas.map((replica) => createSharedGate('city', source, { ...PLAN, ...plan }, replica)) as [
      Gate,
      Gate,
    ];

  suite((plan, source) => createSharedGate('city', source, plan, replicas[0] as Replica));

  it('counts the calls of both', async () => {
    const [one, other] = gates();
    expect((await one.enter('a')).kind).toBe('admitted');
    expect((await other.enter('b')).kind).toBe('admitted');
    expect(await other.enter('c')).toMatchObject({ gate: 'BULKHEAD' });
    await one.leave('a', 'answered');
    expect((await other.enter('c')).kind).toBe('admitted');
  });

  it('ends the lease of one that never comes back', async () => {
    const [one, other] = gates({ concurrency: 1, timeoutMs: 50 });
    expect((await one.enter('a')).kind).toBe('admitted');
    expect((await other.enter('b')).kind).toBe('wait');
    await waitFor('the lease to end', async () => (await other.enter('b')).kind === 'admitted', 3_000);
  });

  it('opens for both, and lets one call of all try', async () => {
    const [one, other] = gates();
    await one.enter('a');
    await other.enter('b');
    await one.leave('a', 'failed');
    await other.leave('b', 'failed');
    expect((await one.enter('c')).kind).toBe('open');
    const admitted = new Set<string>();
    await waitFor(
      'one to try',
      async () => {
        for (const [gate, lease] of [
          [one, 'd'],
          [other, 'e'],
        ] as const)
          if ((await gate.enter(lease)).kind === 'admitted') admitted.add(lease);
        return admitted.size > 0;
      },
      2_000,
    );
    expect(admitted.size).toBe(1);
  });

  it.each(['*', '__proto__', 'A'.repeat(20_000), 'x:y\r\nKEYS *'])(
    'makes keys of hashes alone, also of a source %.20s',
    async (name) => {
      const [gate] = gates({}, name);
      expect((await gate.enter('a')).kind).toBe('admitted');
      const keys = (await askRedis(redis.url, 'KEYS', '*')) as readonly string[];
      for (const key of keys) {
        expect(key).toMatch(
          /^\{weft:guard\}:(?:replicas|sharing|started:[0-9a-f]{40}|gate:[0-9a-f]{32}:(?:state|leases|arrivals))$/,
        );
      }
      expect({}).not.toHaveProperty('lease');
    },
  );

  it('leaves each its share while Redis is away, when what was out is over, and all of it when Redis is back', async () => {
    const [one, other] = gates({ concurrency: 4 });
    // A machine that is busy may answer the first commands too late for the gate, which is then on its own for a while.
    for (const lease of ['a', 'b', 'c'])
      await waitFor('a place', async () => (await one.enter(lease)).kind === 'admitted');
    await redis.signal('SIGKILL');
    const startedAtMs = performance.now();
    const first = await one.enter('d');
    expect(first.kind).toBe('wait');
    expect(performance.now() - startedAtMs).toBeLessThan(1_000);
    await waitFor('both to be alone', () => replicas.every((each) => each.mode() === 'local'), 5_000);
    await waitFor('the other to be let in', async () => (await other.enter('e')).kind === 'admitted', 6_000);
    // Two for each: those of the first that are out count.
    expect((await other.enter('f')).kind).toBe('admitted');
    expect((await other.enter('g')).kind).toBe('wait');
    expect((await one.enter('d')).kind).toBe('wait');
    for (const lease of ['a', 'b']) await one.leave(lease, 'answered');
    await waitFor('a place of its share', async () => (await one.enter('d')).kind === 'admitted', 6_000);
    await redis.restart();
    await waitFor('both to share', () => replicas.every((each) => each.mode() === 'shared'), 15_000);
    // c, d, e and f are out still, and told to the new Redis; their leases end by themselves.
    await waitFor('the leases to end', async () => (await one.enter('h')).kind === 'admitted', 5_000);
    await waitFor('the leases to end', async () => (await one.enter('i')).kind === 'admitted', 5_000);
    await waitFor('the leases to end', async () => (await one.enter('j')).kind === 'admitted', 5_000);
  });
});
