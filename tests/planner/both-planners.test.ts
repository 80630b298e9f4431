// Whichever planner plans an operation, a client gets one answer.
import { createLogger } from '@weft/core/logger';
import { createEngine, type GatewayEngine } from '@weft/gateway/execute/create-engine';
import type { PlannerName } from '@weft/gateway/plan/planner';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, composeOrThrow, engineOver } from '../gateway/library-gateway.ts';
import { type Library, startLibrary } from '../gateway/library-graph.ts';
import { QUERIES } from '../gateway/library-queries.ts';
import { type SubgraphServer, startSubgraph } from '../gateway/subgraph-server.ts';

const logger = createLogger('test', 'silent');
const engines = new Map<PlannerName, GatewayEngine>();
let library: Library;
beforeAll(async () => {
  library = await startLibrary();
  const supergraphSdl = composeOrThrow(library.all);
  for (const planner of ['apollo', 'hive'] as const)
    engines.set(planner, createEngine({ supergraphSdl, logger, planner }));
});
afterAll(async () => {
  await Promise.all([...engines.values()].map((engine) => engine.close()));
  await library?.close();
});

function engineOf(planner: PlannerName): GatewayEngine {
  const engine = engines.get(planner);
  if (engine === undefined) throw new Error(`no engine plans with ${planner}`);
  return engine;
}

describe('both planners', () => {
  it.each(QUERIES.map(([title, query, variables = {}]) => ({ title, query, variables })))(
    'give the same answer: $title',
    async ({ query, variables }) => {
      const data: unknown[] = [];
      for (const planner of engines.keys()) {
        const prepared = await engineOf(planner).prepare(query);
        expect(prepared).toMatchObject({ planner });
        const answer = await ask(engineOf(planner), query, variables);
        // A mutation shows the log that the one before it has written to.
        data.push(JSON.parse(JSON.stringify(answer.data).replace(/"log":\[[^\]]*\]/g, '"log":0')));
      }
      expect(data[0]).toEqual(data[1]);
    },
  );
});

const LINK = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9",
  import: ["@key", "@external", "@requires", "@shareable", "@override", "@context", "@fromContext"])
`;

describe('what only one planner knows', () => {
  let members: readonly SubgraphServer[] = [];
  let engine: GatewayEngine | undefined;
  beforeAll(async () => {
    members = await Promise.all([
      startSubgraph(
        'one',
        `${LINK} type Query { a: A } type A @key(fields: "id") @context(name: "ctx") { id: ID! unit: String! b: B! moved: Int }
        type B @key(fields: "id") { id: ID! text(unit: String @fromContext(field: "$ctx { unit }")): String }`,
        {},
      ),
      startSubgraph(
        'two',
        `${LINK} type Query { two: Int } type A @key(fields: "id") { id: ID! moved: Int @override(from: "one", label: "percent(0)") }`,
        {},
      ),
    ]);
    engine = engineOver(members);
  });
  afterAll(async () => {
    await engine?.close();
    await Promise.all(members.map((server) => server.close()));
  });

  it('is planned by it: fields that take arguments from a context', async () => {
    expect(await engine?.prepare('{ a { b { text } } }')).toMatchObject({ planner: 'apollo' });
    expect(await engine?.prepare('{ a { b { id } } }')).toMatchObject({ planner: 'hive' });
  });
});
