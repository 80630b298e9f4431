// What is somebody's to do, as one list over the library, the grid platform and the hotline, in a hub as a user starts it.
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createHome, type GraphQLAnswer, type Hub, ROOT, removeHome, startHub } from '../support/hub.ts';
import { callHotline, clearFaults, control, moveOrder, setFaults } from '../support/simulated.ts';
import { waitFor } from '../support/wait.ts';

const COMMUNITY = '320508018014';
const GRID = `${COMMUNITY}001`;
const TASKS = `query ($first: Int, $after: String) { myTasks {
  tasks(first: $first, after: $after) {
    edges { cursor node {
      id kind kindLabel title action actionLabel since due overdue priority priorityLabel
      incident { id state } source { system { name title state } answered asOf }
      record { ... on GridTask { id kind grid { name } worker { name } } ... on HotlineOrder { id status } }
    } }
    pageInfo { hasNextPage endCursor }
  }
  sources { system { name } answered asOf tasks truncated }
} }`;

interface Task {
  readonly id: string;
  readonly kind: string;
  readonly title: string;
  readonly action: string | null;
  readonly due: string | null;
  readonly overdue: boolean;
  readonly record: Record<string, unknown> | null;
  readonly incident: { readonly id: string; readonly state: string } | null;
}
interface Mine {
  readonly tasks: {
    readonly edges: readonly { readonly cursor: string; readonly node: Task }[];
    readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
  } | null;
  readonly sources: readonly Record<string, unknown>[] | null;
}

interface Worker {
  readonly number: string;
  readonly name: string | null;
  readonly phone: string | null;
  readonly roles: readonly string[];
  readonly centre: { readonly division: { readonly code: string } };
  readonly gridWorker: {
    readonly name: string;
    readonly phone: string;
    readonly post: string;
    readonly grids: readonly { readonly community: string }[];
  } | null;
}

describe('the tasks of who asks', () => {
  const home = createHome();
  let hub: Hub;
  beforeAll(async () => {
    hub = await startHub({ home });
  }, 120_000);
  afterAll(async () => {
    await hub?.stop();
    removeHome(home);
  }, 60_000);
  vi.setConfig({ testTimeout: 90_000 });

  const tokens = new Map<string, Promise<string>>();
  const tokenOf = (...args: readonly string[]) => {
    const made =
      tokens.get(args.join(' ')) ??
      promisify(execFile)(process.execPath, ['cli/main.ts', 'token', ...args], {
        cwd: ROOT,
        env: { PATH: process.env.PATH ?? '', WEFT_HOME: home },
      }).then(({ stdout }) => stdout.trim());
    tokens.set(args.join(' '), made);
    return made;
  };
  const askAs = async <Data>(
    who: readonly string[],
    query: string,
    variables: Record<string, unknown> = {},
  ): Promise<GraphQLAnswer<Data>> => {
    const response = await fetch(hub.urls.graphql ?? '', {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${await tokenOf(...who)}` },
      body: JSON.stringify({ query, variables }),
    });
    return (await response.json()) as GraphQLAnswer<Data>;
  };
  const mineOf = async (who: readonly string[], variables = {}) => {
    const { data, errors } = await askAs<{ myTasks: Mine }>(who, TASKS, variables);
    expect(errors).toBeUndefined();
    return data?.myTasks as Mine;
  };
  const nodesOf = (mine: Mine | undefined) => mine?.tasks?.edges.map(({ node }) => node) ?? [];
  const assign = async (title: string, dueAt: string, gridCode = GRID) => {
    const body = { gridCode, title, dueAt, kind: '3', urgency: '2' };
    const made = await control<{ taskNo: string }[]>(hub, 'grid', '/tasks', 'POST', body);
    return made[0]?.taskNo ?? '';
  };
  const report = async (who: readonly string[], title: string) => {
    const input = { requestId: randomUUID(), channel: 'APP', title, division: COMMUNITY };
    const { data } = await askAs<{ reportIncident: { id: string } }>(
      who,
      'mutation ($input: ReportIncidentInput!) { reportIncident(input: $input) { id } }',
      { input },
    );
    return data?.reportIncident.id ?? '';
  };
  const act = async (who: readonly string[], id: string, field: string, args = '') => {
    const { errors } = await askAs(who, `mutation ($id: ID!) { ${field}(id: $id ${args}) { state } }`, {
      id,
    });
    expect(errors, field).toBeUndefined();
  };

  /** What comes of a live field, while something goes on happening. */
  const until = async <Value>(
    coming: Promise<IteratorResult<Value>>,
    happen: () => Promise<unknown>,
  ): Promise<Value> => {
    let come: IteratorResult<Value> | undefined;
    void coming.then((result) => (come = result));
    return await waitFor('what is told live', async () => {
      await happen();
      return come?.value as Value | undefined;
    });
  };

  const WORKER = ['--role', 'grid-worker', '--subject', 'WGY0043', '--division', COMMUNITY];
  const HEAD = ['--role', 'grid-head', '--subject', 'WGY0043', '--division', COMMUNITY];
  const STAFF = ['--role', 'centre-staff', '--division', COMMUNITY];
  const URBAN = ['--role', 'department-handler', '--department', 'urban-management'];

  it('of a grid worker are those of the grid platform and of their own reports, overdue ones first', async () => {
    const late = await assign('核查占道', '2020-01-02T00:00:00Z');
    const next = await assign('核查井盖', '2099-01-02T00:00:00Z');
    await askAs(WORKER, 'mutation ($input: ReportIncidentInput!) { reportIncident(input: $input) { id } }', {
      input: {
        requestId: randomUUID(),
        channel: 'APP',
        title: '路面塌陷',
        division: COMMUNITY,
        draft: true,
      },
    });
    const mine = await mineOf(WORKER);
    const tasks = nodesOf(mine);
    expect(tasks.map(({ title }) => title)).toEqual([
      '核查占道',
      '察院场社区入户走访',
      '核查井盖',
      '路面塌陷',
    ]);
    expect(tasks[0]).toMatchObject({
      id: `GRID_TASK:${late}`,
      kindLabel: '网格任务',
      overdue: true,
      priority: 'URGENT',
      priorityLabel: '紧急',
      action: null,
      incident: null,
      record: {
        id: late,
        kind: 'CHECK',
        grid: { name: '察院场社区第一网格' },
        worker: { name: '网格员0043' },
      },
      source: { system: { name: 'grid', title: '网格化服务管理平台', state: 'UP' }, answered: true },
    });
    expect(tasks[2]).toMatchObject({ record: { id: next }, overdue: false });
    expect(tasks[3]).toMatchObject({ kind: 'INCIDENT', action: 'submit', actionLabel: '提交', due: null });
    expect(mine.sources).toMatchObject([
      { system: { name: 'incidents' }, answered: true, tasks: 1, truncated: false },
      { system: { name: 'grid' }, answered: true, tasks: 3, truncated: false },
    ]);
    const words = '{ myTasks { tasks { edges { node { record { ... on GridTask { content } } } } } } }';
    const [closed, open] = [
      await askAs<{ myTasks: Mine }>(WORKER, words),
      await askAs<{ myTasks: Mine }>([...WORKER, '--scope', 'personal-information:read'], words),
    ];
    expect(nodesOf(closed.data?.myTasks).map(({ record }) => record?.content ?? null)).toEqual([
      null,
      null,
      null,
      null,
    ]);
    expect(closed.errors?.[0]?.extensions?.code).toBe('FORBIDDEN');
    expect(nodesOf(open.data?.myTasks)[1]?.record).toEqual({ content: '走访网格内住户，核对人口信息' });
    await control(hub, 'grid', `/tasks/${late}/state`, 'POST', { state: '2' });
    expect(nodesOf(await mineOf(WORKER)).map(({ title }) => title)).not.toContain('核查占道');
  });

  it('go from the centre to the department and back as the incident does, and are no one else’s', async () => {
    const id = await report(WORKER, '乱堆物料');
    const waits = async (who: readonly string[]) =>
      nodesOf(await mineOf(who)).find(({ incident }) => incident?.id === id)?.action;
    expect([await waits(STAFF), await waits(HEAD), await waits(URBAN)]).toEqual([
      'accept',
      'accept',
      undefined,
    ]);
    await act(STAFF, id, 'acceptIncident');
    expect([await waits(STAFF), await waits(HEAD)]).toEqual(['route', undefined]);
    await act(STAFF, id, 'routeIncident', 'department: "justice"');
    const justice = ['--role', 'department-handler', '--department', 'justice'];
    expect([await waits(STAFF), await waits(justice), await waits(URBAN)]).toEqual([
      undefined,
      'signFor',
      undefined,
    ]);
    await act(justice, id, 'signForIncident');
    expect(await waits(justice)).toBe('feedBack');
    await act(justice, id, 'feedBackIncident', 'result: "已清理"');
    expect([await waits(justice), await waits(STAFF), await waits(HEAD)]).toEqual([
      undefined,
      'startVerification',
      'startVerification',
    ]);
    // The district's centre does not do what is its community's to do.
    expect(await waits(['--role', 'centre-staff', '--division', '320508'])).toBeUndefined();
  });

  it('are told live where they are awaited: a change of office tells the one that has it and the one that had it', async () => {
    const live = hub.subscribe<{
      myTasksChanged: { change: { kind: string }; incident: { id: string } | null };
    }>(
      'subscription { myTasksChanged(department: "civil-affairs") { change { kind } incident { id state } } }',
    );
    const told = live.next();
    const tasksLive = hub.subscribe<{ gridTaskChanged: { gridTask: { id: string; status: string } } }>(
      'subscription { gridTaskChanged(worker: "WGY0044") { gridTask { id status } } }',
    );
    const given = tasksLive.next();
    const [id, other] = [await report(WORKER, '困难救助'), await report(WORKER, '非法停车')];
    for (const each of [id, other]) await act(STAFF, each, 'acceptIncident');
    await act(STAFF, other, 'routeIncident', 'department: "police"');
    await act(STAFF, id, 'routeIncident', 'department: "civil-affairs"');
    // Nobody says when a subscription stands: something happens until it is told of.
    const first = await until(told, async () => {
      await act(STAFF, other, 'superviseIncident', 'reason: "催办"');
      await act(STAFF, id, 'superviseIncident', 'reason: "催办"');
    });
    expect(first.data?.myTasksChanged.incident).toMatchObject({ id });
    const civil = ['--role', 'department-handler', '--department', 'civil-affairs'];
    await act(civil, id, 'returnIncident', 'returnReason: NOT_OUR_DUTY, reason: "超出职责"');
    for (;;) {
      const { value } = await live.next();
      expect(value.data?.myTasksChanged.incident).toMatchObject({ id });
      if (value.data?.myTasksChanged.change.kind === 'RETURNED') break;
    }
    const { data } = await until(given, () => assign('核查路灯', '2099-01-03T00:00:00Z', `${COMMUNITY}002`));
    expect(data?.gridTaskChanged.gridTask).toMatchObject({ status: 'WAITING' });
    await Promise.all([live.return?.(), tasksLive.return?.()]);
  });

  it('come page by page, each once, in the order of the whole', async () => {
    const whole = nodesOf(await mineOf(HEAD)).map(({ id }) => id);
    expect(whole.length).toBeGreaterThanOrEqual(3);
    const found: string[] = [];
    let after: string | null = null;
    do {
      const { tasks }: Mine = await mineOf(HEAD, { first: 1, after });
      found.push(...(tasks?.edges.map(({ node }) => node.id) ?? []));
      after = tasks?.pageInfo.hasNextPage ? (tasks.pageInfo.endCursor ?? null) : null;
    } while (after !== null);
    expect(found).toEqual(whole);
    const { errors } = await askAs(HEAD, TASKS, { first: 201 });
    expect(errors?.[0]?.extensions).toMatchObject({ code: 'LIMIT_EXCEEDED', limit: 'PAGE_TASKS_MAX' });
    const bad = await askAs(HEAD, TASKS, { after: 'x' });
    expect(bad.errors?.[0]?.extensions).toMatchObject({ code: 'INVALID_CURSOR' });
  });

  it('of who sits at the hotline’s desk are its orders, but for those that are worked on as incidents', async () => {
    const orderNo = await callHotline(hub, {
      externalRef: randomUUID(),
      subject: '噪音扰民',
      areaCode: COMMUNITY,
    });
    await moveOrder(hub, orderNo, '40');
    const order = async () =>
      nodesOf(await mineOf(STAFF)).find(({ record, incident, title }) =>
        title === '噪音扰民' && record !== null ? record.id === orderNo : incident === null,
      );
    await waitFor('the order to be an incident', async () =>
      nodesOf(await mineOf(STAFF)).some(({ title, kind }) => title === '噪音扰民' && kind === 'INCIDENT'),
    );
    expect(await order()).toBeUndefined();
    const incident = nodesOf(await mineOf(STAFF)).find(({ title }) => title === '噪音扰民')?.incident;
    await act(STAFF, incident?.id ?? '', 'acceptIncident');
    await act(STAFF, incident?.id ?? '', 'rejectIncident', 'reason: "不属受理范围"');
    expect(await order()).toMatchObject({
      kind: 'HOTLINE_ORDER',
      record: { id: orderNo, status: 'VISITING' },
      incident: { id: incident?.id, state: 'REJECTED' },
    });
  });

  it('lose no more than the rows of a system that is down, and say so', async () => {
    const before = nodesOf(await mineOf(HEAD));
    await setFaults(hub, 'grid', { refuse: true });
    const { data, errors } = await askAs<{ myTasks: Mine }>(HEAD, TASKS);
    await clearFaults(hub, 'grid');
    const { myTasks } = data ?? {};
    expect(nodesOf(myTasks).map(({ id }) => id)).toEqual(
      before.filter(({ kind }) => kind === 'INCIDENT').map(({ id }) => id),
    );
    expect(nodesOf(myTasks).length).toBeGreaterThan(0);
    expect(myTasks?.sources).toMatchObject([
      { system: { name: 'incidents' }, answered: true },
      { system: { name: 'grid' }, answered: false, asOf: null, tasks: null },
    ]);
    expect(errors?.map(({ extensions }) => [extensions?.code, extensions?.system])).toContainEqual([
      'UPSTREAM_INVALID',
      'grid',
    ]);
    await waitFor(
      'the rows of the grid platform',
      async () =>
        nodesOf((await askAs<{ myTasks: Mine }>(HEAD, TASKS)).data?.myTasks).length === before.length,
      30_000,
    );
  });

  it('are of workers whom the directory and the grid platform know alike, each by what is its own', async () => {
    const reader = ['--role', 'leader', '--division', '320508', '--scope', 'personal-information:read'];
    const query = `{ workers(division: "320508018", first: 500) { edges { node {
      number name phone roles centre { division { code } } gridWorker { name phone post grids { community } }
    } } } }`;
    const { data, errors } = await askAs<{ workers: { edges: { node: Worker }[] } }>(reader, query);
    expect(errors).toBeUndefined();
    const workers = data?.workers.edges.map(({ node }) => node) ?? [];
    const onStreets = workers.filter(({ gridWorker }) => gridWorker !== null);
    expect(onStreets.length).toBeGreaterThan(30);
    for (const { number, name, phone, roles, centre, gridWorker } of onStreets) {
      expect([name, phone], number).toEqual([null, null]);
      expect(gridWorker?.grids.map(({ community }) => community)).toEqual([centre.division.code]);
      expect(gridWorker?.name).toBe(`网格员${number.slice(3)}`);
      expect(gridWorker?.phone).toMatch(/^0512-/);
      expect(roles.includes('grid-head')).toBe(gridWorker?.post === '网格长');
    }
    const withoutScope = await askAs<{ worker: Record<string, unknown> }>(
      HEAD,
      '{ worker(number: "ZX320508") { name phone } grid: worker(number: "WGY0043") { gridWorker { name phone } } }',
    );
    expect(withoutScope.data).toMatchObject({
      worker: { name: '姑苏区综治网格服务中心工作人员', phone: null },
      grid: { gridWorker: { name: '网格员0043', phone: null } },
    });
    expect(withoutScope.errors?.map(({ path }) => path?.join('.'))).toEqual(
      expect.arrayContaining(['worker.phone', 'grid.gridWorker.phone']),
    );
    const me = await askAs(HEAD, '{ me { worker { number gridWorker { name } } roles division { name } } }');
    expect(me.data).toEqual({
      me: {
        worker: { number: 'WGY0043', gridWorker: { name: '网格员0043' } },
        roles: ['grid-head'],
        division: { name: '察院场社区居委会' },
      },
    });
  });

  it('stand when every connector is away: the library’s own are a field that asks nobody', async () => {
    process.kill(hub.pid('connectors'), 'SIGKILL');
    const { data } = await askAs<{ myTasks: { incidentTasks: Mine['tasks'] } }>(
      HEAD,
      '{ myTasks { incidentTasks { edges { node { id kind } } pageInfo { hasNextPage } } tasks { edges { node { id } } } } }',
    );
    const own = data?.myTasks.incidentTasks?.edges.map(({ node }) => node) ?? [];
    expect(own.length).toBeGreaterThan(0);
    expect(own.every(({ kind }) => kind === 'INCIDENT')).toBe(true);
  });

  it('are of somebody: the anonymous have none', async () => {
    const { data, errors } = await hub.query<{ myTasks: null }>('{ myTasks { tasks { edges { cursor } } } }');
    expect(data?.myTasks).toBeNull();
    expect(errors?.[0]?.extensions).toMatchObject({ code: 'UNAUTHENTICATED' });
  });
});
