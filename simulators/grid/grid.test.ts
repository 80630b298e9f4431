import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { createConnection, type RowDataPacket } from 'mysql2/promise';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { call, createTestFolder, type TestFolder, until } from '../test-support.ts';
import { type Grid, startGrid } from './server.ts';

const GRID = '320508018014001';
const EVEN_GRID = '320508018014002';

/** Reads as the hub does: a connection of its own that stays open, by SQL. */
interface Reader {
  all(sql: string): Promise<readonly Record<string, unknown>[]>;
  close(): Promise<void>;
}

interface World {
  readonly grid: Grid;
  readonly reader: Reader;
  restart(): Promise<void>;
  end(): Promise<void>;
}

const mariadbIsThere = await createConnection({ uri: 'mysql://root@127.0.0.1:3306/', connectTimeout: 1_000 })
  .then(async (connection) => {
    await connection.end();
    return true;
  })
  .catch((thrown: unknown) => {
    console.warn(`grid platform on MariaDB: skipped, 127.0.0.1:3306 is not reachable (${String(thrown)})`);
    return false;
  });

let world: World;

describe.each([
  { engine: 'SQLite', create: createSqliteWorld, isThere: true },
  { engine: 'MariaDB', create: createMariadbWorld, isThere: mariadbIsThere },
])('the grid platform on $engine', ({ engine, create, isThere }) => {
  describe.skipIf(!isThere)('', () => {
    beforeEach(async () => {
      world = await create();
    });
    afterEach(() => world.end());
    describeBooks();
    describeFaults(engine);
  });
});

const control = (path: string) => `${world.grid.controlUrl}/_control/${path}`;
const set = (faults: object) => call('POST', control('faults'), faults);
const report = async (externalRef: string) => {
  const created = await world.grid.reportEvents([
    {
      externalRef,
      gridCode: GRID,
      title: '积存垃圾渣土',
      matter: '06011',
      reportedAt: '2026-03-01 08:00:00',
    },
  ]);
  return created[0]?.eventNo ?? '';
};
const readEvent = async (eventNo: string) =>
  (await world.reader.all(`select * from wg_shijian where sjbh = '${eventNo}'`))[0];

function describeBooks(): void {
  test('has three grids for each community of 姑苏区, each with a worker and patrols', async () => {
    expect((await call('GET', control('stats'))).body).toMatchObject({
      grids: 513,
      workers: 513,
      patrols: 1026,
      tasks: 513,
    });
    const rows = await world.reader.all(
      `select g.*, y.xm from wg_wangge g join wg_wanggeyuan y on y.wgybh = g.wgybh where g.wgbm = '${GRID}'`,
    );
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatchObject({ sqdm: '320508018014', xm: expect.stringMatching(/^网格员\d{4}$/) });
    expect(rows[0]?.gxsj).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}$/);
  });

  test('makes one event of an external reference, and numbers the versions of its states', async () => {
    const body = [
      { externalRef: 'r', gridCode: GRID, title: '积存垃圾渣土', reportedAt: '2026-03-01T00:00:00Z' },
    ];
    const first = await call('POST', control('events'), body);
    const again = await call('POST', control('events'), body);
    expect([first.status, first.body]).toEqual([
      201,
      [{ externalRef: 'r', eventNo: 'SJ20260301000001', created: true }],
    ]);
    expect(again.body).toEqual([{ externalRef: 'r', eventNo: 'SJ20260301000001', created: false }]);
    expect(await readEvent('SJ20260301000001')).toMatchObject({
      zt: '1',
      bb: 1,
      sbsj: '2026-03-01 08:00:00.000',
    });
    await call('POST', control('events/SJ20260301000001/state'), { state: '2' });
    expect(await readEvent('SJ20260301000001')).toMatchObject({ zt: '2', bb: 2 });
    expect((await call('POST', control('events/SJ1/state'), { state: '2' })).status).toBe(404);
  });

  test('keeps statistics of what is open, of the community and of all that it lies in', async () => {
    const open = async () =>
      Object.fromEntries(
        (await world.reader.all('select qhdm, wjs from wg_tongji')).map(({ qhdm, wjs }) => [qhdm, wjs]),
      );
    const first = await report('a');
    await report('b');
    expect(await open()).toEqual({ 320508: 2, 320508018: 2, 320508018014: 2, 0: 2 });
    await world.grid.changeState(first, '2');
    expect((await open())['320508']).toBe(2);
    await world.grid.changeState(first, '3');
    expect(await open()).toEqual({ 320508: 1, 320508018: 1, 320508018014: 1, 0: 1 });
    await world.restart();
    expect((await open())['0']).toBe(1);
  });

  test('refuses an event of a grid that is not there', async () => {
    const answer = await call('POST', control('events'), { externalRef: 'r', gridCode: '1', title: 't' });
    expect([answer.status, JSON.stringify(answer.body)]).toEqual([400, expect.stringContaining('gridCode')]);
  });

  test('keeps patrols with their times, worker and length', async () => {
    const patrol = {
      gridCode: GRID,
      startedAt: '2026-03-01T00:00:00Z',
      endedAt: '2026-03-01 08:30:00',
      metres: 1_650,
    };
    const made = await call('POST', control('patrols'), patrol);
    expect([made.status, made.body]).toEqual([201, [{ gridCode: GRID, patrolNo: 'XC20260301000001' }]]);
    const rows = await world.reader.all("select * from wg_xuncha where id = 'XC20260301000001'");
    expect(rows).toMatchObject([
      { wgbm: GRID, kssj: '2026-03-01 08:00:00.000', jssj: '2026-03-01 08:30:00.000', lc: 1_650 },
    ]);
    expect(rows[0]?.wgybh).toBeTruthy();
  });

  test.each([
    ['gridCode', { gridCode: '1' }],
    ['startedAt', { startedAt: 'at noon' }],
    ['endedAt', { endedAt: '2026-03-01 07:00:00' }],
    ['metres', { metres: -1 }],
  ])('refuses patrols of which one has a wrong %s, and takes none of them', async (field, wrong) => {
    const patrol = {
      gridCode: GRID,
      startedAt: '2026-03-01 08:00:00',
      endedAt: '2026-03-01 08:30:00',
      metres: 1,
    };
    const answer = await call('POST', control('patrols'), [patrol, { ...patrol, ...wrong }]);
    expect([answer.status, JSON.stringify(answer.body)]).toEqual([400, expect.stringContaining(field)]);
    expect((await call('GET', control('stats'))).body).toMatchObject({ patrols: 1026 });
  });

  test('gives a task to the worker of a grid, and keeps what becomes of it', async () => {
    const task = {
      gridCode: GRID,
      kind: '3',
      title: '核查占道',
      urgency: '2',
      dueAt: '2026-03-02T00:00:00Z',
    };
    const made = await call('POST', control('tasks'), task);
    expect(made).toMatchObject({ status: 201, body: [{ gridCode: GRID, worker: 'WGY0043' }] });
    const { taskNo } = (made.body as { taskNo: string }[])[0] ?? {};
    expect((await call('POST', control(`tasks/${taskNo}/state`), { state: '1' })).body).toEqual({
      taskNo,
      state: '1',
    });
    const rows = await world.reader.all(`select * from wg_renwu where rwbh = '${taskNo}'`);
    expect(rows).toMatchObject([
      { wgybh: 'WGY0043', rwlx: '3', jjcd: '2', zt: '1', jzsj: '2026-03-02 08:00:00.000', bb: 2 },
    ]);
    expect((await call('POST', control('tasks/RW0/state'), { state: '1' })).status).toBe(404);
  });

  test.each([
    ['gridCode', { gridCode: '1' }],
    ['gridCode', { gridCode: '999999999999999' }],
    ['title', { title: '' }],
    ['dueAt', { dueAt: 'soon' }],
  ])('refuses tasks of which one has a wrong %s, and takes none of them', async (field, wrong) => {
    const task = { gridCode: GRID, title: '走访' };
    const answer = await call('POST', control('tasks'), [task, { ...task, ...wrong }]);
    expect([answer.status, JSON.stringify(answer.body)]).toEqual([400, expect.stringContaining(field)]);
    expect((await call('GET', control('stats'))).body).toMatchObject({ tasks: 513 });
  });

  test('comes back from a restart with its books and without faults', async () => {
    const eventNo = await report('r');
    await set({ duplicate: true, garbage: true });
    await world.restart();
    expect(await world.reader.all(`select zt from wg_shijian where sjbh = '${eventNo}'`)).toMatchObject([
      { zt: '1' },
    ]);
    expect((await call('GET', control('stats'))).body).toMatchObject({ grids: 513, events: 1 });
  });
}

function describeFaults(engine: string): void {
  test('refuse takes the tables away, and the platform keeps its books meanwhile', async () => {
    await set({ refuse: true });
    await expect(world.reader.all('select * from wg_wangge')).rejects.toThrow(/wg_wangge/);
    const eventNo = await report('r');
    await call('DELETE', control('faults'));
    expect(await readEvent(eventNo)).toMatchObject({ sjbh: eventNo });
  });

  test('latencyMs slows every query down', async () => {
    await set({ latencyMs: 400 });
    const startedAtMs = Date.now();
    const rows = await world.reader.all(`select * from wg_wangge where wgbm = '${GRID}'`);
    expect(rows).toHaveLength(1);
    // Counting is no clock: the machine may be faster now than when it was measured.
    expect(Date.now() - startedAtMs).toBeGreaterThan(engine === 'SQLite' ? 100 : 390);
  });

  test('garbage shows an unknown status and a date in words, and nothing of it stays', async () => {
    const eventNo = await report('r');
    await set({ garbage: true });
    expect(await readEvent(eventNo)).toMatchObject({ zt: '7', sbsj: '昨天下午' });
    await call('DELETE', control('faults'));
    expect(await readEvent(eventNo)).toMatchObject({ zt: '1', sbsj: '2026-03-01 08:00:00.000' });
  });

  test('duplicate doubles grids, workers and events', async () => {
    const eventNo = await report('r');
    await set({ duplicate: true });
    expect(await world.reader.all(`select * from wg_wangge where wgbm = '${GRID}'`)).toHaveLength(2);
    expect(await world.reader.all(`select * from wg_shijian where sjbh = '${eventNo}'`)).toHaveLength(2);
  });

  test('half leaves out the grids with an even number', async () => {
    await set({ half: true });
    const rows = await world.reader.all(
      `select wgbm from wg_wangge where wgbm in ('${GRID}', '${EVEN_GRID}')`,
    );
    expect(rows.map((row) => row.wgbm)).toEqual([GRID]);
  });

  test('outOfOrder dates new rows back, and lets an older version return until it is cleared', async () => {
    await set({ outOfOrder: true });
    const eventNo = await report('r');
    const lateBy =
      Date.now() - Date.parse(`${String((await readEvent(eventNo))?.gxsj).replace(' ', 'T')}+08:00`);
    expect(lateBy).toBeGreaterThanOrEqual(2_000);
    await world.grid.changeState(eventNo, '2');
    expect(await readEvent(eventNo)).toMatchObject({ zt: '2', bb: 2 });
    await until('the older version', async () => ((await readEvent(eventNo))?.bb === 1 ? true : undefined));
    await call('DELETE', control('faults'));
    expect(await readEvent(eventNo)).toMatchObject({ zt: '2', bb: 2 });
  });
}

async function createSqliteWorld(): Promise<World> {
  const folder: TestFolder = createTestFolder();
  const start = () => startGrid({ directory: folder.path, controlPort: 0, mariadbUrl: undefined });
  let grid = await start();
  const database = new DatabaseSync(join(folder.path, 'grid.db'), { readOnly: true });
  return {
    get grid() {
      return grid;
    },
    reader: { all: async (sql) => database.prepare(sql).all(), close: async () => database.close() },
    restart: async () => {
      await grid.close();
      grid = await start();
    },
    end: async () => {
      database.close();
      await grid.close();
      folder[Symbol.dispose]();
    },
  };
}

async function createMariadbWorld(): Promise<World> {
  const name = `grid_${randomUUID().replaceAll('-', '')}`;
  const admin = await createConnection({ uri: 'mysql://root@127.0.0.1:3306/', dateStrings: true });
  await admin.query(`create database ${name} character set utf8mb4 collate utf8mb4_bin`);
  const start = () =>
    startGrid({ directory: '', controlPort: 0, mariadbUrl: `mysql://root@127.0.0.1:3306/${name}` });
  let grid = await start();
  await admin.query(`use ${name}`);
  const all = async (sql: string) => (await admin.query<RowDataPacket[]>(sql))[0];
  return {
    get grid() {
      return grid;
    },
    reader: { all, close: () => admin.end() },
    restart: async () => {
      await grid.close();
      grid = await start();
    },
    end: async () => {
      await grid.close();
      await admin.query(`drop database ${name}`);
      await admin.end();
    },
  };
}
