// A budget holds where calls arrive, and not only where they leave: on a way that stands still for a while, what left one after the other arrives at once.

import { createGuard, type Guard } from '@weft/connectors/guard/guard';
import { createLocalGate } from '@weft/connectors/guard/local-gate';
import { openReplica, type Replica } from '@weft/connectors/guard/replica';
import type { GuardPlan } from '@weft/connectors/plan';
import { createLogger } from '@weft/core/logger';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type EventServer, startRedis, whyNoProgram } from '../support/event-servers.ts';
import { waitFor } from '../support/wait.ts';

const skipReason = whyNoProgram('redis-server');
const RATE = { perSecond: 20, burst: 4 };
const IN_A_SECOND_MAX = RATE.perSecond + RATE.burst;
const PLAN: GuardPlan = {
  timeoutMs: 4_000,
  concurrency: 16,
  retries: 0,
  breaker: { failureRatio: 0.9, minCalls: 1_000, openForMs: 1_000 },
  rate: RATE,
  responseBytesMax: 1_000,
};
const STALL_MS = 600;
const CYCLE_MS = 2_000;
const ASKED_MS = 2.2 * CYCLE_MS;
const CALLERS = 12;

/** The first part of each cycle nothing arrives; what left in it arrives when it is over. */
function createStallingWay() {
  const startedAtMs = performance.now();
  const arrivals: number[] = [];
  return {
    arrivals,
    async pass(): Promise<void> {
      const inCycleMs = (performance.now() - startedAtMs) % CYCLE_MS;
      if (inCycleMs < STALL_MS) await pause(STALL_MS - inCycleMs);
      arrivals.push(performance.now());
    },
  };
}

/** Callers who always want something, on each guard as many. */
async function keepAsking(guards: readonly Guard[], pass: () => Promise<void>): Promise<void> {
  const untilMs = performance.now() + ASKED_MS;
  const { signal } = new AbortController();
  const caller = async (guard: Guard) => {
    while (performance.now() < untilMs)
      await guard
        .run({ operation: 'GET /x', isRead: true, signal, execute: pass })
        // Who would have to wait for too long is refused, and asks again.
        .catch(() => pause(20));
  };
  await Promise.all(guards.flatMap((guard) => Array.from({ length: CALLERS }, () => caller(guard))));
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function mostInASecond(arrivals: readonly number[]): number {
  const after = (fromMs: number) => arrivals.filter((atMs) => atMs >= fromMs && atMs - fromMs < 1_000);
  return Math.max(0, ...arrivals.map((fromMs) => after(fromMs).length));
}

/** Of four seconds half of what the rate gives, on however slow a machine. */
const ARRIVALS_MIN = 40;

interface Call {
  readonly pauseMs: number;
  readonly onItsWayMs: number;
  readonly workMs: number;
}

/** When each call arrives that a gate lets in, by a clock that the test turns. */
function arrivalsOf(calls: readonly Call[], rate: { perSecond: number; burst: number }): readonly number[] {
  let nowMs = 0;
  const breaker = { failureRatio: 1, minCalls: 1_000, openForMs: 1 };
  const gate = createLocalGate({ timeoutMs: 10_000, concurrency: 40, breaker, rate }, () => nowMs);
  const out: { readonly lease: string; readonly answeredAtMs: number }[] = [];
  const arrived: number[] = [];
  for (const [index, { pauseMs, onItsWayMs, workMs }] of calls.entries()) {
    nowMs += pauseMs;
    for (const each of out.splice(0)) {
      if (each.answeredAtMs <= nowMs) void gate.leave(each.lease, 'answered');
      else out.push(each);
    }
    const lease = String(index);
    if (gate.enterAtOnce(lease).kind !== 'admitted') continue;
    arrived.push(nowMs + onItsWayMs);
    out.push({ lease, answeredAtMs: nowMs + onItsWayMs + workMs });
  }
  return arrived;
}

describe('a budget at the side of the system', () => {
  it('is kept whatever each call takes to get there and to be answered', () => {
    const call = fc.record({
      pauseMs: fc.nat(120),
      onItsWayMs: fc.nat(1_500),
      workMs: fc.nat(600),
    });
    const rate = fc.record({
      perSecond: fc.integer({ min: 1, max: 8 }),
      burst: fc.integer({ min: 1, max: 6 }),
    });
    const law = fc.property(fc.array(call, { minLength: 20, maxLength: 80 }), rate, (calls, budget) => {
      expect(mostInASecond(arrivalsOf(calls, budget))).toBeLessThanOrEqual(budget.perSecond + budget.burst);
    });
    fc.assert(law, { interruptAfterTimeLimit: 4_000, numRuns: 300 });
  });

  it('is kept by one process when what it sent arrives late', { timeout: 20_000 }, async () => {
    const way = createStallingWay();
    await keepAsking([createGuard('city', 'alone', PLAN)], way.pass);
    expect(mostInASecond(way.arrivals)).toBeLessThanOrEqual(IN_A_SECOND_MAX);
    expect(way.arrivals.length).toBeGreaterThan(ARRIVALS_MIN);
  });

  describe.skipIf(skipReason !== undefined)('of two replicas', () => {
    let redis: EventServer;
    let replicas: Replica[];
    const logger = createLogger('arrivals-test', 'silent');

    beforeAll(async () => {
      redis = await startRedis();
      replicas = [1, 2].map(() => openReplica({ url: redis.url, replicasMax: 2, logger }));
    });
    afterAll(async () => {
      for (const replica of replicas ?? []) await replica.close();
      await redis?.stop();
    });

    it('is kept by both together when what they sent arrives late', { timeout: 40_000 }, async () => {
      const guards = replicas.map((replica) => createGuard('city', 'shared', PLAN, { replica }));
      await waitFor('both to share', () => replicas.every((each) => each.mode() === 'shared'), 10_000);
      const way = createStallingWay();
      await keepAsking(guards, way.pass);
      expect(mostInASecond(way.arrivals)).toBeLessThanOrEqual(IN_A_SECOND_MAX);
      expect(way.arrivals.length).toBeGreaterThan(ARRIVALS_MIN);
    });
  });
});
