// Laws of planning processes that outlive their supergraph.
import { parse } from 'graphql';
import { afterEach, describe, expect, it } from 'vitest';
import { PLAN_LIMITS } from './limits.ts';
import { NO_OVERRIDES } from './planner.ts';
import type { PlanMessage } from './planner-messages.ts';
import { createPlannerPool } from './planner-pool.ts';
import type { PlannerProcess } from './planner-process.ts';
import { createPlannerSpares, type PlannerSpares } from './planner-spares.ts';

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
