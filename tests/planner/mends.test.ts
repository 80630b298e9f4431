// What the planning libraries get wrong by themselves, both planners get right here.
import { createRequire } from 'node:module';
import { createLogger } from '@weft/core/logger';
import { createEngine, type GatewayEngine } from '@weft/gateway/execute/create-engine';
import type { PlannerName } from '@weft/gateway/plan/planner';
import { parse } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, ask, composeOrThrow } from '../gateway/library-gateway.ts';
import { type Shop, startShop } from './shop-graph.ts';

const PLANNERS: readonly PlannerName[] = ['apollo', 'hive'];

let shop: Shop;
let supergraphSdl: string;
const engines = new Map<PlannerName, GatewayEngine>();

beforeAll(async () => {
  shop = await startShop();
  supergraphSdl = composeOrThrow(shop.members);
  const logger = createLogger('test', 'silent');
  for (const planner of PLANNERS) engines.set(planner, createEngine({ supergraphSdl, logger, planner }));
});
afterAll(async () => {
  await Promise.all([...engines.values()].map((engine) => engine.close()));
  await shop?.close();
});

async function answerOf(planner: PlannerName, query: string, variables = {}): Promise<Answer> {
  const engine = engines.get(planner);
  if (engine === undefined) throw new Error(`no engine plans with ${planner}`);
  return ask(engine, query, variables);
}

const GOODS = (...goods: readonly unknown[]) => ({ data: { goods } });

describe.each(PLANNERS)('with the planner %s', (planner) => {
  it("keeps a client's own arguments apart from those of @requires", async () => {
    expect(await answerOf(planner, '{ goods { price(currency: "CNY") euros } }')).toEqual(
      GOODS({ price: 56, euros: '€7' }, { price: 112, euros: '€14' }),
    );
  });

  it('gives two fields that require one field with different arguments what each requires', async () => {
    expect(await answerOf(planner, '{ goods { euros dollars } }')).toEqual(
      GOODS({ euros: '€7', dollars: '$8' }, { euros: '€14', dollars: '$16' }),
    );
  });

  it('does all of it at once, under aliases of the client', async () => {
    const query =
      '{ good { price: name a: price(currency: "CNY") b: price(currency: "USD") dollars parcel x: euros } }';
    expect(await answerOf(planner, query)).toEqual({
      data: { good: { price: '货1', a: 56, b: 8, dollars: '$8', parcel: '3kg €7', x: '€7' } },
    });
  });

  it('keeps fields of different conditions apart', async () => {
    const query = 'query ($w: Boolean!) { goods { heavy @include(if: $w) euros @skip(if: $w) dollars } }';
    expect(await answerOf(planner, query, { w: true })).toEqual(
      GOODS({ heavy: true, dollars: '$8' }, { heavy: false, dollars: '$16' }),
    );
    expect(await answerOf(planner, query, { w: false })).toEqual(
      GOODS({ euros: '€7', dollars: '$8' }, { euros: '€14', dollars: '$16' }),
    );
  });

  it('does not lose a field for what another one requires under a condition', async () => {
    const query = 'query ($w: Boolean!) { goods { heavy @include(if: $w) dollars note } }';
    expect(await answerOf(planner, query, { w: false })).toEqual(
      GOODS({ dollars: '$8', note: '1' }, { dollars: '$16', note: '2' }),
    );
    const nested = 'query ($w: Boolean!) { goods { ... on Good @skip(if: $w) { parcel } note } }';
    expect(await answerOf(planner, nested, { w: true })).toEqual(GOODS({ note: '1' }, { note: '2' }));
  });

  it.each(['{ labelled { label } }', '{ labelled { label number: code } }'])(
    'enters a system by a key that it can be entered by, and sends no other: %s',
    async (query) => {
      shop.labels.requests.length = 0;
      const { data, errors } = await answerOf(planner, query);
      expect(errors).toBeUndefined();
      expect(data).toMatchObject({ labelled: [{ label: 'a/40' }] });
      const sent = shop.labels.requests.flatMap(({ variables }) => Object.values(variables)).flat();
      expect(sent).toEqual([{ __typename: 'Box', code: 'a', size: 40 }]);
    },
  );

  it('gives a client what it asks for under the name of a field that @requires needs', async () => {
    expect(await answerOf(planner, '{ goods { weight: name heavy id: weight } }')).toEqual(
      GOODS({ weight: '货1', heavy: true, id: 3 }, { weight: '货2', heavy: false, id: null }),
    );
  });

  it('sends nothing for root fields that variables exclude', async () => {
    for (const server of shop.members) server.requests.length = 0;
    const query =
      'query ($a: Boolean!, $b: Boolean!) { good @include(if: $a) { name } boxes @skip(if: $b) { size } }';
    expect(await answerOf(planner, query, { a: false, b: true })).toEqual({ data: {} });
    expect(shop.members.flatMap(({ requests }) => requests)).toEqual([]);
    expect(await answerOf(planner, query, { a: true, b: true })).toEqual({ data: { good: { name: '货1' } } });
  });
});

describe('without the mends', () => {
  const fromGateway = createRequire(new URL('../../gateway/package.json', import.meta.url));
  const { operationFromDocument, Supergraph } = fromGateway('@apollo/federation-internals');
  const { QueryPlanner } = fromGateway('@apollo/query-planner');
  const planned = (query: string): string => {
    const supergraph = Supergraph.build(supergraphSdl);
    const operation = operationFromDocument(supergraph.apiSchema(), parse(query));
    return JSON.stringify(new QueryPlanner(supergraph, {}).buildQueryPlan(operation));
  };

  it("Apollo's planner takes one argument for another, which is why they are kept apart", () => {
    expect(planned('{ goods { price(currency: "CNY") euros } }')).not.toContain('EUR');
    expect(planned('{ goods { euros dollars } }').match(/EUR|USD/g)).toHaveLength(1);
  });

  it("Apollo's planner sends a key that cannot be entered by, which is why such keys are taken away", () => {
    const back = planned('{ labelled { label } }').split('"serviceName":"labels"').at(-1);
    expect(back).toContain('"name":"number"');
    expect(back).not.toContain('"name":"code"');
  });
});
