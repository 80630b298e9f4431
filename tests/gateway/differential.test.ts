// Our executor's answers equal those of @apollo/gateway on the same supergraph and the same running subgraphs.

import { createRequire } from 'node:module';
import { createLogger } from '@weft/core/logger';
import { createEngine, type GatewayEngine } from '@weft/gateway/execute/create-engine';
import { ANONYMOUS } from '@weft/gateway/identity/principal';
import { compose } from '@weft/schema/compose';
import { type DocumentNode, parse } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Library, startLibrary } from './library-graph.ts';
import { QUERIES } from './library-queries.ts';

interface ReferenceResult {
  readonly data?: unknown;
  readonly errors?: readonly { readonly path?: readonly (string | number)[] | undefined }[] | undefined;
}
interface ReferenceGateway {
  load(): Promise<{ executor(context: unknown): Promise<ReferenceResult> }>;
  stop(): Promise<void>;
}
const fromGateway = createRequire(new URL('../../gateway/package.json', import.meta.url));
const { ApolloGateway } = fromGateway('@apollo/gateway') as {
  ApolloGateway: new (options: { supergraphSdl: string; logger: object }) => ReferenceGateway;
};

describe('the executor against @apollo/gateway', () => {
  let library: Library;
  let engine: GatewayEngine;
  let reference: ReferenceGateway;
  let executor: Awaited<ReturnType<ReferenceGateway['load']>>['executor'];

  beforeAll(async () => {
    library = await startLibrary();
    const composition = compose(library.all);
    if (composition.errors !== undefined) throw new Error(JSON.stringify(composition.errors));
    const { supergraphSdl } = composition;
    engine = createEngine({ supergraphSdl, logger: createLogger('test', 'silent') });
    const silent = { debug() {}, info() {}, warn() {}, error() {} };
    reference = new ApolloGateway({ supergraphSdl, logger: silent });
    ({ executor } = await reference.load());
  });
  afterAll(async () => {
    await engine?.close();
    await reference?.stop();
    await library?.close();
  });

  async function askReference(query: string, variables: Record<string, unknown>): Promise<ReferenceResult> {
    const document: DocumentNode = parse(query);
    return executor({
      request: { query, variables },
      document,
      source: query,
      operationName: null,
      operation: document.definitions.find((node) => node.kind === 'OperationDefinition'),
      queryHash: query,
      context: {},
      logger: { debug() {}, info() {}, warn() {}, error() {} },
      schema: engine.schema,
      cache: undefined,
      metrics: {},
      overallCachePolicy: { maxAge: 0 },
    });
  }

  const plain = (value: unknown) => JSON.parse(JSON.stringify(value ?? null));

  it.each(QUERIES.map(([title, query, variables = {}]) => ({ title, query, variables })))(
    'gives the same answer: $title',
    async ({ query, variables }) => {
      const prepared = await engine.prepare(query);
      if ('errors' in prepared) throw prepared.errors[0];
      const context = {
        signal: AbortSignal.timeout(10_000),
        traceId: 'a'.repeat(32),
        principal: ANONYMOUS,
      };
      const ask = [
        () => engine.execute(prepared, variables, context),
        () => askReference(query, variables),
      ] as const;
      // One after the other: mutations write into a log that their answers show.
      const ours = await ask[0]();
      const isMutation = prepared.kind === 'mutation';
      const theirs = await ask[1]();
      const strip = (data: unknown) =>
        isMutation
          ? JSON.parse(JSON.stringify(plain(data)).replace(/"log":\[[^\]]*\]/g, '"log":0'))
          : plain(data);
      expect(strip(ours.data)).toEqual(strip(theirs.data));
      const paths = (result: ReferenceResult) =>
        (result.errors ?? []).map((error) => error.path).filter((path) => path !== undefined);
      for (const path of paths(theirs)) expect(paths(ours)).toContainEqual(path);
      // Keys in the order of the selection, on every level.
      expect(JSON.stringify(strip(ours.data))).toBe(JSON.stringify(strip(theirs.data)));
    },
  );

  // Here the library is no judge: it fetches the key under the client's alias, or the aliased field as the key.
  it('gives a client what it asks for under the name of a key', async () => {
    const query =
      '{ books { id: title title: id k: __typename average } me { id: name name: id address { street } } }';
    const prepared = await engine.prepare(query);
    if ('errors' in prepared) throw prepared.errors[0];
    const context = { signal: AbortSignal.timeout(10_000), traceId: 'a'.repeat(32), principal: ANONYMOUS };
    expect(plain((await engine.execute(prepared, {}, context)).data)).toEqual({
      books: [
        { id: '水浒传', title: 'b1', k: 'Book', average: 4.5 },
        { id: '红楼梦', title: 'b2', k: 'Book', average: 4.5 },
        { id: '西游记', title: 'b3', k: 'Book', average: null },
      ],
      me: { id: '甲', name: '1', address: { street: '1号' } },
    });
  });

  // The library leaves an entity out altogether when one field's requirement is excluded, and so loses the other field.
  it('answers each field whose own requirement is there, whatever conditions others are under', async () => {
    const prepared = await engine.prepare(
      'query ($a: Boolean!, $b: Boolean!) { books { ... on Book @include(if: $a) { average postage @skip(if: $b) label @include(if: $b) } ... @skip(if: $a) { author { address { street @include(if: $b) } } } } }',
    );
    if ('errors' in prepared) throw prepared.errors[0];
    const ask = async (a: boolean, b: boolean) => {
      const context = {
        signal: AbortSignal.timeout(10_000),
        traceId: 'a'.repeat(32),
        principal: ANONYMOUS,
      };
      return plain((await engine.execute(prepared, { a, b }, context)).data);
    };
    const books = (...each: readonly unknown[]) => ({ books: each });
    expect(await ask(true, false)).toEqual(
      books({ average: 4.5, postage: 800 }, { average: 4.5, postage: null }, { average: null, postage: 700 }),
    );
    expect(await ask(true, true)).toEqual(
      books(
        { average: 4.5, label: '800/900' },
        { average: 4.5, label: 'null/1200' },
        { average: null, label: '700/null' },
      ),
    );
    expect(await ask(false, true)).toEqual(
      books(
        { author: { address: { street: '1号' } } },
        { author: { address: { street: '2号' } } },
        { author: null },
      ),
    );
  });
});
