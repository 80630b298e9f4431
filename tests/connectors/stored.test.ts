import { join } from 'node:path';
import { compileSystem } from '@weft/connectors/compile/compile';
import { retentions, trim } from '@weft/connectors/ingest/housekeeping';
import { openStore, type Store } from '@weft/connectors/ingest/store';
import { loadEntity } from '@weft/connectors/load/loaders';
import { createRequestContext } from '@weft/connectors/load/request-context';
import { openSystem } from '@weft/connectors/load/system';
import type { EntityPlan } from '@weft/connectors/plan';
import { createLogger } from '@weft/core/logger';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { whyNoPostgres } from '../support/engines.ts';
import { type FolderHost, startFolderHost } from './folder-host.ts';

const SDL = `
extend schema
  @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])
  @link(url: "https://specs.weft.dev/hub/v0.1", import: ["@source", "@connect", "@ingest"])
  @source(name: "hook", webhook: { path: "/in/city", verify: "hook", dedupeHeader: "x-event-id" })

scalar DateTime

type Query {
  lamps(area: ID, areas: [ID!], watts: Int, wattsFrom: Int, wattsTo: Int, changedAtFrom: DateTime, first: Int): [Lamp!]
    @connect(store: true)
  readings(station: ID, hourFrom: String): [Reading!] @connect(store: true)
  lamp(id: ID!): Lamp @connect(source: "hook", store: true)
}

type Lamp @key(fields: "id")
  @connect(source: "hook", store: true)
  @ingest(
    source: "hook"
    key: "id"
    order: "version"
    keep: "30d"
    select: "$.lamp { id: no version: seq name: mc area: qy areas: qy watts: gl changedAt: sj place: { street: jd } }"
  ) {
  id: ID!
  name: String
  area: ID
  areas: ID
  watts: Int
  changedAt: DateTime
  place: Place
}
type Place { street: String }

type Reading @key(fields: "station hour")
  @connect(store: true)
  @ingest(source: "hook", key: "hour station", order: "version", select: "$.reading { station: zd hour: sj version: seq value: z }") {
  station: ID!
  hour: String!
  value: Float
}
`;

const logger = createLogger('stored', 'silent');
const skipReason = await whyNoPostgres();

describe.skipIf(skipReason !== undefined)('what was kept', () => {
  let host: FolderHost;

  beforeAll(async () => {
    host = await startFolderHost('city', SDL);
    const lamps = Array.from({ length: 12 }, (_, index) => ({
      no: `L${String(index).padStart(2, '0')}`,
      seq: 1,
      mc: `路灯${index}`,
      qy: index % 2 === 0 ? '320508' : '320509',
      gl: index,
      sj: `2026-11-22T${String(index).padStart(2, '0')}:00:00+08:00`,
      jd: '平江路',
    }));
    for (const lamp of lamps) expect((await host.push('/city', { lamp })).status).toBe(200);
  });
  afterAll(() => host?.close());

  const ids = async (args: string) => {
    const answer = await host.query(`{ lamps(${args}) { id } }`);
    expect(answer.errors).toBeUndefined();
    return (answer.data as { lamps: { id: string }[] }).lamps.map(({ id }) => id);
  };

  it('is found by its key, with everything that select kept of its newest version', async () => {
    const { data, errors } = await host.query(
      '{ lamp(id: "L03") { id name watts changedAt place { street } } }',
    );
    expect(errors).toBeUndefined();
    const lamp = { id: 'L03', name: '路灯3', watts: 3, changedAt: '2026-11-22T03:00:00+08:00' };
    expect(data).toEqual({ lamp: { ...lamp, place: { street: '平江路' } } });
    expect((await host.query('{ lamp(id: "L99") { id } }')).data).toEqual({ lamp: null });
  });

  it('is loaded by many keys in one query of the database, and a missing one is null', async () => {
    const { plan } = compileSystem(join(host.home, 'city'));
    const opened = openStore(host.databaseUrl, logger);
    let transactions = 0;
    const store: Store = {
      ...opened,
      transaction(work) {
        transactions += 1;
        return opened.transaction(work);
      },
    };
    const system = await openSystem(plan, { env: {}, secrets: () => '', logger, store });
    try {
      const request = createRequestContext(system, AbortSignal.timeout(5_000), 'test');
      const loader = plan.entities.get('Lamp') as EntityPlan;
      const keys = Array.from({ length: 12 }, (_, index) => `L${String(index).padStart(2, '0')}`);
      const loaded = await Promise.all(
        [...keys, 'L99', 'L\0'].map((key) => loadEntity(request, loader, key)),
      );
      expect(loaded.map((lamp) => lamp?.name ?? null)).toEqual([
        ...keys.map((_, index) => `路灯${index}`),
        null,
        null,
      ]);
      expect(transactions).toBe(1);
    } finally {
      await system.close();
      await opened.close();
    }
  });

  it('is listed in the order of its keys, narrowed by each argument that is not null', async () => {
    expect(await ids('first: 3')).toEqual(['L00', 'L01', 'L02']);
    expect(await ids('area: "320509", wattsFrom: 9')).toEqual(['L09', 'L11']);
    expect(await ids('areas: ["320509", "x"], wattsTo: 3')).toEqual(['L01', 'L03']);
    expect(await ids('watts: 10, area: null')).toEqual(['L10']);
    // Ten is more than nine as a number, though not as a text; the instant counts, whatever its offset.
    expect(await ids('wattsFrom: 9, wattsTo: 10')).toEqual(['L09', 'L10']);
    expect(await ids('changedAtFrom: "2026-11-22T02:00:00Z"')).toEqual(['L10', 'L11']);
    expect(await ids('area: "\' OR true --"')).toEqual([]);
  });

  it('refuses an argument that does not compare, and a bound out of range, by their codes', async () => {
    const codeOf = async (args: string) =>
      (await host.query(`{ lamps(${args}) { id } }`)).errors?.[0]?.extensions.code;
    expect(await codeOf('changedAtFrom: "yesterday-ish"')).toBe('BAD_USER_INPUT');
    expect(await codeOf('first: 0')).toBe('BAD_USER_INPUT');
    expect(await codeOf('first: 1001')).toBe('BAD_USER_INPUT');
  });

  it('is LIMIT_EXCEEDED when a list is longer than it may be, never cut in silence', async () => {
    await host.rows(`INSERT INTO connectors.record (system, type, key, order_key, data)
      SELECT 'city', 'Lamp', 'M' || n, '1', json_build_object('id', 'M' || n, 'area', 'many') FROM generate_series(1, 1001) AS n`);
    const { errors } = await host.query('{ lamps(area: "many") { id } }');
    expect(errors?.[0]?.extensions).toMatchObject({ code: 'LIMIT_EXCEEDED', limit: 'STORE_ROWS_MAX' });
    expect(await ids('area: "many", first: 1000')).toHaveLength(1000);
    await host.rows(`DELETE FROM connectors.record WHERE key LIKE 'M%'`);
  });

  it('is STORE_UNAVAILABLE, of origin HUB, when the database does not answer', async () => {
    await host.rows('ALTER TABLE connectors.record RENAME TO gone');
    try {
      const { errors } = await host.query('{ lamp(id: "L03") { id } }');
      expect(errors?.[0]?.extensions).toMatchObject({ code: 'STORE_UNAVAILABLE', origin: 'HUB' });
    } finally {
      await host.rows('ALTER TABLE connectors.gone RENAME TO record');
    }
  });

  it('has a key of several fields where its type has', async () => {
    for (const [zd, sj, z] of [
      [1, '08', 0.5],
      ['1', '09', 1.5],
      ['a","b', '08', 2.5],
    ])
      expect((await host.push('/city', { reading: { zd, sj, seq: 1, z } })).status).toBe(200);
    const { data } = await host.query('{ readings(station: "1", hourFrom: "09") { station hour value } }');
    expect(data).toEqual({ readings: [{ station: '1', hour: '09', value: 1.5 }] });
    const references = [
      { station: '1', hour: '08' },
      { station: 'a","b', hour: '08' },
      { station: '1' },
      { station: '1', hour: '10' },
    ].map((key) => ({ __typename: 'Reading', ...key }));
    const loaded = await host.query(
      'query($r: [_Any!]!) { _entities(representations: $r) { ... on Reading { value } } }',
      { r: references },
    );
    expect(loaded).toEqual({ data: { _entities: [{ value: 0.5 }, { value: 2.5 }, null, null] } });
    const [event] = await host.rows<{ envelope: { data: object; subject: string } }>(
      `SELECT envelope FROM events.event WHERE topic = 'Reading' ORDER BY tx, seq LIMIT 1`,
    );
    expect(event?.envelope.subject).toBe('Reading:["1","08"]');
    expect(event?.envelope.data).toMatchObject({ reading: { station: '1', hour: '08' }, value: 0.5 });
  });

  it('is dropped when it has not changed for as long as keep says', async () => {
    const { plan } = compileSystem(join(host.home, 'city'));
    expect(retentions([plan])).toEqual([{ system: 'city', type: 'Lamp', keepMs: 30 * 24 * 3_600_000 }]);
    const longer = {
      ...plan,
      ingests: [...plan.ingests, ...plan.ingests.map((each) => ({ ...each, keepMs: undefined }))],
    };
    expect(retentions([longer])).toEqual([]);
    await host.rows(
      `UPDATE connectors.record SET updated_at = now() - interval '31 days' WHERE key IN ('L00', 'L01')`,
    );
    const store = openStore(host.databaseUrl, logger);
    try {
      await trim(store, [plan]);
    } finally {
      await store.close();
    }
    expect(await ids('first: 2')).toEqual(['L02', 'L03']);
  });
});
