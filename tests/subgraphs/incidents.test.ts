import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { whyNoPostgres } from '../support/engines.ts';
import {
  appendEvents,
  ask,
  createMigratedDatabase,
  hotlineReport,
  startInProcess,
} from '../support/owned-subgraphs.ts';
import { waitFor } from '../support/wait.ts';

const noPostgres = await whyNoPostgres();

interface Edge {
  readonly cursor: string;
  readonly node: { readonly id: string; readonly title: string };
}
interface Page {
  readonly incidents: {
    readonly edges: readonly Edge[];
    readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
    readonly totalCount: number;
  };
}

const REPORT =
  'mutation ($input: ReportIncidentInput!) { reportIncident(input: $input) { id state version: __typename } }';
const PAGE = `query ($first: Int, $after: String, $division: ID, $state: IncidentState) {
  incidents(first: $first, after: $after, division: $division, state: $state) {
    edges { cursor node { id title } } pageInfo { hasNextPage endCursor } totalCount } }`;

describe.skipIf(noPostgres !== undefined)('the subgraph incidents', () => {
  let database: Awaited<ReturnType<typeof createMigratedDatabase>>;
  let hub: Awaited<ReturnType<typeof startInProcess>>;
  beforeAll(async () => {
    database = await createMigratedDatabase();
    hub = await startInProcess(database.url);
  });
  beforeEach(async () => {
    await database.client.query(
      `TRUNCATE incidents.incident, incidents.incident_step, incidents.external_number CASCADE`,
    );
    await database.client.query(`DELETE FROM events.event WHERE topic = 'incident'`);
  });
  afterAll(async () => {
    await hub.close();
    await database.drop();
  });

  const run = (text: string, variables?: Record<string, unknown>) => ask(hub.urls.incidents, text, variables);
  const report = async (input: Record<string, unknown>) => {
    const { data, errors } = await run(REPORT, { input: { channel: 'APP', title: '井盖破损', ...input } });
    expect(errors).toBeUndefined();
    return (data as unknown as { reportIncident: { id: string } }).reportIncident.id;
  };
  const events = async () =>
    (
      await database.client.query(
        `SELECT envelope FROM events.event WHERE topic = 'incident' ORDER BY tx, seq`,
      )
    ).rows.map(({ envelope }) => envelope);

  describe('reportIncident', () => {
    it('answers with the same incident when the same request comes again, and appends one event', async () => {
      const first = await report({ requestId: 'a', externalNumbers: [{ kind: 'gridCode', number: 'W1' }] });
      const second = await report({ requestId: 'a', externalNumbers: [{ kind: 'gridCode', number: 'W1' }] });
      expect(second).toBe(first);
      expect(await events()).toHaveLength(1);
    });

    it('refuses the same requestId with another content as a CONFLICT, and changes nothing', async () => {
      const id = await report({ requestId: 'a' });
      const { data, errors } = await run(REPORT, {
        input: { requestId: 'a', channel: 'APP', title: '另一件' },
      });
      expect(data).toEqual({ reportIncident: null });
      expect(errors?.[0]?.extensions).toMatchObject({
        code: 'CONFLICT',
        argument: 'input.requestId',
        incident: id,
        origin: 'HUB',
      });
      expect(await events()).toHaveLength(1);
    });

    it('makes one incident of two equal requests at the same moment', async () => {
      const ids = await Promise.all(Array.from({ length: 8 }, () => report({ requestId: 'a' })));
      expect(new Set(ids).size).toBe(1);
      expect(await events()).toHaveLength(1);
    });

    it.each([
      ['input.title', { title: '  ' }],
      ['input.title', { title: 'x'.repeat(501) }],
      ['input.requestId', { requestId: '' }],
      ['input.division', { division: '3205%' }],
      ['input.description', { description: 'a\0b' }],
      ['input.externalNumbers.0.number', { externalNumbers: [{ kind: 'gridCode', number: '' }] }],
    ])('names the argument %s that is not acceptable', async (argument, input) => {
      const { data, errors } = await run(REPORT, {
        input: { requestId: 'a', channel: 'APP', title: '井盖', ...input },
      });
      expect(data).toEqual({ reportIncident: null });
      expect(errors?.[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', argument });
      expect(errors?.[0]?.path).toEqual(['reportIncident']);
      expect(JSON.stringify(errors)).not.toContain('stack');
    });

    it.each([
      ['2026-11-22T08:00:00', 'an instant without an offset'],
      ['2026-02-30T08:00:00Z', 'a day that is not in the calendar'],
    ])('refuses %s: %s', async (reportedAt) => {
      const input = { requestId: 'a', channel: 'APP', title: '井盖', reportedAt };
      // The second and third run are compiled ones; the last has the value in the document itself.
      const answers = [
        await run(REPORT, { input }),
        await run(REPORT, { input }),
        await run(REPORT, { input }),
        await run(
          `mutation { reportIncident(input: { requestId: "a", channel: APP, title: "x", reportedAt: "${reportedAt}" }) { id } }`,
        ),
      ];
      for (const { errors } of answers) {
        expect(errors?.[0]?.extensions).toEqual({ code: 'BAD_USER_INPUT', origin: 'HUB' });
        expect(errors?.[0]?.message).toContain('expected RFC 3339 with an offset');
      }
      expect(await events()).toEqual([]);
    });

    it('refuses a variable that is missing or of another type', async () => {
      for (const variables of [
        {},
        { input: null },
        { input: { requestId: 'a', channel: 'PIGEON', title: 'x' } },
      ]) {
        expect((await run(REPORT, variables)).errors?.[0]?.extensions).toMatchObject({
          code: 'BAD_USER_INPUT',
        });
      }
    });
  });

  describe('acceptIncident and routeIncident', () => {
    const accept = (id: string) =>
      run(
        'mutation ($id: ID!) { acceptIncident(id: $id, by: "坐席01", remark: "属实") { state stateLabel } }',
        { id },
      );
    const route = (id: string, department = 'urban-management') =>
      run(
        'mutation ($id: ID!, $department: ID!) { routeIncident(id: $id, department: $department, by: "坐席02") { stateLabel department { code } steps { sequence kind from to by remark } } }',
        { id, department },
      );

    it('take an incident along its way, each step with its event', async () => {
      const id = await report({ requestId: 'a', division: '320508017003' });
      expect((await accept(id)).data).toEqual({ acceptIncident: { state: 'ACCEPTED', stateLabel: '受理' } });
      expect((await route(id)).data).toEqual({
        routeIncident: {
          stateLabel: '分流',
          department: { code: 'urban-management' },
          steps: [
            { sequence: 1, kind: 'REPORTED', from: null, to: 'REPORTED', by: 'incidents', remark: null },
            { sequence: 2, kind: 'ACCEPTED', from: 'REPORTED', to: 'ACCEPTED', by: '坐席01', remark: '属实' },
            { sequence: 3, kind: 'ROUTED', from: 'ACCEPTED', to: 'ROUTED', by: '坐席02', remark: null },
          ],
        },
      });
      expect(await events()).toMatchObject([
        { id: `${id}:1`, type: 'dev.weft.incident.reported', sequence: '1' },
        {
          id: `${id}:2`,
          type: 'dev.weft.incident.accepted',
          sequence: '2',
          data: { division: '320508017003', channel: 'APP' },
        },
        {
          id: `${id}:3`,
          type: 'dev.weft.incident.routed',
          data: { change: { kind: 'ROUTED', from: 'ACCEPTED', to: 'ROUTED', by: '坐席02' } },
        },
      ]);
    });

    it('refuse a transition that the state does not allow, naming the state and what it allows', async () => {
      const id = await report({ requestId: 'a' });
      const { data, errors } = await route(id);
      expect(data).toEqual({ routeIncident: null });
      expect(errors?.[0]?.message).toBe(
        `incident ${id} is REPORTED (待受理): route is not allowed; allowed: accept`,
      );
      expect(errors?.[0]?.extensions).toEqual({
        code: 'CONFLICT',
        origin: 'HUB',
        state: 'REPORTED',
        action: 'route',
        allowed: 'accept',
      });
      expect(await events()).toHaveLength(1);
    });

    it('let one of many win who do the same at the same moment', async () => {
      const id = await report({ requestId: 'a' });
      const answers = await Promise.all(Array.from({ length: 8 }, () => accept(id)));
      expect(answers.filter(({ errors }) => errors === undefined)).toHaveLength(1);
      for (const { errors } of answers) {
        for (const error of errors ?? [])
          expect(error.extensions).toMatchObject({ code: 'CONFLICT', state: 'ACCEPTED' });
      }
      expect(await events()).toHaveLength(2);
    });

    it('answer NOT_FOUND for an incident that does not exist, whatever its id looks like', async () => {
      for (const id of ['00000000-0000-5000-8000-000000000000', 'x', "'; DROP TABLE"]) {
        expect((await accept(id)).errors?.[0]?.extensions).toMatchObject({
          code: 'NOT_FOUND',
          argument: 'id',
        });
      }
    });

    it.each(['Urban', 'urban management', '城管', 'a'.repeat(65), 'police/1'])(
      'refuse %s as a department: it is the code of none',
      async (department) => {
        const id = await report({ requestId: 'a' });
        await accept(id);
        const { data, errors } = await route(id, department);
        expect(data).toEqual({ routeIncident: null });
        expect(errors?.[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', argument: 'department' });
        expect(await events()).toHaveLength(2);
      },
    );

    it('know an incident by its id in lower case alone, as a live field does', async () => {
      const id = await report({ requestId: 'a' });
      const upper = id.toUpperCase();
      expect(upper).not.toBe(id);
      const one = 'query ($id: ID!) { incident(id: $id) { id } }';
      expect((await run(one, { id })).data).toEqual({ incident: { id } });
      expect((await run(one, { id: upper })).data).toEqual({ incident: null });
      expect((await accept(upper)).errors?.[0]?.extensions).toMatchObject({ code: 'NOT_FOUND' });
    });

    it('name the argument that is empty', async () => {
      const id = await report({ requestId: 'a' });
      const { errors } = await run('mutation ($id: ID!) { acceptIncident(id: $id, by: " ") { id } }', { id });
      expect(errors?.[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', argument: 'by' });
    });
  });

  describe('lists', () => {
    const DIVISIONS = ['320508017003', '320508017004', '320508018014', '320583', '3211'];
    const fill = async () => {
      for (let index = 0; index < 25; index++) {
        // Five incidents at each instant: the page boundary falls between equal ones.
        const reportedAt = new Date(Date.UTC(2026, 0, 1 + Math.floor(index / 5))).toISOString();
        await report({
          requestId: `r${index}`,
          title: `第${index}件`,
          division: DIVISIONS[index % 5],
          reportedAt,
        });
      }
    };

    it('page through every incident once, the latest first, while new ones come in', async () => {
      await fill();
      const seen: string[] = [];
      let after: string | null = null;
      for (let page = 0; page < 10; page++) {
        const { data, errors } = await run(PAGE, { first: 7, after });
        expect(errors).toBeUndefined();
        const { edges, pageInfo } = (data as unknown as Page).incidents;
        seen.push(...edges.map(({ node }) => node.title));
        after = pageInfo.endCursor;
        if (!pageInfo.hasNextPage) break;
        await report({ requestId: `late${page}`, title: '新', reportedAt: '2026-06-01T00:00:00Z' });
      }
      expect(seen).toHaveLength(25);
      expect(new Set(seen).size).toBe(25);
      expect(seen.slice(0, 5).every((title) => /^第2[0-4]件$/.test(title))).toBe(true);
    });

    it('take in what lies below a division, count it, and filter by state', async () => {
      await fill();
      const page = async (variables: Record<string, unknown>) =>
        ((await run(PAGE, variables)).data as unknown as Page).incidents;
      expect((await page({ division: '320508017' })).totalCount).toBe(10);
      expect((await page({ division: '3205', first: 200 })).edges).toHaveLength(20);
      expect((await page({ division: '3205', state: 'ACCEPTED' })).totalCount).toBe(0);
      const id = await report({
        requestId: 'r0',
        title: '第0件',
        division: DIVISIONS[0],
        reportedAt: '2026-01-01T00:00:00.000Z',
      });
      await run('mutation ($id: ID!) { acceptIncident(id: $id, by: "坐席") { id } }', { id });
      expect((await page({ division: '3205', state: 'ACCEPTED' })).totalCount).toBe(1);
      expect(
        (
          await run(
            '{ all: incidentCounts { state stateLabel count } some: incidentCounts(division: "320583") { state count } }',
          )
        ).data,
      ).toEqual({
        all: [
          { state: 'REPORTED', stateLabel: '待受理', count: 24 },
          { state: 'ACCEPTED', stateLabel: '受理', count: 1 },
        ],
        some: [{ state: 'REPORTED', count: 5 }],
      });
    });

    it('refuse a page that is too long, a foreign cursor and a filter that is no code', async () => {
      const codeOf = async (variables: Record<string, unknown>) =>
        (await run(PAGE, variables)).errors?.[0]?.extensions;
      expect(await codeOf({ first: 201 })).toMatchObject({
        code: 'LIMIT_EXCEEDED',
        limit: 'PAGE_INCIDENTS_MAX',
        max: 200,
      });
      expect(await codeOf({ first: -1 })).toMatchObject({ code: 'BAD_USER_INPUT', argument: 'first' });
      for (const after of [
        'x',
        'MSAxIHg',
        'a'.repeat(300),
        Buffer.from('1 99999999999999999 00000000-0000-5000-8000-000000000000').toString('base64url'),
      ]) {
        expect(await codeOf({ after })).toMatchObject({ code: 'INVALID_CURSOR', argument: 'after' });
      }
      expect(await codeOf({ division: '%' })).toMatchObject({ code: 'BAD_USER_INPUT', argument: 'division' });
      expect(await codeOf({ first: null })).toBeUndefined();
    });

    it('find an incident by the number of another system, the latest when there are several', async () => {
      await report({
        requestId: 'a',
        reportedAt: '2026-01-01T00:00:00Z',
        externalNumbers: [{ kind: 'gridCode', number: 'W1' }],
      });
      const later = await report({
        requestId: 'b',
        reportedAt: '2026-01-02T00:00:00Z',
        externalNumbers: [{ kind: 'gridCode', number: 'W1' }],
      });
      const { data } = await run(
        '{ a: incidentByExternalNumber(kind: "gridCode", number: "W1") { id } b: incidentByExternalNumber(kind: "gridCode", number: "W2") { id } }',
      );
      expect(data).toEqual({ a: { id: later }, b: null });
    });

    it('answer representations in their order, with null for one that does not exist', async () => {
      const id = await report({ requestId: 'a' });
      const { data } = await run(
        'query ($r: [_Any!]!) { _entities(representations: $r) { ... on Incident { title externalNumbers { kind } } } }',
        {
          r: ['x', id, '00000000-0000-5000-8000-000000000000'].map((each) => ({
            __typename: 'Incident',
            id: each,
          })),
        },
      );
      expect(data).toEqual({ _entities: [null, { title: '井盖破损', externalNumbers: [] }, null] });
    });
  });

  it('takes in reports and changes side by side', async () => {
    await appendEvents(
      database.client,
      'incident-report',
      Array.from({ length: 50 }, (_, index) => hotlineReport(`M${index}`)),
    );
    const ids = await Promise.all(
      Array.from({ length: 20 }, (_, index) => report({ requestId: `m${index}` })),
    );
    expect(new Set(ids).size).toBe(20);
    await waitFor(
      '70 incidents',
      async () => (await database.client.query('SELECT 1 FROM incidents.incident')).rowCount === 70,
    );
    expect(await events()).toHaveLength(70);
  });

  it('answers a document that is not GraphQL, or does not fit the schema, with its code', async () => {
    expect(await run('{ incidents')).toMatchObject({
      status: 400,
      data: null,
      errors: [{ extensions: { code: 'GRAPHQL_PARSE_FAILED' } }],
    });
    expect(await run('{ nothing }')).toMatchObject({
      status: 400,
      data: null,
      errors: [{ extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } }],
    });
  });
});
