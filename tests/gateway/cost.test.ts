// Costs as a client meets them: estimated before anything is planned or asked, refused above the maximum, counted afterwards.

import { createLogger } from '@weft/core/logger';
import { createEngine, type GatewayEngine } from '@weft/gateway/execute/create-engine';
import { ANONYMOUS } from '@weft/gateway/identity/principal';
import { ENGINE_LIMITS, type EngineLimits } from '@weft/gateway/limits';
import { buildEngine } from '@weft/gateway/reload/build-engine';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { composeOrThrow, TRACE_ID } from './library-gateway.ts';
import { type SubgraphServer, startSubgraph } from './subgraph-server.ts';

const RENAMED = '{ name: "@cost", as: "@price" }, { name: "@listSize", as: "@length" }';

function sdlWith(imports: string, cost: string, listSize: string): string {
  return `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", ${imports}])
    type Query {
      one: Thing
      plain: [Thing]
      sized(first: Int = 5, last: Int): [Thing] ${listSize}(slicingArguments: ["first", "last"])
      free(first: Int): [Thing] ${listSize}(slicingArguments: ["first"], requireOneSlicingArgument: false, assumedSize: 7)
      strict(first: Int, last: Int): [Thing] ${listSize}(slicingArguments: ["first", "last"])
      page(first: Int!): Page ${listSize}(slicingArguments: ["first"], sizedFields: ["edges"])
      search(filter: Filter, exact: String ${cost}(weight: 4)): Thing
      dear: Int ${cost}(weight: 20)
      any: [Any] ${listSize}(assumedSize: 2)
    }
    type Mutation { change: Thing }
    type Page { edges: [Thing] total: Int }
    union Any = Thing | Gold
    input Filter { text: String ${cost}(weight: 3) and: [Filter!] }
    type Thing @key(fields: "id") { id: ID! name: String part: Thing }
    type Gold ${cost}(weight: 5) { id: ID! }`;
}

const things = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ id: `${index}`, name: 'n' }));

describe.each([
  ['imported', '"@cost", "@listSize"', '@cost', '@listSize'],
  ['renamed', RENAMED, '@price', '@length'],
])('an operation on a graph with costs, %s', (_how, imports, cost, listSize) => {
  let server: SubgraphServer;
  let engine: GatewayEngine;
  const limits: Partial<EngineLimits> = { costMax: 1_000 };

  beforeAll(async () => {
    server = await startSubgraph('costly', sdlWith(imports, cost, listSize), {
      Query: {
        one: () => ({ id: '1' }),
        plain: () => things(3),
        sized: (_: unknown, { first }: { first: number }) => things(Math.min(first, 4)),
        any: () => [{ __typename: 'Gold', id: '1' }],
        page: (_: unknown, { first }: { first: number }) => ({ edges: things(first), total: first }),
      },
      Mutation: { change: () => ({ id: '1' }) },
      Thing: { part: () => ({ id: 'p' }) },
      Any: { __resolveType: () => 'Gold' },
    });
    engine = createEngine({
      supergraphSdl: composeOrThrow([server]),
      logger: createLogger('test', 'silent'),
      limits,
    });
    await engine.ready;
  });
  afterAll(async () => {
    await engine?.close();
    await server?.close();
  });

  async function costOf(query: string) {
    const prepared = await engine.prepare(query);
    if ('errors' in prepared) throw prepared.errors[0];
    if (prepared.cost === undefined) throw new Error('no cost');
    return { prepared, cost: prepared.cost };
  }

  const run = async (query: string, variables = {}) => {
    const { prepared, cost: reckoned } = await costOf(query);
    const context = { signal: AbortSignal.timeout(10_000), traceId: TRACE_ID, principal: ANONYMOUS };
    const result = await engine.execute(prepared, variables, context);
    return { result, reckoned };
  };

  it.each([
    ['an object', '{ one { id name } }', {}, 1],
    ['objects in each other', '{ one { part { part { id } } } }', {}, 3],
    ['a list of which nothing is said', '{ plain { id } }', {}, 10],
    ['a list in a list', '{ plain { part { id } } }', {}, 20],
    ['a slicing argument', '{ sized(first: 3) { id } }', {}, 3],
    ['a slicing argument of the schema', '{ sized { id } }', {}, 5],
    ['a slicing argument in a variable', 'query ($n: Int) { sized(first: $n) { id } }', { n: 8 }, 8],
    ['a variable with a default', 'query ($n: Int = 6) { sized(first: $n) { id } }', {}, 6],
    ['a list without a slicing argument', '{ free { id } }', {}, 7],
    ['fields that are the list', '{ page(first: 4) { total edges { id } } }', {}, 5],
    ['a weight of a field', '{ dear }', {}, 20],
    ['a weight of an argument', '{ search(exact: "x") { id } }', {}, 5],
    ['input objects', '{ search(filter: { text: "x", and: [{ text: "y" }, {}] }) { id } }', {}, 10],
    [
      'input objects in a variable',
      'query ($f: Filter) { search(filter: $f) { id } }',
      { f: { and: [{}] } },
      3,
    ],
    [
      'the dearest of several types',
      '{ any { ... on Thing { id part { id } } ... on Gold { id } } }',
      {},
      12,
    ],
    ['a mutation', 'mutation { change { id } }', {}, 11],
    ['what is skipped', 'query ($b: Boolean!) { one { id } dear @include(if: $b) }', { b: false }, 1],
    ['what is spread', '{ one { ...F } } fragment F on Thing { part { id } }', {}, 2],
    ['introspection', '{ __schema { types { name } } }', {}, 0],
  ])('is estimated for %s', async (_what, query, variables, expected) => {
    expect((await costOf(query)).cost.estimate(variables)).toBe(expected);
  });

  it('is refused before it is planned when no variables could make it cheap enough', async () => {
    server.requests.length = 0;
    for (const query of [
      '{ sized(first: 2147483647) { id } }',
      '{ plain { id part { id } } a: sized(first: 990) { id } }',
    ]) {
      const prepared = await engine.prepare(query);
      expect(prepared).toMatchObject({
        errors: [
          {
            message: expect.stringMatching(/estimated to cost \d+; the most is 1000\./),
            extensions: {
              code: 'LIMIT_EXCEEDED',
              limit: 'costMax',
              max: 1_000,
              estimate: expect.any(Number),
            },
          },
        ],
      });
    }
    expect(server.requests).toHaveLength(0);
  });

  it('is refused before anyone is asked when its variables make it too dear', async () => {
    const query = 'query ($n: Int) { sized(first: $n) { id } }';
    server.requests.length = 0;
    const { result } = await run(query, { n: 1_001 });
    expect(result).toMatchObject({
      errors: [{ extensions: { code: 'LIMIT_EXCEEDED', limit: 'costMax', estimate: 1_001 } }],
    });
    expect(result.data).toBeUndefined();
    expect(server.requests).toHaveLength(0);
    expect((await run(query, { n: 2 })).result.data).toEqual({ sized: [{ id: '0' }, { id: '1' }] });
  });

  it('says how long a list is with exactly one argument where it has to', async () => {
    for (const query of ['{ strict { id } }', '{ strict(first: 1, last: 1) { id } }'])
      expect(await engine.prepare(query)).toMatchObject({
        errors: [{ extensions: { code: 'BAD_USER_INPUT' } }],
      });
    expect((await run('query ($n: Int) { strict(first: $n) { id } }')).result).toMatchObject({
      errors: [{ extensions: { code: 'BAD_USER_INPUT' } }],
    });
  });

  it.each([
    ['{ sized(first: 9) { id part { id } } }', 9 * 2, 4 * 2],
    ['{ page(first: 3) { edges { id } } }', 4, 4],
    ['mutation { change { id } }', 11, 11],
    ['{ any { ... on Gold { id } } }', 10, 5],
  ])('is counted in its answer: %s', async (query, estimate, actual) => {
    const { result, reckoned } = await run(query);
    expect(reckoned.estimate({})).toBe(estimate);
    expect(reckoned.actual(result.data)).toBe(actual);
  });
});

describe('a supergraph with costs', () => {
  it('is served, although it names a purpose', async () => {
    const server = await startSubgraph('costly', sdlWith('"@cost", "@listSize"', '@cost', '@listSize'), {});
    const composed = composeOrThrow([server]);
    expect(composed).toContain('specs.apollo.dev/cost/v0.1');
    const supergraphSdl = composed.replace(
      'specs.apollo.dev/cost/v0.1"',
      'specs.apollo.dev/cost/v0.1", for: EXECUTION',
    );
    const logger = createLogger('test', 'silent');
    const loaded = { supergraphSdl, subgraphUrls: {}, hash: 'x', origin: 'x' };
    const { engine } = await buildEngine(loaded as never, { config: {}, logger, limits: ENGINE_LIMITS });
    await engine.close();
    await server.close();
  });
});
