// Progressive `@override`: a field moves from one system to another by share, or by a name that the operator switches on.
import { createLogger } from '@weft/core/logger';
import { createEngine, type GatewayEngine } from '@weft/gateway/execute/create-engine';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, composeOrThrow } from './library-gateway.ts';
import { type SubgraphServer, startSubgraph } from './subgraph-server.ts';

const LINK = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@override"])
`;
const OLD = `${LINK} type Query { lamp: Lamp }
type Lamp @key(fields: "id") { id: ID! never: String always: String half: String named: String }`;
const NEW = `${LINK} type Query { moved: String }
type Lamp @key(fields: "id") { id: ID!
  never: String @override(from: "old", label: "percent(0)")
  always: String @override(from: "old", label: "percent(100)")
  half: String @override(from: "old", label: "percent(50)")
  named: String @override(from: "old", label: "move-lamps")
}`;
const ASKED = 300;

describe('a field that moves by a label', () => {
  let members: readonly SubgraphServer[] = [];
  let supergraphSdl: string;
  const engines: GatewayEngine[] = [];
  const engineWith = (overrideLabels: readonly string[]) => {
    const engine = createEngine({ supergraphSdl, overrideLabels, logger: createLogger('test', 'silent') });
    engines.push(engine);
    return engine;
  };
  beforeAll(async () => {
    const lampOf = (name: string) => ({ id: '1', never: name, always: name, half: name, named: name });
    members = await Promise.all([
      startSubgraph('old', OLD, {
        Query: { lamp: () => lampOf('old') },
        Lamp: { __resolveReference: () => lampOf('old') },
      }),
      startSubgraph('new', NEW, { Lamp: { __resolveReference: () => lampOf('new') } }),
    ]);
    supergraphSdl = composeOrThrow(members);
  });
  afterAll(async () => {
    await Promise.all(engines.map((engine) => engine.close()));
    await Promise.all(members.map((member) => member.close()));
  });

  it('is answered by the old system at 0 percent and under a name that is off, by the new one at 100', async () => {
    expect(await ask(engineWith([]), '{ lamp { never always named } }')).toEqual({
      data: { lamp: { never: 'old', always: 'new', named: 'old' } },
    });
  });

  it('is answered by the new system under a name that is on', async () => {
    const engine = engineWith(['move-lamps', 'another']);
    expect(await ask(engine, '{ lamp { never named } }')).toEqual({
      data: { lamp: { never: 'old', named: 'new' } },
    });
  });

  it('is answered by each for its share of the operations, one field by one system within each', async () => {
    const engine = engineWith([]);
    const by = { old: 0, new: 0 };
    for (let n = 0; n < ASKED; n += 1) {
      const { data } = await ask(engine, '{ lamp { half again: half } }');
      const lamp = data?.lamp as { readonly half: 'old' | 'new'; readonly again: string };
      expect(lamp.again).toBe(lamp.half);
      by[lamp.half] += 1;
    }
    // Beyond it in one of a million runs.
    expect(by.new).toBeGreaterThan(ASKED * 0.35);
    expect(by.new).toBeLessThan(ASKED * 0.65);
  });
});
