// Laws of planning processes that have nothing to do, and of what their starts cost.
import { readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parse } from 'graphql';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { PLAN_LIMITS, type PlanLimits } from './limits.ts';
import { NO_OVERRIDES } from './planner.ts';
import type { PlanMessage } from './planner-messages.ts';
import { createPlannerPool, type PlannerPool } from './planner-pool.ts';
import { type PlannerProcess, startPlannerProcess } from './planner-process.ts';
import { NO_SPARES, type PlannerSpares } from './planner-spares.ts';

const LINK = 'https://specs.apollo.dev';
const DATA = {
  planner: undefined,
  supergraphSdl: `
    schema @link(url: "${LINK}/link/v1.0") @link(url: "${LINK}/join/v0.3", for: EXECUTION) { query: Query }
    directive @join__field(graph: join__Graph, requires: join__FieldSet, provides: join__FieldSet, type: String, external: Boolean, override: String, usedOverridden: Boolean) repeatable on FIELD_DEFINITION | INPUT_FIELD_DEFINITION
    directive @join__graph(name: String!, url: String!) on ENUM_VALUE
    directive @join__type(graph: join__Graph!, key: join__FieldSet, extension: Boolean! = false, resolvable: Boolean! = true, isInterfaceObject: Boolean! = false) repeatable on OBJECT | INTERFACE | UNION | ENUM | INPUT_OBJECT | SCALAR
    directive @link(url: String, as: String, for: link__Purpose, import: [link__Import]) repeatable on SCHEMA
    scalar join__FieldSet
    scalar link__Import
    enum link__Purpose { SECURITY EXECUTION }
    enum join__Graph { A @join__graph(name: "a", url: "http://localhost") }
    type Query @join__type(graph: A) { ash: Int }
  `,
};
const MESSAGE: PlanMessage = {
  request: {
    document: parse('{ ash }', { noLocation: true }),
    operationName: undefined,
    overrides: NO_OVERRIDES,
  },
  avoid: undefined,
};

let pool: PlannerPool | undefined;
const started: PlannerProcess[] = [];
const spares: PlannerSpares = {
  ...NO_SPARES,
  start(data, limits) {
    const planner = startPlannerProcess(data, limits);
    started.push(planner);
    return planner;
  },
};
afterEach(() => {
  pool?.close();
  vi.unstubAllEnvs();
  for (const planner of started.splice(0)) planner.end();
});

async function open(limits: Partial<PlanLimits>): Promise<PlannerPool> {
  pool = createPlannerPool(DATA, limits, spares);
  await pool.ready;
  return pool;
}

const alive = () => started.filter(({ isAlive }) => isAlive).length;

describe('a planning process with nothing to do', () => {
  it('ends, also when nothing was ever asked of it, and the next operation is planned by another', async () => {
    const { plan, isUp } = await open({ planIdleMs: 50, planIdleStarts: 0 });
    await expect.poll(alive, { timeout: 10_000 }).toBe(0);
    expect(isUp()).toBe(true);
    expect(await plan('one', MESSAGE)).toMatchObject({ steps: { kind: 'fetch', system: 'a' } });
    await expect.poll(alive, { timeout: 10_000 }).toBe(0);
    expect(await plan('other', MESSAGE)).toMatchObject({ steps: { kind: 'fetch', system: 'a' } });
    expect([started.length, isUp()]).toEqual([3, true]);
  });

  it('is kept for many times as long as it took to start', async () => {
    const { plan } = await open({ planIdleMs: 0, planIdleStarts: 1_000 });
    await plan('one', MESSAGE);
    await delay(100);
    await plan('other', MESSAGE);
    expect([started.length, alive()]).toEqual([1, 1]);
    expect(started[0]?.startMs).toBeGreaterThan(1);
  });

  it('is not ended while it plans', async () => {
    const { plan } = await open({ planIdleMs: 1, planIdleStarts: 0 });
    const plans = await Promise.all(Array.from({ length: 50 }, (_, index) => plan(`${index}`, MESSAGE)));
    expect(plans).toHaveLength(50);
    expect(started.length).toBeLessThanOrEqual(2);
  });

  it('has told Node what it compiled, so that the next one starts without', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'weft-compiled-'));
    try {
      vi.stubEnv('NODE_COMPILE_CACHE', folder);
      vi.stubEnv('NODE_DISABLE_COMPILE_CACHE', undefined);
      const planner = startPlannerProcess(DATA, PLAN_LIMITS);
      started.push(planner);
      await planner.ready;
      await expect.poll(() => readdirSync(folder, { recursive: true }).length).toBeGreaterThan(20);
    } finally {
      for (const planner of started) planner.end();
      // A process that was killed may have a file under its hands still.
      await rm(folder, { recursive: true, maxRetries: 10 });
    }
  });
});
