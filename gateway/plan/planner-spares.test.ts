// Laws of planning processes that are not needed now: kept for another supergraph, ended, and what their starts cost.
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
import { createPlannerSpares, NO_SPARES, type PlannerSpares } from './planner-spares.ts';

const dataOf = (field: string) => ({ supergraphSdl: supergraphOf(field), planner: undefined });
const ended: PlannerProcess[] = [];
const opened: PlannerSpares[] = [];
afterEach(() => {
  for (const spares of opened.splice(0)) spares.close();
  for (const planner of ended.splice(0)) planner.end();
});

function open(limits: Parameters<typeof createPlannerSpares>[0] = {}): PlannerSpares {
  const spares = createPlannerSpares(limits);
  opened.push(spares);
  return spares;
}

async function start(spares: PlannerSpares, field: string): Promise<PlannerProcess> {
  const planner = spares.start(dataOf(field), PLAN_LIMITS);
  ended.push(planner);
  await planner.ready;
  return planner;
}

describe('a spare planning process', () => {
  it('takes up another supergraph, and forgets its last', async () => {
    const spares = open();
    const first = await start(spares, 'ash');
    await first.plan(asking('ash'), () => undefined);
    spares.giveBack(first);
    const second = await start(spares, 'birch');
    expect(second).toBe(first);
    expect(await second.plan(asking('birch'), () => undefined)).toMatchObject({
      planner: expect.any(String),
    });
    await expect(second.plan(asking('ash'), () => undefined)).rejects.toMatchObject({
      code: 'INTERNAL_SERVER_ERROR',
    });
  });

  it('is one at most, and no process that has a supergraph yet to learn', async () => {
    const spares = open();
    const [one, other] = [await start(spares, 'ash'), await start(spares, 'birch')];
    spares.giveBack(one);
    spares.giveBack(other);
    expect([one.isAlive, other.isAlive]).toEqual([true, false]);
    const starting = spares.start(dataOf('ash'), PLAN_LIMITS);
    expect(starting).toBe(one);
    spares.giveBack(starting);
    expect(starting.isAlive).toBe(false);
  });

  it('is kept for its time, for so many supergraphs, and until the spares are closed', async () => {
    const brief = open({ planSpareIdleMs: 10 });
    const waiting = await start(brief, 'ash');
    brief.giveBack(waiting);
    await expect.poll(() => waiting.isAlive, { timeout: 10_000 }).toBe(false);
    const worn = open({ planGraphsMax: 1 });
    const used = await start(worn, 'ash');
    worn.giveBack(used);
    expect(used.isAlive).toBe(false);
    const closing = open();
    const [kept, late] = [await start(closing, 'ash'), await start(closing, 'ash')];
    closing.giveBack(kept);
    closing.close();
    closing.giveBack(late);
    expect([kept.isAlive, late.isAlive]).toEqual([false, false]);
  });

  it('is what a pool leaves behind that is closed with nothing to do, and not one that was about to plan', async () => {
    const spares = open();
    const idle = createPlannerPool(dataOf('ash'), {}, spares);
    await idle.ready;
    idle.close();
    const planner = await start(spares, 'birch');
    expect(planner.graphs).toBe(2);
    spares.giveBack(planner);
    const busy = createPlannerPool(dataOf('ash'), {}, spares);
    await busy.ready;
    const plan = busy.plan('ash', asking('ash'));
    busy.close();
    await expect(plan).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(planner.isAlive).toBe(false);
  });
});

describe('a planning process with nothing to do', () => {
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

  async function openPool(limits: Partial<PlanLimits>): Promise<PlannerPool> {
    pool = createPlannerPool(dataOf('ash'), limits, spares);
    await pool.ready;
    return pool;
  }

  const alive = () => started.filter(({ isAlive }) => isAlive).length;

  it('ends, also when nothing was ever asked of it, and the next operation is planned by another', async () => {
    const { plan, isUp } = await openPool({ planIdleMs: 50, planIdleStarts: 0 });
    await expect.poll(alive, { timeout: 10_000 }).toBe(0);
    expect(isUp()).toBe(true);
    expect(await plan('one', asking('ash'))).toMatchObject({ steps: { kind: 'fetch', system: 'a' } });
    await expect.poll(alive, { timeout: 10_000 }).toBe(0);
    expect(await plan('other', asking('ash'))).toMatchObject({ steps: { kind: 'fetch', system: 'a' } });
    expect([started.length, isUp()]).toEqual([3, true]);
  });

  it('is kept for many times as long as it took to start', async () => {
    const { plan } = await openPool({ planIdleMs: 0, planIdleStarts: 1_000 });
    await plan('one', asking('ash'));
    await delay(100);
    await plan('other', asking('ash'));
    expect([started.length, alive()]).toEqual([1, 1]);
    expect(started[0]?.startMs).toBeGreaterThan(1);
  });

  it('is not ended while it plans', async () => {
    const { plan } = await openPool({ planIdleMs: 1, planIdleStarts: 0 });
    const plans = await Promise.all(
      Array.from({ length: 50 }, (_, index) => plan(`${index}`, asking('ash'))),
    );
    expect(plans).toHaveLength(50);
    expect(started.length).toBeLessThanOrEqual(2);
  });

  it('has told Node what it compiled, so that the next one starts without', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'weft-compiled-'));
    try {
      vi.stubEnv('NODE_COMPILE_CACHE', folder);
      vi.stubEnv('NODE_DISABLE_COMPILE_CACHE', undefined);
      const planner = startPlannerProcess(dataOf('ash'), PLAN_LIMITS);
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

function asking(field: string): PlanMessage {
  return {
    request: {
      document: parse(`{ ${field} }`, { noLocation: true }),
      operationName: undefined,
      overrides: NO_OVERRIDES,
    },
    avoid: undefined,
  };
}

function supergraphOf(field: string): string {
  const link = 'https://specs.apollo.dev';
  return `
    schema @link(url: "${link}/link/v1.0") @link(url: "${link}/join/v0.3", for: EXECUTION) { query: Query }
    directive @join__field(graph: join__Graph, requires: join__FieldSet, provides: join__FieldSet, type: String, external: Boolean, override: String, usedOverridden: Boolean) repeatable on FIELD_DEFINITION | INPUT_FIELD_DEFINITION
    directive @join__graph(name: String!, url: String!) on ENUM_VALUE
    directive @join__type(graph: join__Graph!, key: join__FieldSet, extension: Boolean! = false, resolvable: Boolean! = true, isInterfaceObject: Boolean! = false) repeatable on OBJECT | INTERFACE | UNION | ENUM | INPUT_OBJECT | SCALAR
    directive @link(url: String, as: String, for: link__Purpose, import: [link__Import]) repeatable on SCHEMA
    scalar join__FieldSet
    scalar link__Import
    enum link__Purpose { SECURITY EXECUTION }
    enum join__Graph { A @join__graph(name: "a", url: "http://localhost") }
    type Query @join__type(graph: A) { ${field}: Int }
  `;
}
