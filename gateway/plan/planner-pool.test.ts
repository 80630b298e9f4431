// Laws of planning in processes apart: bounded in time, memory and number, and one dear operation delays no other.
import { readFileSync } from 'node:fs';
import { HubError, OperatorError } from '@weft/core/errors';
import { parse } from 'graphql';
import { afterEach, describe, expect, it } from 'vitest';
import { createHivePlanner } from './hive-planner.ts';
import type { PlanLimits } from './limits.ts';
import { NO_OVERRIDES, type PlannerName } from './planner.ts';
import type { PlanMessage } from './planner-messages.ts';
import { createPlannerPool, type PlannerPool } from './planner-pool.ts';

const WIDTH = 4;
const LINK = 'https://specs.apollo.dev';
const graphs = Array.from({ length: WIDTH }, (_, index) => `G${index}`);
const onAll = (rest = '') => graphs.map((graph) => `@join__type(graph: ${graph}${rest})`).join(' ');
const HEAD = `
schema @link(url: "${LINK}/link/v1.0") @link(url: "${LINK}/join/v0.3", for: EXECUTION) { query: Query }
directive @join__enumValue(graph: join__Graph!) repeatable on ENUM_VALUE
directive @join__field(graph: join__Graph, requires: join__FieldSet, provides: join__FieldSet, type: String, external: Boolean, override: String, usedOverridden: Boolean) repeatable on FIELD_DEFINITION | INPUT_FIELD_DEFINITION
directive @join__graph(name: String!, url: String!) on ENUM_VALUE
directive @join__implements(graph: join__Graph!, interface: String!) repeatable on OBJECT | INTERFACE
directive @join__type(graph: join__Graph!, key: join__FieldSet, extension: Boolean! = false, resolvable: Boolean! = true, isInterfaceObject: Boolean! = false) repeatable on OBJECT | INTERFACE | UNION | ENUM | INPUT_OBJECT | SCALAR
directive @join__unionMember(graph: join__Graph!, member: String!) repeatable on UNION
directive @link(url: String, as: String, for: link__Purpose, import: [link__Import]) repeatable on SCHEMA
scalar join__FieldSet
scalar link__Import
enum link__Purpose { SECURITY EXECUTION }
`;
/** One type that every one of many systems can give every field of: the choice grows with the width of the operation. */
const SUPERGRAPH = `${HEAD}enum join__Graph { ${graphs.map((graph) => `${graph} @join__graph(name: "${graph.toLowerCase()}", url: "http://localhost")`).join(' ')} }
type Query ${onAll()} { t: T @join__field(graph: G0) }
type T ${onAll(', key: "id"')} { id: ID! t: T ${graphs.map((graph) => `f${graph}: Int @join__field(graph: ${graph})`).join(' ')} }
`;

/** With this query it aborts the process that the native planner runs in, in its release that is used here. */
const ABORTING_SUPERGRAPH = `${HEAD}
enum join__Graph { ASH @join__graph(name: "ash", url: "http://localhost") BIRCH @join__graph(name: "birch", url: "http://localhost") }
interface Pawa @join__type(graph: ASH, key: "id") @join__type(graph: BIRCH, key: "id", isInterfaceObject: true) {
  id: ID!
  more: Int @join__field(graph: BIRCH)
}
type Pali implements Pawa @join__implements(graph: ASH, interface: "Pawa") @join__type(graph: ASH, key: "id") {
  id: ID!
  wagu: Int
  more: Int @join__field
}
type Query @join__type(graph: ASH) @join__type(graph: BIRCH) { gumo: [Pawa!]! @join__field(graph: BIRCH) }
`;
const ABORTING =
  'query ($v: Boolean!) { gumo { ... on Pali { ... on Pali @include(if: $v) { wagu } } id: id } }';

const message = (query: string): PlanMessage => ({
  request: {
    document: parse(query, { noLocation: true }),
    operationName: undefined,
    overrides: NO_OVERRIDES,
  },
  avoid: undefined,
});
/** Nested through types that all systems share, with fields that only one has: Apollo's planner weighs every way. */
const dear = (depth: number, mark: string): string =>
  depth === 0 ? mark : `{ ${graphs.map((graph) => `f${graph}`).join(' ')} t ${dear(depth - 1, mark)} }`;
const DEAR = `{ t ${dear(12, '{ id }')} }`;
const QUICK = '{ t { fG0 } }';

const hasNativePlanner = createHivePlanner(SUPERGRAPH) !== undefined;

let pool: PlannerPool | undefined;
afterEach(() => pool?.close());

async function open(
  limits: Partial<PlanLimits> = {},
  planner: PlannerName | 'auto' = 'apollo',
  supergraphSdl = SUPERGRAPH,
): Promise<PlannerPool> {
  pool = createPlannerPool({ supergraphSdl, planner: planner === 'auto' ? undefined : planner }, limits);
  await pool.ready;
  return pool;
}

const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'planned',
    (error: unknown) => (error instanceof HubError ? error.code : String(error)),
  );

describe('the planner pool', () => {
  it('plans in another process, and gives plain data back', async () => {
    const plan = await (await open()).plan(QUICK, message(QUICK));
    expect(plan).toMatchObject({ planner: 'apollo', steps: { kind: 'fetch', system: 'g0', path: [] } });
  });

  it('refuses an operation that is too dear with DEADLINE_EXCEEDED of the hub, and again without trying', async () => {
    const { plan } = await open({ planTimeoutMs: 600, planSliceMs: 300 });
    await plan(QUICK, message(QUICK));
    const first = await plan(DEAR, message(DEAR)).catch((error: unknown) => error);
    expect(first).toMatchObject({
      code: 'DEADLINE_EXCEEDED',
      origin: 'HUB',
      details: { limit: 'planTimeoutMs', max: 600 },
    });
    const startedAt = performance.now();
    expect(await plan(DEAR, message(DEAR)).catch((error: unknown) => error)).toBe(first);
    expect(performance.now() - startedAt).toBeLessThan(20);
    expect(await codeOf(plan('again', message(QUICK)))).toBe('planned');
  });

  it('answers quick operations while dear ones are planned and wait', async () => {
    const { plan } = await open({ planTimeoutMs: 8_000, planSliceMs: 200 });
    await plan(QUICK, message(QUICK));
    const order: string[] = [];
    const dears = ['a', 'b', 'c'].map((key) =>
      codeOf(plan(key, message(DEAR))).then(() => order.push('dear')),
    );
    const quicks = ['d', 'e'].map((key) =>
      codeOf(plan(key, message(QUICK))).then((code) => order.push(code)),
    );
    await Promise.all(quicks);
    expect(order).toEqual(['planned', 'planned']);
    pool?.close();
    await Promise.all(dears);
  });

  it('refuses what would wait behind a full queue, naming the limit', async () => {
    const { plan } = await open({ planQueueMax: 1 });
    const codes = await Promise.all(['a', 'b', 'c', 'd'].map((key) => codeOf(plan(key, message(QUICK)))));
    expect(codes).toContain('planned');
    expect(codes.at(-1)).toBe('LIMIT_EXCEEDED');
  });

  it('refuses an operation whose planning outgrows its memory, and plans the next', async () => {
    const { plan } = await open({ planHeapMbMax: 48, planTimeoutMs: 20_000, planWaitMs: 25_000 });
    const huge = `{ t ${dear(10, '{ id }')} }`;
    expect(await codeOf(plan('huge', message(huge)))).toBe('LIMIT_EXCEEDED');
    expect(await codeOf(plan(QUICK, message(QUICK)))).toBe('planned');
  });

  it('ends what runs and waits when it is closed', async () => {
    const { plan, close } = await open();
    const codes = Promise.all([codeOf(plan('a', message(DEAR))), codeOf(plan('b', message(QUICK)))]);
    close();
    expect(await codes).toEqual(['CANCELLED', 'CANCELLED']);
    expect(await codeOf(plan('c', message(QUICK)))).toBe('CANCELLED');
  });

  it.skipIf(!hasNativePlanner)(
    'outlives what aborts the native planner: the other plans it, and the native one never gets it again',
    async () => {
      const { plan } = await open({}, 'auto', ABORTING_SUPERGRAPH);
      const aborting = message(ABORTING);
      expect(await plan('a', aborting)).toMatchObject({ planner: 'apollo', steps: { kind: 'sequence' } });
      expect(await plan('b', message('{ gumo { id } }'))).toMatchObject({ planner: 'hive' });
      const startedAt = performance.now();
      expect(await codeOf(plan('a', { ...aborting, avoid: 'apollo' }))).toBe('INTERNAL_SERVER_ERROR');
      expect(performance.now() - startedAt).toBeLessThan(20);
      expect(await plan('a', aborting)).toMatchObject({ planner: 'apollo' });
    },
  );

  it('says at its start that a supergraph cannot be planned on', async () => {
    pool = createPlannerPool({ supergraphSdl: 'type Query { a: Int }', planner: 'apollo' });
    await expect(pool.ready).rejects.toBeInstanceOf(OperatorError);
  });

  it('is ready within 1.5 s for the graph of this project, the start of its first process included', async () => {
    const sdl = readFileSync(new URL('../../schema/supergraph.graphql', import.meta.url), 'utf8');
    const startedAt = performance.now();
    pool = createPlannerPool({ supergraphSdl: sdl, planner: undefined });
    await pool.ready;
    expect(performance.now() - startedAt).toBeLessThan(1_500);
  });
});
