import { randomUUID } from 'node:crypto';
import { createLogger } from '@weft/core/logger';
import { mergeDuplicates, metresBetween } from '@weft/subgraphs/incidents/duplicates';
import { PrismaClient } from '@weft/subgraphs/incidents/generated/client';
import { openSqlStore } from '@weft/subgraphs/store';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { whyNoPostgres } from '../support/engines.ts';
import {
  type Asker,
  appendEvents,
  createMigratedDatabase,
  hotlineReport,
  startSigned,
} from '../support/owned-subgraphs.ts';
import { waitFor } from '../support/wait.ts';

const noPostgres = await whyNoPostgres();

const STAFF: Asker = { subject: '中心甲', roles: ['centre-staff'], division: '3205' };
/** Degrees of latitude in a metre. */
const METRE = 1 / 111_195;
const REPORTED_AT = Date.parse('2026-11-20T08:00:00+08:00');

describe('the distance', () => {
  it('is that along the great circle', () => {
    const here = { longitude: 120, latitude: 31 };
    expect(metresBetween(here, here)).toBe(0);
    expect(metresBetween(here, { longitude: 120, latitude: 31 + 50 * METRE })).toBeCloseTo(50, 2);
    // A degree of longitude is shorter by the cosine of the latitude.
    expect(metresBetween(here, { longitude: 120.001, latitude: 31 })).toBeCloseTo(
      111.195 * Math.cos((31 * Math.PI) / 180),
      1,
    );
  });
});

describe.skipIf(noPostgres !== undefined)('what tells of the same', () => {
  let database: Awaited<ReturnType<typeof createMigratedDatabase>>;
  let hub: Awaited<ReturnType<typeof startSigned>>;
  beforeAll(async () => {
    database = await createMigratedDatabase();
    hub = await startSigned(database.url);
  });
  afterAll(async () => {
    await hub.close();
    await database.drop();
  });

  let places = 0;
  /** A place a kilometre from all others. */
  const somewhere = () => {
    places += 1;
    return { longitude: 120.5, latitude: 31 + places / 100 };
  };
  interface Told {
    readonly id: string;
    readonly state: string;
    readonly mergedInto: { readonly id: string } | null;
  }
  const report = async (input: Record<string, unknown>, asker = STAFF) => {
    const { data, errors } = await hub.askAs(
      asker,
      'mutation ($input: ReportIncidentInput!) { reportIncident(input: $input) { id state mergedInto { id } } }',
      {
        input: {
          requestId: randomUUID(),
          channel: 'WECHAT',
          title: '路面坑洼',
          matter: '01076',
          reportedAt: new Date(REPORTED_AT).toISOString(),
          ...input,
        },
      },
    );
    expect(errors).toBeUndefined();
    return (data as unknown as { reportIncident: Told }).reportIncident;
  };
  const read = async (id: string, fields: string) => {
    const { data, errors } = await hub.askAs(
      { ...STAFF },
      `query ($id: ID!) { incident(id: $id) { ${fields} } }`,
      { id },
    );
    expect(errors).toBeUndefined();
    return data?.incident as unknown as Record<string, unknown>;
  };

  it('is one incident with three reporters, each of the people to be told, whoever they told', async () => {
    const position = somewhere();
    const first = await report({ position, externalNumbers: [{ kind: 'wechat', number: 'W1' }] });
    const near = { ...position, latitude: position.latitude + 30 * METRE };
    const camera = await report({
      position: near,
      channel: 'SYSTEM_PUSH',
      reporters: [{ kind: 'EXTERNAL_SYSTEM', name: '摄像机' }],
    });
    expect(camera).toMatchObject({ state: 'MERGED', mergedInto: { id: first.id } });
    const order = hotlineReport('D1', {
      matter: '01076',
      longitude: '120.5',
      latitude: String(position.latitude),
      reportedAt: '2026-11-20T20:00:00+08:00',
    });
    await appendEvents(database.client, 'incident-report', [order]);
    const merged = await waitFor('the order is merged', async () => {
      const shown = await read(
        first.id,
        'reporters { channel } externalNumbers { kind number } steps { kind otherIncident { id } }',
      );
      return (shown.reporters as unknown[]).length === 3 ? shown : undefined;
    });
    expect(merged).toMatchObject({
      reporters: expect.arrayContaining([
        { channel: 'WECHAT' },
        { channel: 'SYSTEM_PUSH' },
        { channel: 'HOTLINE' },
      ]),
      externalNumbers: [
        { kind: 'hotlineOrder', number: 'D1' },
        { kind: 'wechat', number: 'W1' },
      ],
      steps: [
        { kind: 'REPORTED' },
        { kind: 'ABSORBED', otherIncident: { id: camera.id } },
        { kind: 'ABSORBED' },
      ],
    });
    for (const step of ['acceptIncident(id: $id)', 'rejectIncident(id: $id, reason: "已修复")'])
      expect(
        (await hub.askAs(STAFF, `mutation ($id: ID!) { ${step} { id } }`, { id: first.id })).errors,
      ).toBeUndefined();
    expect(await read(first.id, 'notifications { kind channel state }')).toEqual({
      notifications: expect.arrayContaining(
        ['WECHAT', 'SYSTEM_PUSH', 'HOTLINE'].flatMap((channel) =>
          ['ACCEPTED', 'REJECTED'].map((kind) => ({
            ...{ kind, channel },
            // Nobody waits behind a camera.
            state: channel === 'SYSTEM_PUSH' ? 'NO_RECIPIENT' : 'PENDING',
          })),
        ),
      ),
    });
    const { rows } = await database.client.query(
      `SELECT envelope->'data'->'notifications' AS told FROM events.event WHERE type = 'dev.weft.incident.rejected' AND subject = $1`,
      [`Incident:${first.id}`],
    );
    expect(rows).toEqual([{ told: 2 }]);
  });

  it.each([
    ['51 m away', { away: 51 }],
    ['25 h later', { hours: 25 }],
    ['of another matter', { matter: '01037' }],
    ['of no matter', { matter: null }],
    ['confidential', { confidential: true }],
  ])(
    'is not %s',
    async (_, {
      away = 0,
      hours = 0,
      ...input
    }: { away?: number; hours?: number; matter?: string | null; confidential?: boolean }) => {
      const position = somewhere();
      await report({ position });
      const reportedAt = new Date(REPORTED_AT + hours * 3_600_000).toISOString();
      const other = await report({
        position: { ...position, latitude: position.latitude + away * METRE },
        reportedAt,
        ...input,
      });
      expect(other).toMatchObject({ state: 'REPORTED', mergedInto: null });
    },
  );

  it('is not what systems tell under a code that the standard does not have', async () => {
    const { latitude } = somewhere();
    const told = (number: string, matter: string) =>
      hotlineReport(number, {
        matter,
        longitude: '120.5',
        latitude: String(latitude),
        reportedAt: '2026-11-20T20:00:00+08:00',
      });
    const [one, other] = [told('U1', '99999'), told('U2', '99999')];

    const [known, knownAgain] = [told('U3', '01076'), told('U4', '01076')];
    await appendEvents(database.client, 'incident-report', [one, other, known, knownAgain]);
    const statesOf = async (matter: string) => {
      const { rows } = await database.client.query<{ state: string }>(
        'SELECT state FROM incidents.incident WHERE matter = $1 AND latitude = $2 ORDER BY state',
        [matter, latitude],
      );
      return rows.map(({ state }) => state);
    };
    await waitFor('the known ones are merged', async () => (await statesOf('01076')).includes('MERGED'));
    expect(await statesOf('01076')).toEqual(['MERGED', 'REPORTED']);
    expect(await statesOf('99999')).toEqual(['REPORTED', 'REPORTED']);
  });

  it('is suggested where that is not certain, the nearest first', async () => {
    const position = somewhere();
    const one = await report({ position });
    const north = (metres: number) => ({ ...position, latitude: position.latitude + metres * METRE });
    const unclassified = await report({ position: north(40), matter: null });
    const sameClass = await report({ position: north(10), matter: '01037' });
    await report({ position: north(5), matter: '06026' });
    await report({ position: north(60), matter: '01037' });
    const { similarIncidents } = await read(one.id, 'similarIncidents { metres incident { id } }');
    expect(similarIncidents).toEqual([
      { metres: expect.closeTo(10, 1), incident: { id: sameClass.id } },
      { metres: expect.closeTo(40, 1), incident: { id: unclassified.id } },
    ]);
  });

  it('becomes one when all of it is told at the same moment, whoever compares it', async () => {
    const position = somewhere();
    const { adapter, sql, close } = openSqlStore(database.url, 'incidents', createLogger('test', 'silent'));
    const prisma = new PrismaClient({ adapter });
    const orders = Array.from({ length: 6 }, (_, index) =>
      hotlineReport(`S${index}`, {
        matter: '01076',
        longitude: '120.5',
        latitude: String(position.latitude),
      }),
    );
    const byHand = Array.from({ length: 6 }, () =>
      report({ position, reportedAt: '2026-11-22T08:00:00+08:00' }),
    );
    await appendEvents(database.client, 'incident-report', orders);
    await Promise.all(byHand);
    const counts = await waitFor('one is left', async () => {
      await mergeDuplicates({ prisma, sql }, 'sha256');
      const { rows } = await database.client.query(
        `SELECT state, count(*)::int FROM incidents.incident WHERE latitude = $1 GROUP BY state ORDER BY state`,
        [position.latitude],
      );
      return rows.reduce((sum, { count }) => sum + count, 0) === 12 && rows.at(-1)?.count === 1
        ? rows
        : undefined;
    });
    expect(counts).toEqual([
      { state: 'MERGED', count: 11 },
      { state: 'REPORTED', count: 1 },
    ]);
    const { rows } = await database.client.query(
      `SELECT count(DISTINCT r.incident_id)::int AS incidents, count(*)::int AS reporters FROM incidents.reporter r
       JOIN incidents.incident i ON i.id = r.report_id WHERE i.latitude = $1`,
      [position.latitude],
    );
    expect(rows).toEqual([{ incidents: 1, reporters: 12 }]);
    await prisma.$disconnect();
    await close();
  });

  it('becomes one too when the one that was received first was committed last', async () => {
    const [position, elsewhere] = [somewhere(), somewhere()];
    const later = await report({ position });
    const first = await report({ position: elsewhere });
    await database.client.query(
      `UPDATE incidents.incident SET latitude = $2, duplicate_check = true,
         received_at = (SELECT received_at - interval '1 second' FROM incidents.incident WHERE id = $3)
       WHERE id = $1`,
      [first.id, position.latitude, later.id],
    );
    const merged = await waitFor('the later one is merged', async () => {
      const { state, mergedInto } = await read(later.id, 'state mergedInto { id }');
      return state === 'MERGED' ? mergedInto : undefined;
    });
    expect(merged).toEqual({ id: first.id });
  });

  it('is no way to learn of what is confidential', async () => {
    const operator: Asker = { subject: 'yw', roles: ['operator'], division: '320508' };
    const [open, secret] = [await report({}), await report({ confidential: true })];
    const merge = async (into: string) => {
      const query = 'mutation ($id: ID!, $into: ID!) { mergeIncident(id: $id, into: $into) { state } }';
      const { errors } = await hub.askAs(operator, query, { id: open.id, into });
      const { message = '', extensions } = errors?.[0] ?? {};
      return { message: message.replace(into, 'that'), ...extensions, traceId: '' };
    };
    expect(await merge(secret.id)).toEqual(await merge(randomUUID()));
  });

  it('points at the one that is left, also after that was merged itself', async () => {
    const [a, b, c] = await Promise.all([report({}), report({}), report({})]);
    const merge = (id: string, into: string) =>
      hub.askAs(STAFF, 'mutation ($id: ID!, $into: ID!) { mergeIncident(id: $id, into: $into) { state } }', {
        id,
        into,
      });
    expect((await merge(a.id, b.id)).data).toEqual({ mergeIncident: { state: 'MERGED' } });
    expect((await merge(b.id, c.id)).data).toEqual({ mergeIncident: { state: 'MERGED' } });
    expect(await read(a.id, 'mergedInto { id }')).toEqual({ mergedInto: { id: c.id } });
    expect((await merge(c.id, a.id)).errors?.[0]?.extensions).toMatchObject({
      code: 'CONFLICT',
      argument: 'into',
    });
    expect((await merge(c.id, c.id)).errors?.[0]?.extensions).toMatchObject({
      code: 'NOT_FOUND',
      argument: 'into',
    });
  });
});
