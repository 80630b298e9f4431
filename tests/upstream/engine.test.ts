// The rest of an operation whose primary fetch a subgraph's own subscription answers: both planners, over real subgraph servers.
import { createLogger } from '@weft/core/logger';
import type { PreparedOperation, PrimaryResult } from '@weft/gateway/engine';
import { createEngine, type EngineOptions, type GatewayEngine } from '@weft/gateway/execute/create-engine';
import { decodeResult } from '@weft/gateway/fetch/answer';
import { ANONYMOUS, createPrincipal, type Principal } from '@weft/gateway/identity/principal';
import { ENGINE_LIMITS } from '@weft/gateway/limits';
import { buildSchema, graphql, parse, validate } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, asClient, composeOrThrow, TRACE_ID } from '../gateway/library-gateway.ts';
import { type SubgraphServer, startSubgraph } from '../gateway/subgraph-server.ts';

const LINK = (names: string) =>
  `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: [${names}])`;

const TRAFFIC = `
  ${LINK('"@key", "@shareable", "@inaccessible", "@authenticated"')}
  type Query { road(id: ID!): Road }
  type Subscription {
    roadChanged(road: ID, first: Int = 2): RoadChanged!
    seen: Seen
    hit: [Hit!]
  }
  type RoadChanged { road: Road at: String secret: String @authenticated }
  type Road @key(fields: "id") {
    id: ID!
    load(unit: String = "cars"): Int
    internal: String @inaccessible
    parts: [Part!]
  }
  type Part { id: ID! road: Road }
  interface Seen { id: ID! place: String }
  type Car implements Seen @key(fields: "id") { id: ID! place: String plate: String }
  type Bike implements Seen { id: ID! place: String }
  union Hit = Car | Road`;

const REGISTRY = `
  ${LINK('"@key", "@external", "@requires"')}
  type Query { n: Int }
  type Road @key(fields: "id") {
    id: ID!
    name: String
    load(unit: String = "cars"): Int @external
    isBusy: Boolean @requires(fields: "load")
  }
  type Car @key(fields: "id") { id: ID! owner: Owner }
  type Owner @key(fields: "id") { id: ID! }`;

const PEOPLE = `
  ${LINK('"@key"')}
  type Query { m: Int }
  type Owner @key(fields: "id") { id: ID! name: String }`;

/** An owned subgraph whose live field the gateway answers from the log: both kinds are in one Subscription. */
const INCIDENTS = `
  extend schema
    @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])
    @link(url: "https://specs.weft.dev/events/v0.1", import: ["@eventStream"])
  type Query { incident(id: ID!): Incident }
  type Incident @key(fields: "id") { id: ID! title: String }
  type Subscription {
    incidentChanged(after: Cursor): IncidentChanged!
      @eventStream(topic: "incident", message: "{ incident { id } kind }")
  }
  type IncidentChanged implements Resumable { cursor: Cursor! gap: Gap kind: String incident: Incident }`;

const resolvers = {
  registry: {
    Road: {
      __resolveReference: (road: object) => road,
      name: ({ id }: { id: string }) => `road ${id}`,
      isBusy: ({ load }: { load: number }) => load > 10,
    },
    Car: { __resolveReference: (car: object) => car, owner: ({ id }: { id: string }) => ({ id: `o-${id}` }) },
  },
  people: { Owner: { __resolveReference: ({ id }: { id: string }) => ({ id, name: `owner ${id}` }) } },
  incidents: {
    Incident: { __resolveReference: ({ id }: { id: string }) => ({ id, title: `incident ${id}` }) },
  },
};

const incidentsServed = `${LINK('"@key"')} type Query { incident(id: ID!): Incident } type Incident @key(fields: "id") { id: ID! title: String }`;

let members: readonly SubgraphServer[];
beforeAll(async () => {
  members = [
    await startSubgraph('traffic', TRAFFIC, {
      Seen: { __resolveType: () => 'Car' },
      Hit: { __resolveType: () => 'Car' },
    }),
    await startSubgraph('registry', REGISTRY, resolvers.registry),
    await startSubgraph('people', PEOPLE, resolvers.people),
    await startSubgraph('incidents', INCIDENTS, resolvers.incidents, incidentsServed),
  ];
});
afterAll(async () => {
  await Promise.all((members ?? []).map((member) => member.close()));
});

const engines: GatewayEngine[] = [];
afterAll(async () => {
  for (const engine of engines) await engine.close();
});

function open(options: Partial<EngineOptions>): GatewayEngine {
  const engine = createEngine({
    supergraphSdl: composeOrThrow(members),
    logger: createLogger('test', 'silent'),
    ...options,
  });
  engines.push(engine);
  return engine;
}

async function prepare(
  engine: GatewayEngine,
  query: string,
  principal: Principal = ANONYMOUS,
): Promise<PreparedOperation> {
  const prepared = await engine.prepare(query, undefined, principal);
  if ('errors' in prepared) throw new Error(JSON.stringify(prepared.errors));
  return prepared;
}

function decode(payload: unknown): PrimaryResult {
  // As it comes from a socket.
  return decodeResult('traffic', JSON.parse(JSON.stringify(payload)), ENGINE_LIMITS, false);
}

async function run(
  engine: GatewayEngine,
  prepared: PreparedOperation,
  result: PrimaryResult,
  variables: Record<string, unknown> = {},
  principal: Principal = ANONYMOUS,
): Promise<Answer> {
  const context = { signal: AbortSignal.timeout(10_000), traceId: TRACE_ID, principal };
  const executed = await engine.executeResult?.(prepared, variables, result, context);
  if (executed === undefined) throw new Error('the engine has no subscriptions');
  return asClient(executed);
}

/** What the subgraph itself would answer, so that no made-up result hides what was not asked. */
async function upstream(prepared: PreparedOperation, root: object): Promise<PrimaryResult> {
  const { upstream: field } = prepared;
  if (field === undefined) throw new Error('this is no subscription of a subgraph');
  const sdl = TRAFFIC.replace(/extend schema[^\n]*/, '')
    .replace(/@(?:key|inaccessible|authenticated|shareable)(?:\([^)]*\))?/g, '')
    .replace('type Query', 'type Query { dummy: Int } type Old');
  const schema = buildSchema(sdl);
  expect(validate(schema, parse(field.document))).toEqual([]);
  // As a query of the same fields: what a source stream brings is executed just so.
  const asQuery = buildSchema(
    sdl.replace('type Query { dummy: Int }', '').replace('type Subscription', 'type Query'),
  );
  const source = field.document.replace(/^subscription/, 'query');
  const variableValues = field.variablesOf({});
  return decode(await graphql({ schema: asQuery, source, rootValue: root, variableValues }));
}

describe.each(['hive', 'apollo'] as const)('a subscription of a subgraph, planned by %s', (planner) => {
  let engine: GatewayEngine;
  beforeAll(async () => {
    engine = open({ planner });
    await engine.ready;
  });

  it('asks its own system for what that has, and all others for each result', async () => {
    const prepared = await prepare(
      engine,
      'subscription S { roadChanged { at road { id name parts { road { name } } } } }',
    );
    expect(prepared).toMatchObject({ kind: 'subscription', planner, eventStream: undefined });
    expect(prepared.upstream).toMatchObject({
      system: 'traffic',
      protocol: 'graphql-transport-ws',
      url: members[0]?.url.replace('http:', 'ws:'),
    });
    expect(prepared.upstream?.document).not.toMatch(/\bname\b/);
    const road = (id: string) => ({ __typename: 'Road', id });
    const result = await upstream(prepared, {
      roadChanged: { at: 'now', road: { ...road('1'), parts: [{ road: road('2') }, { road: road('3') }] } },
    });
    expect(await run(engine, prepared, result)).toEqual({
      data: {
        roadChanged: {
          at: 'now',
          road: {
            id: '1',
            name: 'road 1',
            parts: [{ road: { name: 'road 2' } }, { road: { name: 'road 3' } }],
          },
        },
      },
    });
    expect(members[0]?.requests).toEqual([]);
  });

  it('leads through several systems, and sends what they require', async () => {
    const prepared = await prepare(
      engine,
      'subscription { changed: roadChanged { r: road { busy: isBusy } other: road { id } } }',
    );
    const road = { __typename: 'Road', id: '1', load: 11 };
    const result = await upstream(prepared, { roadChanged: { road } });
    expect(await run(engine, prepared, result)).toEqual({
      data: { changed: { r: { busy: true }, other: { id: '1' } } },
    });
    const hit = await prepare(
      engine,
      'subscription { hit { ... on Car { plate owner { name } } ... on Road { name } } }',
    );
    const hits = [
      { __typename: 'Car', id: 'c1', plate: 'A1' },
      { __typename: 'Road', id: '9' },
    ];
    expect(await run(engine, hit, await upstream(hit, { hit: hits }))).toEqual({
      data: { hit: [{ plate: 'A1', owner: { name: 'owner o-c1' } }, { name: 'road 9' }] },
    });
  });

  it('begins at an interface as well', async () => {
    const prepared = await prepare(
      engine,
      'subscription { seen { __typename place ... on Car { owner { name } } } }',
    );
    const car = await upstream(prepared, { seen: { __typename: 'Car', id: 'c', place: 'here' } });
    expect(await run(engine, prepared, car)).toEqual({
      data: { seen: { __typename: 'Car', place: 'here', owner: { name: 'owner o-c' } } },
    });
    const bike = await upstream(prepared, { seen: { __typename: 'Bike', id: 'b', place: 'there' } });
    expect(await run(engine, prepared, bike)).toEqual({
      data: { seen: { __typename: 'Bike', place: 'there' } },
    });
  });

  it('coerces variables, sends those that its system needs, and refuses what does not fit', async () => {
    const prepared = await prepare(
      engine,
      'subscription ($road: ID, $n: Int = 3, $named: Boolean!) { roadChanged(road: $road, first: $n) { road { name @include(if: $named) } } }',
    );
    expect(prepared.upstream?.variablesOf({ road: 7, named: true })).toEqual({ road: '7', n: 3 });
    expect(() => prepared.upstream?.variablesOf({ road: { a: 1 }, named: true })).toThrow(
      expect.objectContaining({ code: 'BAD_USER_INPUT' }),
    );
    expect(() => prepared.upstream?.variablesOf({})).toThrow(/named/);
  });

  it('has errors where the client sees what failed, and the rest beside them', async () => {
    const prepared = await prepare(engine, 'subscription { c: roadChanged { at r: road { id name } } }');
    const result = decode({
      data: { c: { at: null, r: { __typename: 'Road', id: '1' } } },
      errors: [{ message: 'no clock', path: ['c', 'at'], extensions: { code: 'NOT_FOUND' } }],
    });
    expect(await run(engine, prepared, result)).toMatchObject({
      data: { c: { at: null, r: { id: '1', name: 'road 1' } } },
      errors: [
        { path: ['c', 'at'], extensions: { code: 'NOT_FOUND', system: 'traffic', traceId: TRACE_ID } },
      ],
    });
    const nothing = await run(engine, prepared, decode({ data: null, errors: [{ message: 'broken' }] }));
    expect(nothing).toMatchObject({
      data: null,
      errors: [{ path: ['c'], extensions: { code: 'UPSTREAM_INVALID', system: 'traffic' } }],
    });
    const other = await run(engine, prepared, decode({ data: { unasked: 1 } }));
    expect(other).toMatchObject({ data: null, errors: [{ message: /no c/, path: ['c'] }] });
  });

  it('takes what was asked and nothing else, whatever is put into the result', async () => {
    const prepared = await prepare(engine, 'subscription { roadChanged { at road { name } } }');
    const evil = JSON.parse(
      '{"data":{"__proto__":{"polluted":1},"roadChanged":{"__proto__":{"at":"inherited"},"constructor":{"prototype":{"polluted":1}},"at":"own","road":{"__typename":"Road","id":"1","__proto__":{"id":"2"},"internal":"x"},"extra":1}}}',
    );
    const result = decodeResult('traffic', evil, ENGINE_LIMITS, false);
    const before = JSON.stringify(result.data);
    expect(await run(engine, prepared, result)).toEqual({
      data: { roadChanged: { at: 'own', road: { name: 'road 1' } } },
    });
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
    // Others are given the same result.
    expect(JSON.stringify(result.data)).toBe(before);
    expect(await run(engine, prepared, result)).toEqual({
      data: { roadChanged: { at: 'own', road: { name: 'road 1' } } },
    });
  });

  it('does not ask for what its asker may not have, and asks for it for one who may', async () => {
    const query = 'subscription { roadChanged { at secret } }';
    const forbidden = await prepare(engine, query);
    expect(forbidden.upstream?.document).not.toContain('secret');
    const given = decode({ data: { roadChanged: { at: 'now', secret: 'told all the same' } } });
    expect(await run(engine, forbidden, given)).toMatchObject({
      data: { roadChanged: { at: 'now', secret: null } },
      errors: [{ path: ['roadChanged', 'secret'], extensions: { code: 'UNAUTHENTICATED' } }],
    });
    const somebody = createPrincipal({ subject: 'somebody' });
    const allowed = await prepare(engine, query, somebody);
    expect(allowed.upstream?.document).toContain('secret');
    expect(await run(engine, allowed, given, {}, somebody)).toEqual({
      data: { roadChanged: { at: 'now', secret: 'told all the same' } },
    });
    expect(await engine.prepare('subscription { roadChanged { road { internal } } }')).toMatchObject({
      errors: [{ extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } }],
    });
  });

  it('stands beside fields that are answered from the log', async () => {
    const prepared = await prepare(engine, 'subscription { incidentChanged { kind incident { id title } } }');
    expect(prepared.upstream).toBeUndefined();
    expect(prepared.eventStream).toMatchObject({ topic: 'incident', field: 'incidentChanged' });
  });
});

describe('where a subgraph takes subscriptions', () => {
  it('is what its operator says', async () => {
    const url = 'https://traffic.example/stream?x=1';
    const engine = open({ subscriptions: { traffic: { url, protocol: 'graphql-sse' } } });
    const prepared = await prepare(engine, 'subscription { roadChanged { at } }');
    expect(prepared.upstream).toMatchObject({ url, protocol: 'graphql-sse' });
  });

  it('is refused when it does not fit the protocol', () => {
    const subscriptions = { traffic: { url: 'wss://traffic.example/', protocol: 'graphql-sse' as const } };
    expect(() => open({ subscriptions })).toThrow(
      'the address for subscriptions of subgraph traffic is "wss://traffic.example/": expected http://, https://',
    );
  });
});
