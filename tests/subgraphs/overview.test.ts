// The look at the whole and the inbox of a centre: right over generated incidents, and fast over as many as a city has.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { whyNoPostgres } from '../support/engines.ts';
import { type Asker, createMigratedDatabase, startSigned } from '../support/owned-subgraphs.ts';

const noPostgres = await whyNoPostgres();

const WHOLE = process.env.WEFT_TEST_WHOLE === '1';
const ROWS = WHOLE ? 100_000 : 5_000;
/** Milliseconds of one warm answer. */
const MS_MAX = 200;
const LEADER: Asker = { subject: '领导', roles: ['leader'], division: '320508' };
const CITIZEN: Asker = { subject: '群众', roles: ['citizen'] };
const OVERVIEW = `query ($division: ID) { overview(division: $division) {
  division { code } at open overdue reportedLastHour
  states { state stateLabel count } departments { department { code } open overdue }
} }`;

interface Overview {
  readonly open: number;
  readonly overdue: number;
  readonly reportedLastHour: number;
  readonly states: readonly { state: string; count: number }[];
  readonly departments: readonly { department: { code: string } | null; open: number; overdue: number }[];
}

/** Every state, department and division there can be, in turn; each 50th confidential, each 40th just reported. */
const GENERATE = `
INSERT INTO incidents.incident (id, title, channel, state, version, division, centre, department, confidential, reported_at, received_at, due_at)
SELECT gen_random_uuid(), '事件' || n, 'HOTLINE', state, 1, division, division || '-01',
       CASE WHEN state IN ('ROUTED', 'HANDLING', 'FED_BACK', 'VERIFYING', 'CLOSED') THEN (ARRAY['police', 'urban-management', 'justice'])[1 + n % 3] END,
       n % 50 = 0, reported, reported,
       CASE WHEN state <> 'CLOSED' THEN now() + CASE WHEN n % 9 = 0 THEN interval '-1 hour' ELSE interval '1 day' END END
FROM (
  SELECT n, (ARRAY['REPORTED', 'ACCEPTED', 'ROUTED', 'HANDLING', 'RETURNED', 'FED_BACK', 'VERIFYING', 'CLOSED', 'CLOSED', 'CLOSED', 'EVALUATED'])[1 + n % 11] AS state,
         (ARRAY['320508017003', '320508017004', '320508018014', '320583100001'])[1 + n % 4] AS division,
         now() - CASE WHEN n % 40 = 0 THEN interval '10 minutes' ELSE interval '2 hours' * (1 + n % 500) END AS reported
  FROM generate_series(1, $1::int) AS n
) AS made`;

/** The same counts, from the rows as they are, by no index of ours. */
const COUNTED = `
SELECT count(*) FILTER (WHERE is_open)::int AS open, count(*) FILTER (WHERE is_open AND due_at < now())::int AS overdue,
       count(*) FILTER (WHERE reported_at > now() - interval '1 hour')::int AS "reportedLastHour",
       count(*) FILTER (WHERE state = 'HANDLING')::int AS handling,
       count(*) FILTER (WHERE is_open AND department = 'police')::int AS police
FROM (SELECT *, state NOT IN ('CLOSED', 'EVALUATED') AS is_open FROM incidents.incident) AS i
WHERE division LIKE $1 || '%' AND ($2 OR NOT confidential)`;

describe.skipIf(noPostgres !== undefined)(`over ${ROWS} incidents`, () => {
  let database: Awaited<ReturnType<typeof createMigratedDatabase>>;
  let hub: Awaited<ReturnType<typeof startSigned>>;
  beforeAll(async () => {
    database = await createMigratedDatabase();
    await database.client.query(GENERATE, [ROWS]);
    await database.client.query('VACUUM ANALYZE incidents.incident');
    hub = await startSigned(database.url);
  }, 120_000);
  afterAll(async () => {
    await hub.close();
    await database.drop();
  });

  const overview = async (asker: Asker, division: string | null) => {
    const { data, errors } = await hub.askAs(asker, OVERVIEW, { division });
    expect(errors).toBeUndefined();
    return data?.overview as unknown as Overview;
  };

  it('the overview counts what the one who asks may see, by state, department and deadline', async () => {
    for (const [asker, division, seesAll] of [
      [LEADER, '320508', true],
      [LEADER, '320508017', true],
      [CITIZEN, '3205', false],
      [CITIZEN, '320583100001', false],
    ] as const) {
      const { rows } = await database.client.query(COUNTED, [division, seesAll]);
      const { open, overdue, reportedLastHour, states, departments } = await overview(asker, division);
      expect({
        open,
        overdue,
        reportedLastHour,
        handling: states.find(({ state }) => state === 'HANDLING')?.count ?? 0,
        police: departments.find(({ department }) => department?.code === 'police')?.open ?? 0,
      }).toEqual(rows[0]);
      expect(open).toBeGreaterThan(0);
      expect(states.reduce((sum, { count }) => sum + count, 0)).toBe(open);
      expect(departments.reduce((sum, each) => sum + each.overdue, 0)).toBe(overdue);
    }
    const all = await overview(CITIZEN, null);
    expect(all).toMatchObject({ division: null, at: expect.stringMatching(/Z$/) });
    expect(all.states.map(({ state }) => state)).not.toContain('CLOSED');
  });

  it(`the overview answers warm in less than ${MS_MAX} ms`, async () => {
    for (const division of [null, '320508']) {
      const times: number[] = [];
      for (let turn = 0; turn < 12; turn += 1) {
        const started = performance.now();
        await overview(LEADER, division);
        times.push(performance.now() - started);
      }
      const warm = times.slice(2).sort((one, other) => one - other);
      console.info(
        `overview of ${division ?? 'all'}, ${ROWS} rows, ms: ${warm.map((ms) => ms.toFixed(0)).join(' ')}`,
      );
      // The machine may be at something else in some of the turns.
      expect(warm[Math.floor(warm.length / 2)]).toBeLessThan(MS_MAX);
    }
  });

  it('reads none but an index for the counts', async () => {
    const { rows } = await database.client.query(
      `EXPLAIN (FORMAT JSON) SELECT state, department, count(*) FROM incidents.incident
       WHERE NOT confidential AND state IN ('REPORTED', 'HANDLING') AND division LIKE '320508%' GROUP BY state, department`,
    );
    expect(JSON.stringify(rows)).toContain('incident_overview_idx');
  });

  it('an inbox has what waits for its centre and what is overdue, page by page, for those whose office it is', async () => {
    const INBOX = `query ($centre: ID!, $after: String) { centreInbox(centre: $centre, first: 200, after: $after) {
      totalCount pageInfo { hasNextPage endCursor } edges { node { id state overdue centre { code } } } } }`;
    interface Page {
      readonly totalCount: number;
      readonly pageInfo: { hasNextPage: boolean; endCursor: string | null };
      readonly edges: readonly {
        node: { id: string; state: string; overdue: boolean; centre: { code: string } };
      }[];
    }
    const centre = '320508018014-01';
    const staff: Asker = { subject: '中心', roles: ['centre-staff'], division: '320508' };
    const page = async (after: string | null) => {
      const { data, errors } = await hub.askAs(staff, INBOX, { centre, after });
      expect(errors).toBeUndefined();
      return data?.centreInbox as unknown as Page;
    };
    const first = await page(null);
    const second = await page(first.pageInfo.endCursor);
    const nodes = [...first.edges, ...second.edges].map(({ node }) => node);
    const waiting = ['REPORTED', 'ACCEPTED', 'RETURNED', 'FED_BACK', 'VERIFYING'];
    expect(nodes.length).toBeGreaterThan(100);
    expect(new Set(nodes.map(({ id }) => id)).size).toBe(nodes.length);
    expect(nodes.every(({ state, overdue }) => waiting.includes(state) || overdue)).toBe(true);
    expect(nodes.some(({ state }) => state === 'HANDLING')).toBe(true);
    expect(nodes.every((node) => node.centre.code === centre)).toBe(true);
    const { rows } = await database.client.query(
      `SELECT count(*)::int FROM incidents.incident WHERE centre = $1 AND (state = ANY($2) OR (state IN ('ROUTED', 'HANDLING') AND due_at < now()))`,
      [centre, waiting],
    );
    expect(first.totalCount).toBe(rows[0].count);
    const code = async (asker: Asker | undefined, of = centre) =>
      (await hub.askAs(asker, INBOX, { centre: of })).errors?.[0]?.extensions.code;
    expect(await code(undefined)).toBe('UNAUTHENTICATED');
    expect(await code(CITIZEN)).toBe('FORBIDDEN');
    expect(await code({ ...LEADER, division: '320583' })).toBe('FORBIDDEN');
    expect(await code(staff, `${randomUUID()}%`)).toBe('BAD_USER_INPUT');
  });
});
