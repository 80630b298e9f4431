// Posts and workers of the directory, who asks, and who acted: over the subgraphs as they are in production.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { whyNoPostgres } from '../support/engines.ts';
import { type Asker, createMigratedDatabase, startSigned } from '../support/owned-subgraphs.ts';

const noPostgres = await whyNoPostgres();

const STAFF: Asker = { subject: 'ZX320508', roles: ['centre-staff'], division: '320508' };
const HANDLER: Asker = {
  subject: 'JB-police-1',
  roles: ['department-handler'],
  department: 'police',
  division: '320508',
};

interface Page {
  readonly edges: readonly { readonly cursor: string; readonly node: { readonly number: string } }[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
}

describe.skipIf(noPostgres !== undefined)('people', () => {
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

  const ask = async <Data>(query: string, variables = {}, asker: Asker | undefined = STAFF) => {
    const { data, errors } = await hub.askAs(asker, query, variables, 'directory');
    expect(errors).toBeUndefined();
    return data as unknown as Data;
  };

  it('are known by number, with post, role, place and what is theirs alone', async () => {
    const data = await ask(`{
      staff: worker(number: "ZB320508") { name division { name } centre { code } department { code } posts { code name role } roles gridWorker { id } phone }
      stationed: worker(number: "PZ-police-320508017") { centre { name } department { name } roles }
      grid: worker(number: "WGY0001") { name phone posts { name } roles gridWorker { id } centre { code } }
      nobody: worker(number: "WGY9999") { number }
      odd: worker(number: "\\u0000") { number }
    }`);
    expect(data).toEqual({
      staff: {
        name: '姑苏区综治网格服务中心值班员',
        division: { name: '姑苏区' },
        centre: { code: '320508-01' },
        department: null,
        posts: [
          { code: 'duty-officer', name: '值班员', role: 'duty-officer' },
          { code: 'operator', name: '业务人员', role: 'operator' },
        ],
        roles: ['duty-officer', 'operator'],
        gridWorker: null,
        phone: expect.stringMatching(/^0512-0001\d{4}$/),
      },
      stationed: {
        centre: { name: '白洋湾街道综治网格服务中心' },
        department: { name: '公安' },
        roles: ['stationed-agency'],
      },
      grid: {
        name: null,
        phone: null,
        posts: [{ name: '网格长' }, { name: '网格员' }],
        roles: ['grid-head', 'grid-worker'],
        gridWorker: { id: 'WGY0001' },
        centre: { code: expect.stringMatching(/^320508\d{6}-01$/) },
      },
      nobody: null,
      odd: null,
    });
  });

  it('are listed by division, department and centre, page by page, each once', async () => {
    const numbersOf = async (list: (after: string | null) => Promise<Page>) => {
      const found: string[] = [];
      let after: string | null = null;
      do {
        const page: Page = await list(after);
        found.push(...page.edges.map(({ node }) => node.number));
        after = page.pageInfo.hasNextPage ? page.pageInfo.endCursor : null;
      } while (after !== null);
      return found;
    };
    const page = 'edges { cursor node { number } } pageInfo { hasNextPage endCursor }';
    const workers = (args: string, first: number) =>
      numbersOf(
        async (after) =>
          (
            await ask<{ workers: Page }>(
              `query ($after: String) { workers(${args} first: ${first}, after: $after) { ${page} } }`,
              { after },
            )
          ).workers,
      );
    const inTown = await workers('division: "320508017",', 7);
    expect(new Set(inTown).size).toBe(inTown.length);
    expect(inTown).toEqual(expect.arrayContaining(['ZX320508017', 'ZX320508017003', 'PZ-justice-320508017']));
    expect(await workers('division: "320508017",', 500)).toEqual(inTown);
    expect(await workers('department: "police", division: "320508017",', 500)).toEqual([
      'PZ-police-320508017',
    ]);
    const ofPolice = await numbersOf(
      async (after) =>
        (
          await ask<{ department: { workers: Page } }>(
            `query ($after: String) { department(code: "police") { workers(first: 3, after: $after) { ${page} } } }`,
            { after },
          )
        ).department.workers,
    );
    expect(ofPolice).toEqual(await workers('department: "police",', 500));
    const { centre } = await ask<{ centre: Record<'workers', Page> & { children: { workers: Page }[] } }>(
      `{ centre(code: "320508017-01") { workers { ${page} } children(first: 3) { code workers(first: 2) { ${page} } } } }`,
    );
    expect(centre.workers.edges.map(({ node }) => node.number)).toContain('LD320508017');
    for (const { workers: ofChild } of centre.children) {
      expect(ofChild.edges).toHaveLength(2);
      expect(ofChild.pageInfo.hasNextPage).toBe(true);
    }
  });

  it('are refused by what is no code and no cursor', async () => {
    const codeOf = async (args: string) => {
      const query = `{ workers(${args}) { pageInfo { endCursor } } }`;
      const { errors } = await hub.askAs(STAFF, query, {}, 'directory');
      return errors?.[0]?.extensions;
    };
    expect(await codeOf('division: "%"')).toMatchObject({ code: 'BAD_USER_INPUT', argument: 'division' });
    expect(await codeOf('department: "x y"')).toMatchObject({ argument: 'department' });
    expect(await codeOf('after: "x"')).toMatchObject({ code: 'INVALID_CURSOR' });
    expect(await codeOf('first: -1')).toMatchObject({ code: 'BAD_USER_INPUT', argument: 'first' });
  });

  it('are told who they are by their credentials, and the anonymous nothing', async () => {
    const me = '{ me { worker { number name } roles division { name } department { name } } }';
    expect(await ask(me, {}, HANDLER)).toEqual({
      me: {
        worker: { number: 'JB-police-1', name: '公安局经办人1' },
        roles: ['department-handler'],
        division: { name: '姑苏区' },
        department: { name: '公安' },
      },
    });
    const stranger: Asker = { subject: '320508199001010000', roles: ['citizen'] };
    expect(await ask(me, {}, stranger)).toEqual({
      me: { worker: null, roles: ['citizen'], division: null, department: null },
    });
    expect((await hub.askAs(undefined, me, {}, 'directory')).data).toEqual({ me: null });
  });

  it('stand at the steps and attempts of theirs; citizens and systems do not', async () => {
    const citizen: Asker = { subject: '320508199001010000', roles: ['citizen'] };
    const run = async (asker: Asker, query: string, variables: Record<string, unknown>) => {
      const { data, errors } = await hub.askAs(asker, query, variables);
      expect(errors).toBeUndefined();
      return data as unknown as Record<string, { id: string }>;
    };
    const input = { requestId: randomUUID(), channel: 'APP', title: '路灯不亮', division: '320508017003' };
    const reported = await run(
      citizen,
      'mutation ($input: ReportIncidentInput!) { reportIncident(input: $input) { id } }',
      { input },
    );
    const id = reported.reportIncident?.id;
    const act = (asker: Asker, field: string, args = '') =>
      run(asker, `mutation ($id: ID!) { ${field}(id: $id ${args}) { id } }`, { id });
    await act(STAFF, 'acceptIncident');
    await act(STAFF, 'routeIncident', 'department: "police"');
    await act(HANDLER, 'signForIncident');
    const shown = await run(
      STAFF,
      'query ($id: ID!) { incident(id: $id) { steps { kind worker { number } } attempts { routedByWorker { number } signedByWorker { number } } } }',
      { id },
    );
    expect(shown.incident).toEqual({
      steps: [
        { kind: 'REPORTED', worker: null },
        { kind: 'ACCEPTED', worker: { number: 'ZX320508' } },
        { kind: 'ROUTED', worker: { number: 'ZX320508' } },
        { kind: 'SIGNED', worker: { number: 'JB-police-1' } },
      ],
      attempts: [{ routedByWorker: { number: 'ZX320508' }, signedByWorker: { number: 'JB-police-1' } }],
    });
  });
});
