// Answers in parts as the engine gives them: what all parts make together, and which part waits for which system.

import type { GatewayEngine } from '@weft/gateway/execute/create-engine';
import { ANONYMOUS } from '@weft/gateway/identity/principal';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { engineOver, TRACE_ID } from './library-gateway.ts';
import { type Library, startLibrary } from './library-graph.ts';
import { type ClientPart, mergeParts } from './merge-parts.ts';
import { type SubgraphServer, startSubgraph } from './subgraph-server.ts';

let library: Library;
let engine: GatewayEngine;

beforeAll(async () => {
  library = await startLibrary();
  engine = engineOver(library.all);
  await engine.ready;
});
afterEach(() => {
  for (const server of library.all) server.fault = undefined;
});
afterAll(async () => {
  await engine?.close();
  await library?.close();
});

async function prepare(query: string) {
  const prepared = await engine.prepare(query);
  if ('errors' in prepared) throw new Error(JSON.stringify(prepared.errors));
  return prepared;
}

const context = () => ({
  signal: AbortSignal.timeout(20_000),
  traceId: TRACE_ID,
  principal: ANONYMOUS,
});

/** As a client reads them. */
async function partsOf(query: string, variables = {}): Promise<readonly ClientPart[]> {
  const result = await engine.executeIncrementally?.(await prepare(query), variables, context());
  if (result === undefined || !('initial' in result)) return [asClient(result)];
  const parts = [asClient(result.initial)];
  for await (const part of result.subsequent) parts.push(asClient(part));
  return parts;
}

function asClient(value: unknown): ClientPart {
  return JSON.parse(JSON.stringify(value)) as ClientPart;
}

describe('a deferred answer of very many parts', () => {
  const MANY = `type Query { items(count: Int!): [Item!]! } type Item { id: ID! name: String }`;
  let many: SubgraphServer;
  let large: GatewayEngine;

  beforeAll(async () => {
    many = await startSubgraph('many', MANY, {
      Query: {
        items: (_: unknown, { count }: { count: number }) =>
          Array.from({ length: count }, (_item, index) => ({ id: index, name: `item ${index}` })),
      },
    });
    large = engineOver([many], { aliasesMax: 200, rootFieldsMax: 200 });
    await large.ready;
  });
  afterAll(async () => {
    await large?.close();
    await many?.close();
  });

  async function ask(query: string) {
    const prepared = await large.prepare(query);
    if ('errors' in prepared) throw new Error(JSON.stringify(prepared.errors));
    return large.executeIncrementally?.(prepared, {}, context());
  }

  it('comes in pieces of 500 results, and other work has its turn between', async () => {
    const result = await ask('{ items(count: 1200) { id ... @defer { name } } }');
    if (result === undefined || !('subsequent' in result)) throw new Error('expected parts');
    const sizes: number[] = [];
    let turns = 0;
    const timer = setInterval(() => (turns += 1), 0);
    for await (const { incremental = [] } of result.subsequent) sizes.push(incremental.length);
    clearInterval(timer);
    expect(sizes).toEqual([500, 500, 200]);
    expect(turns).toBeGreaterThan(0);
  });

  it('ends with LIMIT_EXCEEDED after 20,000 results', async () => {
    const result = await ask('{ items(count: 20001) { id ... @defer(label: "n") { name } } }');
    if (result === undefined || !('subsequent' in result)) throw new Error('expected parts');
    let count = 0;
    let last: unknown;
    let hasNext = true;
    for await (const part of result.subsequent) {
      count += part.incremental?.length ?? 0;
      last = part.incremental?.at(-1);
      hasNext = part.hasNext;
    }
    expect(count).toBe(20_001);
    expect(hasNext).toBe(false);
    expect(asClient(last)).toMatchObject({
      label: 'n',
      path: ['items', 20_000],
      data: null,
      errors: [
        {
          path: ['items', 20_000],
          extensions: { code: 'LIMIT_EXCEEDED', limit: 'deferredResultsMax', max: 20_000 },
        },
      ],
    });
  });

  it('comes whole when fragments are spread to more than 100 places', async () => {
    const spread = (count: number) =>
      `{ ${Array.from({ length: count }, (_, index) => `a${index}: items(count: 1) { ...F }`).join(' ')} }
       fragment F on Item { id ... @defer { name } }`;
    expect(await ask(spread(100))).toHaveProperty('subsequent');
    const whole = await ask(spread(101));
    expect(whole).not.toHaveProperty('subsequent');
    expect(whole).toHaveProperty('data.a100', [{ id: '0', name: 'item 0' }]);
  });
});

describe('the parts of a deferred answer', () => {
  it.each([
    ['at one object', '{ me { name ... @defer { trust } ... @defer { books { title } } } }', 'books'],
    [
      'at the root',
      '{ me { name } ... @defer { ratings { stars } } ... @defer { media { title } } }',
      'media',
    ],
  ])('do not wait for one another without labels either, %s', async (_what, query, quick) => {
    await partsOf(query);
    library.rates.fault = { kind: 'delay', delayMs: 300 };
    const following = (await partsOf(query)).slice(1).flatMap(({ incremental }) => incremental?.[0]?.data);
    expect(following).toHaveLength(2);
    expect(following[0]).toHaveProperty(quick);
  });

  it.each([
    ['of objects whose types are not known', '{ seen { id ... @defer { views } } }'],
    ['of such objects under their interface', '{ seen { id ... on Medium @defer { title views } } }'],
    ['of such objects under one type', '{ seen { id ... on Book @defer { pages views } } }'],
    ['of interfaces', '{ media { title ... on Book @defer { average pages } ... @defer { views } } }'],
    [
      'of unions',
      '{ found(text: "") { ... on Medium @defer { title views } ... on Person @defer { books { id } } } }',
    ],
    ['of lists in lists', '{ shelf { id ... @defer { average ratings { stars } } } }'],
    ['of objects whose type is hidden', '{ secret { title ... @defer { views } } }'],
    ['in others', '{ me { name ... @defer { books { title ... @defer { average label } } } } }'],
    ['at the root', '{ me { name } ... @defer { ratings { stars of { ... @defer { title } } } } }'],
    [
      'of introspection',
      '{ me { name } ... @defer { __type(name: "Role") { enumValues { name } } __typename } }',
    ],
    ['spread twice', '{ a: me { ...F } b: me { ...F } } fragment F on Person { id ... @defer { trust } }'],
    ['of one object asked for twice', '{ me { name boss { id } ... @defer { boss { name } } } }'],
    ['under aliases that hide keys', '{ books { id: title ... @defer { weight: average title: pages } } }'],
    ['of nothing but a name', '{ me { ... @defer { __typename } } }'],
  ])('make the whole answer: fragments %s', async (_what, query) => {
    const whole = await engine.execute(await prepare(query), {}, context());
    const parts = await partsOf(query);
    expect(parts.length).toBeGreaterThan(1);
    expect(mergeParts(parts)).toEqual({ data: asClient(whole.data), errors: [] });
    expect(parts.map(({ hasNext }) => hasNext)).toEqual([...parts.slice(1).map(() => true), false]);
  });
});
