// Every guarded coordinate, by every way that leads to it, for everyone who may ask: nothing leaks, nothing is refused wrongly.
import { createLogger } from '@weft/core/logger';
import { createEngine, type GatewayEngine } from '@weft/gateway/execute/create-engine';
import type { Principal } from '@weft/gateway/identity/principal';
import type { PlannerName } from '@weft/gateway/plan/planner';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ASKERS, GUARDED, type GuardedGraph, OPEN, POLICIES, startGuardedGraph } from './guarded-graph.ts';
import { wrongAnswers } from './judge-answer.ts';

let graph: GuardedGraph;
const engines = new Map<PlannerName, GatewayEngine>();
beforeAll(async () => {
  graph = await startGuardedGraph();
  for (const planner of ['hive', 'apollo'] as const) {
    const options = { supergraphSdl: graph.supergraphSdl, logger: createLogger('test', 'silent') };
    engines.set(planner, createEngine({ ...options, planner, policies: POLICIES }));
  }
});
afterAll(async () => {
  await Promise.all([...engines.values()].map((engine) => engine.close()));
  await graph?.close();
});

/** What each asker may not see: its mark must be in no answer. */
function forbiddenTo(principal: Principal): readonly string[] {
  return Object.entries(GUARDED).flatMap(([coordinate, may]) => (may(principal) ? [] : [coordinate]));
}

function engineOf(planner: PlannerName): GatewayEngine {
  const engine = engines.get(planner);
  if (engine === undefined) throw new Error(`no engine plans with ${planner}`);
  return engine;
}

describe.each(['hive', 'apollo'] as const)('planned by %s', (planner) => {
  it.each(Object.keys(GUARDED))(
    '%s is shown to those who may see it, and to no other',
    async (coordinate) => {
      expect((await wrongAnswers(engineOf(planner), coordinate, ASKERS, forbiddenTo)).slice(0, 3)).toEqual(
        [],
      );
    },
  );

  it.each(OPEN)('%s is shown to everybody', async (coordinate) => {
    expect((await wrongAnswers(engineOf(planner), coordinate, ASKERS, forbiddenTo)).slice(0, 3)).toEqual([]);
  });
});
