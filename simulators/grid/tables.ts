// The tables of the grid platform, in the pinyin names that its makers gave them.
import { type Community, GRIDS_PER_COMMUNITY, toGridCode } from '../city/divisions.ts';
import { toLocalMilliseconds } from '../local-time.ts';
import type { GridEngine, SqlValue } from './engine.ts';

/** The tables that others read. */
export const OPEN_TABLES = [
  'wg_wangge',
  'wg_wanggeyuan',
  'wg_xuncha',
  'wg_shijian',
  'wg_renwu',
  'wg_tongji',
] as const;
export type OpenTable = (typeof OPEN_TABLES)[number];

/** Times are local (Asia/Shanghai) and have no offset: text in SQLite, DATETIME(3) in MariaDB. */
export async function createTables(engine: GridEngine): Promise<void> {
  const time = engine.dialect === 'sqlite' ? 'text' : 'datetime(3)';
  const tail = engine.dialect === 'sqlite' ? '' : ' default charset = utf8mb4 collate = utf8mb4_bin';
  const definitions = [
    // 网格: wgbm 网格编码, wgmc 名称, sqdm 社区代码, wgybh 网格员编号, hs 户数, gxsj 更新时间
    `wg_wangge (wgbm char(15) primary key, wgmc varchar(100), sqdm char(12), wgybh varchar(32), hs int, gxsj ${time})`,
    // 网格员: xm 姓名, zw 职务, lxdh 联系电话
    `wg_wanggeyuan (wgybh varchar(32) primary key, xm varchar(50), zw varchar(50), lxdh varchar(30), gxsj ${time})`,
    // 巡查: kssj 开始时间, jssj 结束时间, lc 里程（米）
    `wg_xuncha (id varchar(32) primary key, wgbm char(15), wgybh varchar(32), kssj ${time}, jssj ${time}, lc int, gxsj ${time})`,
    // 事件: sjbt 标题, sjms 描述, sxdm 事项代码, dz 地址, zt 状态 (0 草稿 1 已上报 2 处置中 3 已办结), sbsj 上报时间, bb 版本
    `wg_shijian (sjbh varchar(32) primary key, wgbm char(15), wgybh varchar(32), sjbt varchar(200), sjms text, sxdm varchar(11), ` +
      `sqdm char(12), dz varchar(200), zt varchar(2), sbsj ${time}, gxsj ${time}, bb int)`,
    // 任务: rwlx 任务类型 (1 巡查走访 2 信息采集 3 事件核查 4 政策宣传), rwbt 标题, rwnr 内容, jjcd 紧急程度 (1 一般 2 紧急 3 特急),
    // zt 状态 (0 待办 1 办理中 2 已办 9 已撤销), pfsj 派发时间, jzsj 截止时间
    `wg_renwu (rwbh varchar(32) primary key, wgbm char(15), wgybh varchar(32), rwlx varchar(2), rwbt varchar(200), rwnr text, ` +
      `jjcd varchar(2), zt varchar(2), pfsj ${time}, jzsj ${time}, gxsj ${time}, bb int)`,
    // 统计: qhdm 区划代码 (6, 9 or 12 digits; 0 全部), wjs 未结数 (zt 1 and 2), gxsj 更新时间
    `wg_tongji (qhdm varchar(12) primary key, wjs int, gxsj ${time})`,
    // Its own, which nobody reads: foreign reference of an event, running numbers, changes that a fault holds back.
    'wg_waibu (wbh varchar(200) primary key, sjbh varchar(32))',
    'wg_bianhao (qz varchar(32) primary key, xh int)',
    `wg_gengzheng (sjbh varchar(32) primary key, zt varchar(2), gxsj ${time}, bb int)`,
  ];
  for (const definition of definitions) await engine.run(`create table if not exists ${definition}${tail}`);
  await createIndex(engine, 'wg_shijian', 'gxsj, sjbh');
  await createIndex(engine, 'wg_wangge', 'sqdm');
  await createIndex(engine, 'wg_xuncha', 'wgbm, kssj');
  await createIndex(engine, 'wg_renwu', 'wgybh, zt, jzsj');
  await createIndex(engine, 'wg_renwu', 'gxsj, rwbh');
}

const ROWS_PER_INSERT = 200;
const PATROLS_AT_FIRST = 2;

/** Statistics of events that were there before there were statistics. */
export async function fillStatistics(engine: GridEngine, nowMs: number): Promise<void> {
  const found = await engine.all('select count(*) as n from wg_tongji');
  if (Number(found[0]?.n) > 0) return;
  for (const division of ['substr(sqdm, 1, 6)', 'substr(sqdm, 1, 9)', 'sqdm', "'0'"]) {
    const counted = `select ${division} as qhdm, count(*) as wjs from wg_shijian where zt in ('1', '2') group by ${division}`;
    await engine.run(`insert into wg_tongji select qhdm, wjs, ? from (${counted}) as counted`, [
      toLocalMilliseconds(nowMs),
    ]);
  }
}

/** Fills an empty platform: three grids a community, a worker for each with two patrols behind them and a task before them. */
export async function fillTables(
  engine: GridEngine,
  communities: readonly Community[],
  nowMs: number,
): Promise<void> {
  const found = await engine.all('select count(*) as n from wg_wangge');
  if (Number(found[0]?.n) > 0) return;
  const grids: SqlValue[][] = [];
  const workers: SqlValue[][] = [];
  const patrols: SqlValue[][] = [];
  const tasks: SqlValue[][] = [];
  const now = toLocalMilliseconds(nowMs);
  for (const community of communities) {
    for (let number = 1; number <= GRIDS_PER_COMMUNITY; number += 1) {
      const serial = String(grids.length + 1).padStart(4, '0');
      const [code, worker] = [toGridCode(community.code, number), `WGY${serial}`];
      grids.push([
        code,
        `${community.name}第${'一二三'[number - 1]}网格`,
        community.code,
        worker,
        180 + ((grids.length * 37) % 240),
        now,
      ]);
      workers.push([
        worker,
        `网格员${serial}`,
        number === 1 ? '网格长' : '专职网格员',
        `0512-0000${serial}`,
        now,
      ]);
      tasks.push(firstTask({ serial, code, worker, communityName: community.name }, nowMs));
      for (let walk = PATROLS_AT_FIRST; walk >= 1; walk -= 1) {
        const startedAtMs = nowMs - walk * 6 * 3_600_000 - (grids.length % 60) * 60_000;
        const [start, end] = [
          toLocalMilliseconds(startedAtMs),
          toLocalMilliseconds(startedAtMs + 45 * 60_000),
        ];
        patrols.push([
          `XC${serial}${walk}`,
          code,
          worker,
          start,
          end,
          1_500 + ((grids.length * 53) % 2_000),
          now,
        ]);
      }
    }
  }
  await engine.transaction(async () => {
    await insertAll(engine, 'wg_wanggeyuan', workers);
    await insertAll(engine, 'wg_xuncha', patrols);
    await insertAll(engine, 'wg_renwu', tasks);
    await insertAll(engine, 'wg_wangge', grids);
  });
}

const TASK_DAYS = 3;

/** Of a worker: one visit to the households of the grid, due in three days. */
function firstTask(
  {
    serial,
    code,
    worker,
    communityName,
  }: Readonly<Record<'serial' | 'code' | 'worker' | 'communityName', string>>,
  nowMs: number,
): SqlValue[] {
  const now = toLocalMilliseconds(nowMs);
  const due = toLocalMilliseconds(nowMs + TASK_DAYS * 86_400_000);
  const title = `${communityName}入户走访`;
  return [
    `RW${serial}1`,
    code,
    worker,
    '1',
    title,
    '走访网格内住户，核对人口信息',
    '1',
    '0',
    now,
    due,
    now,
    1,
  ];
}

async function insertAll(
  engine: GridEngine,
  table: OpenTable,
  rows: readonly (readonly SqlValue[])[],
): Promise<void> {
  for (let from = 0; from < rows.length; from += ROWS_PER_INSERT) {
    const part = rows.slice(from, from + ROWS_PER_INSERT);
    const places = part.map((row) => `(${row.map(() => '?').join(', ')})`).join(', ');
    await engine.run(`insert into ${table} values ${places}`, part.flat());
  }
}

async function createIndex(engine: GridEngine, table: OpenTable, columns: string): Promise<void> {
  const name = `${table}_${columns.replaceAll(', ', '_')}`;
  await engine.run(`create index if not exists ${name} on ${table} (${columns})`);
}
