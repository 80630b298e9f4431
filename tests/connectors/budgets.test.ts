// What the graph says of the budget of an old system, and how it stands.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { whyNoPostgres } from '../support/engines.ts';
import { json, type Stub, startStub } from './contract-stubs.ts';
import { type FolderHost, startFolderHost } from './folder-host.ts';

const SDL = `
extend schema
  @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])
  @link(url: "https://specs.weft.dev/hub/v0.1", import: ["@source", "@connect"])
  @source(
    name: "office"
    rest: { baseUrl: "{$env.OFFICE}" }
    timezone: "Asia/Shanghai"
    guard: { timeout: "2s", concurrency: 2, ratePerSecond: 8, burst: 4, breaker: { failureRatio: 0.5, minCalls: 2, openFor: "30s" } }
  )
  @source(
    name: "archive"
    rest: { baseUrl: "{$env.OFFICE}" }
    guard: { quiet: "00:00-23:59, 23:59-00:00" }
  )

type Query {
  lamps: [Lamp!] @connect(source: "office", http: { GET: "/lamps" }, select: "$.rows { id }")
}

type Lamp
  @key(fields: "id")
  @connect(source: "office", http: { GET: "/lamps/{$batch.id->first}" }, batch: { how: FAN_OUT, match: "id" }, select: "$ { id watts }") {
  id: ID!
  watts: Int
}
`;

const BUDGETS = `query Budgets($of: [_Any!]!) {
  _entities(representations: $of) {
    ... on System {
      name
      budgets {
        source protocol ratePerSecond burst concurrency timeoutMs quietHours timezone isQuiet breaker
        callsLastMinute lastOkAt lastFailureAt lastFailureCode
      }
    }
  }
}`;

const LAMP = 'query Lamp($of: [_Any!]!) { _entities(representations: $of) { ... on Lamp { watts } } }';

const skipReason = await whyNoPostgres();

describe.skipIf(skipReason !== undefined)('the budgets of a system', () => {
  let stub: Stub;
  let host: FolderHost;

  beforeAll(async () => {
    stub = await startStub((line) =>
      line === 'GET /lamps/1'
        ? json({ id: '1', watts: 60 })
        : { status: 500, type: 'text/plain', body: 'broken' },
    );
    host = await startFolderHost('city', SDL, () => ({ OFFICE: stub.url }));
  });

  afterAll(async () => {
    await host?.close();
    await stub?.close();
  });

  const askLamp = (id: string) => host.query(LAMP, { of: [{ __typename: 'Lamp', id }] });
  const budgets = async (name: string) => {
    const answer = await host.query(BUDGETS, { of: [{ __typename: 'System', name }] }, 'connectors');
    expect(answer.errors).toBeUndefined();
    return (answer.data as { _entities: { budgets: Record<string, unknown>[] | null }[] })._entities[0]
      ?.budgets;
  };

  it('are what its description says, and what its guard has seen', async () => {
    const untouched = { callsLastMinute: 0, lastOkAt: null, lastFailureAt: null, lastFailureCode: null };
    const office = {
      source: 'office',
      protocol: 'rest',
      ratePerSecond: 8,
      burst: 4,
      concurrency: 2,
      timeoutMs: 2_000,
      quietHours: [],
      timezone: 'Asia/Shanghai',
      isQuiet: false,
      breaker: 'CLOSED',
    };
    const [first, archive] = (await budgets('city')) ?? [];
    expect(first).toEqual({ ...office, ...untouched });
    expect(archive).toMatchObject({
      source: 'archive',
      ratePerSecond: null,
      burst: null,
      quietHours: ['00:00-23:59', '23:59-00:00'],
      isQuiet: true,
    });
    await askLamp('1');
    const [asked] = (await budgets('city')) ?? [];
    expect(asked).toEqual({ ...office, ...untouched, callsLastMinute: 1, lastOkAt: expect.any(String) });
    for (const id of ['2', '3', '4', '5']) await askLamp(id);
    const [broken] = (await budgets('city')) ?? [];
    expect(broken).toMatchObject({ breaker: 'OPEN', lastFailureCode: 'UPSTREAM_UNAVAILABLE' });
    expect(broken?.callsLastMinute).toBe(stub.requests.length);
  });

  it('are null for what the host does not serve', async () => {
    expect(await budgets('elsewhere')).toBeNull();
  });
});
