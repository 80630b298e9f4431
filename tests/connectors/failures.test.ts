import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import {
  createMariadbDatabase,
  POSTGRES_URL,
  type TestDatabase,
  whyNoMariadb,
  whyNoPostgres,
} from '../support/engines.ts';
import { BARE_ENVIRONMENT } from '../support/environment.ts';
import { waitFor } from '../support/wait.ts';
import { COMMUNITY, list, makeOrders, pick, type Rig, startRig } from './rig.ts';
import { startTcpGate, type TcpGate } from './tcp-gate.ts';

const noPostgres = await whyNoPostgres();
const noMariadb = await whyNoMariadb();
const MAIN = fileURLToPath(new URL('../../connectors/main.ts', import.meta.url));

let rig: Rig | undefined;
let gate: TcpGate | undefined;
let mariadb: TestDatabase | undefined;
let child: ChildProcess | undefined;

afterEach(async () => {
  child?.kill('SIGKILL');
  await rig?.close();
  await gate?.close();
  await mariadb?.drop();
  [rig, gate, mariadb, child] = [undefined, undefined, undefined, undefined];
});

async function reported(of: Rig): Promise<readonly string[]> {
  const rows = await of.rows<{ subject: string }>(
    `SELECT subject FROM events.event WHERE topic = 'incident-report' ORDER BY subject`,
  );
  return rows.map(({ subject }) => subject);
}

describe.skipIf(noPostgres !== undefined)('when the hub’s database is away', () => {
  it('reads go on, pushes are answered with 503, and nothing is lost when it is back', async () => {
    const { hostname, port } = new URL(POSTGRES_URL);
    gate = await startTcpGate(hostname, Number(port || 5432));
    rig = await startRig({ systems: ['hotline', 'grid'], databasePort: gate.port });
    const [first] = (await makeOrders(rig, 1, 'before')) as [string];
    await waitFor('the first order', async () => (await reported(rig as Rig)).length === 1);
    gate.shut();
    const made = await makeOrders(rig, 20, 'during');
    const { errors } = await rig.entities('hotline', 'HotlineOrder.id', [first], 'title');
    expect(errors).toBeUndefined();
    const stats = () => (rig as Rig).simulators.control<{ pending: number }>('hotline', '/stats');
    expect((await stats()).pending).toBe(20);
    gate.open();
    await waitFor('all orders', async () => (await reported(rig as Rig)).length === 21, 15_000);
    expect(await reported(rig)).toEqual([first, ...made].map((no) => `HotlineOrder:${no}`).toSorted());
    await waitFor('all pushes to be acknowledged', async () => (await stats()).pending === 0);
  });

  it('does not keep the host from starting', async () => {
    const { hostname, port } = new URL(POSTGRES_URL);
    gate = await startTcpGate(hostname, Number(port || 5432));
    gate.shut();
    rig = await startRig({ systems: ['hotline', 'grid', 'police'], databasePort: gate.port });
    const { data } = await rig.query('grid', `{ grids(community: "${COMMUNITY}") { code } }`);
    expect(list(data, 'grids').length).toBeGreaterThan(0);
    const [orderNo] = (await makeOrders(rig, 1, 'early')) as [string];
    gate.open();
    await waitFor(
      'the order',
      async () => (await reported(rig as Rig)).includes(`HotlineOrder:${orderNo}`),
      15_000,
    );
  });
});

describe.skipIf(noPostgres !== undefined)('the connector host as a process', () => {
  async function startProcess(env: Readonly<Record<string, string>>): Promise<Record<string, string>> {
    child = fork(MAIN, {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      env: { ...BARE_ENVIRONMENT, WEFT_LOG_LEVEL: 'silent', ...env },
    });
    const [message] = (await once(child, 'message')) as [{ kind: string; urls: Record<string, string> }];
    expect(message, JSON.stringify(message)).toMatchObject({ kind: 'ready' });
    return message.urls;
  }

  it('is killed in the middle of a flood of pushes and makes one report of each order all the same', async () => {
    rig = await startRig({ systems: ['hotline', 'grid', 'police'] });
    await rig.stopHost();
    const urls = await startProcess(rig.env);
    expect(Object.keys(urls)).toEqual(
      expect.arrayContaining(['connectors', 'grid', 'hotline', 'ingest', 'police']),
    );
    const made = [...(await makeOrders(rig, 400, 'flood-a')), ...(await makeOrders(rig, 400, 'flood-b'))];
    await waitFor('some reports', async () => (await reported(rig as Rig)).length >= 100);
    const exited = once(child as ChildProcess, 'exit');
    child?.kill('SIGKILL');
    await exited;
    expect((await reported(rig)).length).toBeLessThan(made.length);
    await startProcess(rig.env);
    await waitFor('every report', async () => (await reported(rig as Rig)).length === made.length, 20_000);
    expect(await reported(rig)).toEqual(made.map((no) => `HotlineOrder:${no}`).toSorted());
  });

  it('ends in time with exit code 0 when it is told to', async () => {
    rig = await startRig({ systems: ['hotline', 'grid', 'police'] });
    await rig.stopHost();
    await startProcess(rig.env);
    const exited = once(child as ChildProcess, 'exit');
    const startedAt = performance.now();
    child?.kill('SIGTERM');
    const [code] = await exited;
    expect(code).toBe(0);
    expect(performance.now() - startedAt).toBeLessThan(5_000);
  });

  it('names the setting that is missing in one line', async () => {
    child = fork(MAIN, {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      env: { ...BARE_ENVIRONMENT, DATABASE_URL: POSTGRES_URL, WEFT_LOG_LEVEL: 'silent' },
    });
    const [[message], [code]] = await Promise.all([once(child, 'message'), once(child, 'exit')]);
    expect(message).toMatchObject({ kind: 'failed', message: expect.stringMatching(/WEFT_\w+/) });
    expect(code).toBe(2);
  });
});

describe.skipIf(noPostgres !== undefined || noMariadb !== undefined)('the grid on MariaDB', () => {
  it('is read in batches and polled as on SQLite, and its faults are told by code', async () => {
    mariadb = await createMariadbDatabase();
    rig = await startRig({ systems: ['grid'], gridMariadbUrl: mariadb.url });
    const { simulators } = rig;
    const text = `{ grids(community: "${COMMUNITY}") { code name worker { name } patrols { startedAt metres } } }`;
    const { data, errors } = await rig.query('grid', text);
    expect(errors).toBeUndefined();
    expect(pick(data, 'grids', 0, 'worker', 'name')).toMatch(/^网格员/);
    const codes = list(data, 'grids').map((grid) => String(pick(grid, 'code')));
    const event = { externalRef: 'm-1', title: '井盖破损', areaCode: COMMUNITY };
    const [made] = await simulators.control<{ eventNo: string }[]>('grid', '/events', 'POST', [event]);
    await waitFor('the event', async () =>
      (await reported(rig as Rig)).includes(`GridEvent:${made?.eventNo}`),
    );
    for (const [faults, code] of [
      [{ duplicate: true }, 'UPSTREAM_INVALID'],
      [{ refuse: true }, 'UPSTREAM_INVALID'],
      [{ latencyMs: 4_000 }, 'DEADLINE_EXCEEDED'],
    ] as const) {
      // From a closed breaker: while it is open, what tries the system may be the poll alone.
      await simulators.control('grid', '/faults', 'DELETE');
      await waitFor('the grid to answer', async () => (await rig?.query('grid', text))?.errors === undefined);
      await simulators.control('grid', '/faults', 'POST', faults);
      await waitFor(`${JSON.stringify(faults)} to be told as ${code}`, async () => {
        const answer = await (rig as Rig).entities('grid', 'Grid.code', codes.slice(0, 1), 'name');
        return answer.errors?.[0]?.extensions.code === code;
      });
    }
    await simulators.control('grid', '/faults', 'DELETE');
    await waitFor(
      'the grid to answer again',
      async () => (await rig?.query('grid', text))?.errors === undefined,
    );
  });
});
