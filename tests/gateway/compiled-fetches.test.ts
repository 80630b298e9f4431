// What a compiled operation asks of its subgraphs: entity fetches to one subgraph in one request, nothing known asked again, good answers never gone through twice.
import { createLogger } from '@weft/core/logger';
import { createEngine, type GatewayEngine } from '@weft/gateway/execute/create-engine';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ask, composeOrThrow } from './library-gateway.ts';
import { type SubgraphServer, startSubgraph } from './subgraph-server.ts';

const LINK = `extend schema
  @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@external", "@requires", "@shareable"])`;
const SHOP = `${LINK}
type Query { shirts: [Shirt!]! featured: Shirt slow: Maker things: [Thing] }
union Thing = Shirt | Maker
type Mutation { restock(id: ID!): Shirt }
type Shirt @key(fields: "id") { id: ID! name: String price: Int maker: Maker }
type Maker @key(fields: "id") { id: ID! }`;
const MAKERS = `${LINK}
type Query { makers: [Maker!]! }
type Maker @key(fields: "id") { id: ID! town: String best: Shirt }
type Shirt @key(fields: "id") { id: ID! }`;
const STOCK = `${LINK}
type Query { version: Int }
type Shirt @key(fields: "id") { id: ID! price: Int @external left: Int parcel: Parcel cost: Int @requires(fields: "price") }
type Parcel { size: Int tags: [Tag] }
type Tag { text: String }`;

const SHIRTS = ['1', '2', '3'].map((id) => ({
  id,
  name: `shirt ${id}`,
  price: Number(id) * 10,
  maker: { id: 'm' },
}));
const byId = (id: string) => SHIRTS.find((shirt) => shirt.id === id) ?? null;

describe.each(['apollo', 'hive'] as const)('a compiled operation planned by %s', (planner) => {
  let shop: SubgraphServer;
  let makers: SubgraphServer;
  let stock: SubgraphServer;
  let engine: GatewayEngine;
  let slowCompletions = 0;

  beforeAll(async () => {
    shop = await startSubgraph('shop', SHOP, {
      Query: {
        shirts: () => SHIRTS,
        featured: () => SHIRTS[0],
        slow: () => ({ id: 'm' }),
        things: () => [{ ...SHIRTS[1], __typename: 'Shirt' }, null, { id: 'm', __typename: 'Maker' }],
      },
      Mutation: { restock: (_: unknown, { id }: { id: string }) => byId(id) },
      Shirt: { __resolveReference: ({ id }: { id: string }) => byId(id) },
    });
    makers = await startSubgraph('makers', MAKERS, {
      Query: { makers: () => [{ id: 'm' }] },
      Maker: { town: () => '上海', best: () => ({ id: '2' }) },
    });
    stock = await startSubgraph('stock', STOCK, {
      Query: { version: () => 1 },
      Shirt: {
        left: ({ id }: { id: string }) => Number(id) + 1,
        cost: ({ price }: { price: number }) => price / 2,
        parcel: ({ id }: { id: string }) => ({ size: Number(id), tags: [{ text: `t${id}` }, null] }),
      },
    });
    engine = createEngine({
      supergraphSdl: composeOrThrow([shop, makers, stock]),
      logger: createLogger('test', 'silent'),
      planner,
      onSlowCompletion: () => {
        slowCompletions += 1;
      },
    });
  });
  beforeEach(() => {
    slowCompletions = 0;
    for (const server of [shop, makers, stock]) {
      server.fault = undefined;
      server.requests.length = 0;
    }
  });
  afterAll(async () => {
    await engine?.close();
    for (const server of [shop, makers, stock]) await server?.close();
  });

  const counts = () => [shop, makers, stock].map((server) => server.requests.length);

  it('asks one subgraph about entities of several places in one request', async () => {
    const answer = await ask(
      engine,
      '{ shirts { left cost } featured { id left maker { best { left parcel { size } } } } }',
    );
    expect(answer).toEqual({
      data: {
        shirts: [10, 20, 30].map((price, index) => ({ left: index + 2, cost: price / 2 })),
        featured: { id: '1', left: 2, maker: { best: { left: 3, parcel: { size: 2 } } } },
      },
    });
    expect(stock.requests.length).toBe(1);
    const { variables } = stock.requests[0] ?? { variables: {} };
    for (const list of Object.values(variables)) {
      const texts = (list as unknown[]).map((one) => JSON.stringify(one));
      expect(new Set(texts).size).toBe(texts.length);
    }
    expect(slowCompletions).toBe(0);
  });

  it('asks what an object is only where it may be of several types', async () => {
    const known = await ask(engine, '{ shirts { __typename left maker { type: __typename id town } } }');
    expect(known.data).toEqual({
      shirts: [2, 3, 4].map((left) => ({
        __typename: 'Shirt',
        left,
        maker: { type: 'Maker', id: 'm', town: '上海' },
      })),
    });
    expect(shop.requests.map(({ query }) => /[^:] __typename/.test(query))).toEqual([false]);
    expect(makers.requests[0]?.variables.representations).toEqual([{ __typename: 'Maker', id: 'm' }]);
    await ask(engine, '{ things { ... on Shirt { left } } }');
    expect(shop.requests.at(-1)?.query).toContain('__typename');
    expect(slowCompletions).toBe(0);
  });

  it('tells apart, in one request, objects of a known type and those that say what they are', async () => {
    const answer = await ask(
      engine,
      '{ shirts { left } things { ... on Shirt { id left } ... on Maker { best { left } } } }',
    );
    expect(answer).toEqual({
      data: {
        shirts: [2, 3, 4].map((left) => ({ left })),
        things: [{ id: '2', left: 3 }, null, { best: { left: 3 } }],
      },
    });
    expect(stock.requests.length).toBe(1);
    for (const list of Object.values(stock.requests[0]?.variables ?? {}) as unknown[][])
      for (const one of list) expect(one).toMatchObject({ __typename: 'Shirt' });
    expect(slowCompletions).toBe(0);
  });

  it('takes a field of an entity from what the same subgraph answered already', async () => {
    const answer = await ask(engine, '{ shirts { id name maker { best { again: name } } } }');
    expect(answer.data).toEqual({
      shirts: ['1', '2', '3'].map((id) => ({
        id,
        name: `shirt ${id}`,
        maker: { best: { again: 'shirt 2' } },
      })),
    });
    expect(counts()).toEqual([1, 1, 0]);
  });

  it('takes a field that requires others from what was asked with the same, and asks meanwhile', async () => {
    const answer = await ask(engine, '{ shirts { cost maker { best { cost } } } }');
    expect(answer.data).toEqual({
      shirts: [5, 10, 15].map((cost) => ({ cost, maker: { best: { cost: 10 } } })),
    });
    expect(counts()).toEqual([1, 1, 1]);
    const lists = Object.values(stock.requests[0]?.variables ?? {}) as unknown[][];
    expect(lists.map((list) => list.length)).toEqual([3]);
  });

  // A machine that is busy for longer than is waited makes it ask again, and rightly.
  it('waits for what is under way and brings the same', { retry: 5 }, async () => {
    const query = '{ shirts { cost maker { best { cost } } } }';
    // Warm: a first answer may take longer than is waited.
    await ask(engine, query);
    for (const server of [shop, makers, stock]) server.requests.length = 0;
    stock.fault = { kind: 'delay', delayMs: 30 };
    await ask(engine, query);
    expect(counts()).toEqual([1, 1, 1]);
  });

  it('does not wait long for what is under way: a system that hangs is asked once more', async () => {
    stock.fault = { kind: 'delay', delayMs: 400 };
    const answer = await ask(engine, '{ shirts { cost maker { best { cost } } } }');
    expect(answer.errors).toBeUndefined();
    expect(counts()).toEqual([1, 1, 2]);
  });

  it('asks for an entity that it does not know, and for no other', async () => {
    await ask(engine, '{ featured { id name } makers { best { name } } }');
    const entities = shop.requests.flatMap(({ variables }) => variables.representations ?? []);
    expect(entities).toEqual([{ __typename: 'Shirt', id: '2' }]);
  });

  it('asks again for what it knows only from before a change', async () => {
    const answer = await ask(engine, 'mutation { restock(id: "2") { id name maker { best { name } } } }');
    expect(answer.data).toEqual({
      restock: { id: '2', name: 'shirt 2', maker: { best: { name: 'shirt 2' } } },
    });
    expect(counts()).toEqual([2, 1, 0]);
  });

  it('takes nothing from a fetch that had an error', async () => {
    shop.fault = {
      kind: 'rewrite',
      rewrite: (body) =>
        body.includes('shirts')
          ? body.replace(/}$/, ',"errors":[{"message":"half","path":["shirts",0,"price"]}]}')
          : body,
    };
    const answer = await ask(engine, '{ shirts { id name price maker { best { name } } } }');
    expect(answer.errors).toMatchObject([{ message: 'half', path: ['shirts', 0, 'price'] }]);
    expect(counts()).toEqual([2, 1, 0]);
  });

  it('gives each place an object of its own, however often an entity comes', async () => {
    const answer = await ask(
      engine,
      '{ shirts { parcel { size tags { text } } maker { best { parcel { tags { text } } } } } }',
    );
    const tags = [{ text: 't2' }, null];
    expect(answer.data).toMatchObject({
      shirts: [1, 2, 3].map((size) => ({ parcel: { size }, maker: { best: { parcel: { tags } } } })),
    });
  });

  it('asks each call alone when one of them takes the whole answer along', async () => {
    const query = '{ shirts { left } featured { maker { best { cost } } } }';
    await ask(engine, query);
    const merged = stock.requests.filter(({ query: text }) => text.includes('_e1')).length;
    stock.requests.length = 0;
    stock.fault = {
      kind: 'rewrite',
      rewrite: (body) => (body.includes('_e0') ? '{"data":null,"errors":[{"message":"all is lost"}]}' : body),
    };
    const answer = await ask(engine, query);
    expect(answer).toEqual({
      data: {
        shirts: [2, 3, 4].map((left) => ({ left })),
        featured: { maker: { best: { cost: 10 } } },
      },
    });
    expect(merged).toBe(1);
    expect(stock.requests.length).toBe(3);
  });

  it('does not lose a field that needs the key alone with one whose requirement never came', async () => {
    const query = '{ makers { best { left cost } } }';
    expect((await ask(engine, query)).data).toEqual({ makers: [{ best: { left: 3, cost: 10 } }] });
    shop.fault = { kind: 'status', status: 503, body: '' };
    const answer = await ask(engine, query);
    expect(answer.data).toEqual({ makers: [{ best: { left: 3, cost: null } }] });
    expect(answer.errors).toMatchObject([{ path: ['makers', 0, 'best'], extensions: { system: 'shop' } }]);
  });

  it('names the path of every place that an entity with an error stands at', async () => {
    stock.fault = {
      kind: 'rewrite',
      rewrite: () => '{"data":null,"errors":[{"message":"shut"}]}',
    };
    const answer = await ask(engine, '{ shirts { left } featured { left } }');
    expect(answer.errors?.map(({ path }) => path).toSorted()).toEqual([
      ['featured', 'left'],
      ['shirts', 0, 'left'],
      ['shirts', 1, 'left'],
      ['shirts', 2, 'left'],
    ]);
  });

  it('does not wait long for a slow system before it asks another what can be asked already', async () => {
    makers.fault = { kind: 'silent' };
    const controller = new AbortController();
    const answering = ask(engine, '{ shirts { left maker { best { left } } } }', {}, controller.signal);
    await expect.poll(() => stock.requests.length, { timeout: 2_000 }).toBe(1);
    controller.abort();
    const codes = (await answering).errors?.map(({ extensions }) => extensions.code);
    expect(new Set(codes)).toEqual(new Set(['CANCELLED']));
  });
});
