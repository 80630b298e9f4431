// Our executor's answers equal those of @apollo/gateway on the same supergraph and the same running subgraphs.
import { createRequire } from 'node:module';
import { createLogger } from '@weft/core/logger';
import { createEngine, type GatewayEngine } from '@weft/gateway/execute/create-engine';
import { compose } from '@weft/schema/compose';
import { type DocumentNode, parse } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Library, startLibrary } from './library-graph.ts';

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

const QUERIES: readonly (readonly [title: string, query: string, variables?: Record<string, unknown>])[] = [
  ['one system', '{ me { id name role boss { name } } }'],
  [
    'aliases of fields and arguments',
    '{ a: people(first: 1) { n: name i: id } b: people(first: 3) { name: id id: name } }',
  ],
  ['an entity of two systems', '{ people { name books { title } trust2: address { street lines } } }'],
  [
    'named and inline fragments',
    'query { me { ...P ... on Person { address { ...A } } } } fragment P on Person { name boss { ...Q } } fragment Q on Person { books { id } } fragment A on Address { street }',
  ],
  [
    'an interface',
    '{ media { __typename id title ... on Book { pages postage average } ... on Film { director { name address { street } } } } }',
  ],
  [
    'a union',
    '{ found(text: "x") { __typename ... on Person { name books { title } } ... on Book { title label } ... on Film { minutes } } }',
  ],
  ['lists of lists with entity fields', '{ shelf { id postage ratings { stars of { title } } } }'],
  ['@requires', '{ books { id postage slow: postage(express: true) label } }'],
  ['@provides', '{ books { author { name } } }'],
  ['nulls in lists of entities', '{ books { lentTo { name address { street } } } }'],
  ['a null entity', '{ nobody { name address { street } } books { average } }'],
  [
    'skip and include by variable',
    'query ($yes: Boolean!, $no: Boolean = false) { me { id name @include(if: $no) books @include(if: $yes) { title @skip(if: $no) } address @skip(if: $yes) { street } } people @include(if: $no) { id } }',
    { yes: true },
  ],
  [
    'skip and include in fragments over two systems',
    'query ($a: Boolean!) { media { ... @include(if: $a) { title } ... on Book @skip(if: $a) { postage } ... on Book @include(if: $a) { average } } }',
    { a: true },
  ],
  [
    'include by literals',
    '{ me { id @include(if: false) name @skip(if: false) } people @skip(if: true) { id } }',
  ],
  [
    'variables that reach a system',
    'query ($ids: [ID!], $x: Boolean) { books(ids: $ids) { id postage(express: $x) } }',
    { ids: ['b1', 'b3'], x: true },
  ],
  ['a default of a variable', 'query ($ids: [ID!] = ["b2"]) { books(ids: $ids) { title } }'],
  [
    'fields of one entity asked twice and merged',
    '{ me { books { id } books { title ratings { stars } } } }',
  ],
  [
    'entities that several places share',
    '{ ratings { stars of { title author { name address { street } } ratings { of { title } } } } }',
  ],
  ['typename everywhere', '{ __typename me { __typename books { __typename } } }'],
  ['an alias of typename', '{ found(text: "") { kind: __typename } media { t: __typename title } }'],
  [
    'mutations in their order, then entity fields',
    'mutation { one: stamp(parcel: "a") { log } post(book: "b2") { id log book { title author { name } } } two: stamp(parcel: "b") { log } }',
  ],
  ['a mutation that fails', 'mutation { stamp(parcel: "z") { id } broken { id } }'],
  ['a null where none may be, within a system', '{ people { id trust } }'],
  ['fields of an interface object', '{ media { __typename id views ... on Film { minutes views } } }'],
  [
    'an interface object whose type another system knows',
    '{ seen { id views title __typename ... on Book { average } } }',
  ],
  [
    'aliases that hide keys',
    '{ books { id: title title: id k: __typename average } me { id: name name: id address { street } } }',
  ],
  [
    'variables in nested conditions',
    'query ($a: Boolean!, $b: Boolean!) { books { ... on Book @include(if: $a) { average postage @skip(if: $b) label @include(if: $b) } ... @skip(if: $a) { author { address { street @include(if: $b) } } } } }',
    { a: true, b: false },
  ],
  [
    'a whole branch that is excluded',
    'query ($a: Boolean!) { me { name books @include(if: $a) { average } } books @include(if: $a) { label } }',
    { a: false },
  ],
  [
    'introspection beside data',
    '{ __schema { queryType { name } } __type(name: "Role") { enumValues { name } } me { name } }',
  ],
  ['a hidden object in a list', '{ secret { title } }'],
];

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
      const prepared = engine.prepare(query);
      if ('errors' in prepared) throw prepared.errors[0];
      const context = {
        signal: AbortSignal.timeout(10_000),
        traceId: 'a'.repeat(32),
        principal: 'anonymous',
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
});
