// Faults of a database that nobody serves: a table makes way for a view that lies, or is not there at all.
import type { Faults } from '../faults.ts';
import type { GridEngine } from './engine.ts';
import { OPEN_TABLES, type OpenTable } from './tables.ts';

/** What the real table is called while a fault stands in its place. */
const MOVED_SUFFIX = '_base';

/** The name below which the real rows are just now. */
export async function findRealTable(engine: GridEngine, table: OpenTable): Promise<string> {
  const moved = `${table}${MOVED_SUFFIX}`;
  return (await engine.kindOf(moved)) === undefined ? table : moved;
}

/** Puts the faults in the place of the tables; without any, puts the tables back. Undoes earlier ones first. */
export async function applyTableFaults(engine: GridEngine, faults: Faults): Promise<void> {
  for (const table of OPEN_TABLES) {
    await restore(engine, table);
    const select = describeView(engine, table, faults);
    if (select === undefined && !faults.refuse) continue;
    await engine.run(`alter table ${table} rename to ${table}${MOVED_SUFFIX}`);
    if (!faults.refuse && select !== undefined) await engine.run(`create view ${table} as ${select}`);
  }
}

async function restore(engine: GridEngine, table: OpenTable): Promise<void> {
  const moved = `${table}${MOVED_SUFFIX}`;
  if ((await engine.kindOf(table)) === 'view') await engine.run(`drop view ${table}`);
  if ((await engine.kindOf(moved)) !== undefined) await engine.run(`alter table ${moved} rename to ${table}`);
}

const COLUMNS: Readonly<Record<OpenTable, readonly string[]>> = {
  wg_wangge: ['wgbm', 'wgmc', 'sqdm', 'wgybh', 'hs', 'gxsj'],
  wg_wanggeyuan: ['wgybh', 'xm', 'zw', 'lxdh', 'gxsj'],
  wg_xuncha: ['id', 'wgbm', 'wgybh', 'kssj', 'jssj', 'lc', 'gxsj'],
  wg_tongji: ['qhdm', 'wjs', 'gxsj'],
  wg_shijian: ['sjbh', 'wgbm', 'wgybh', 'sjbt', 'sjms', 'sxdm', 'sqdm', 'dz', 'zt', 'sbsj', 'gxsj', 'bb'],
  wg_renwu: ['rwbh', 'wgbm', 'wgybh', 'rwlx', 'rwbt', 'rwnr', 'jjcd', 'zt', 'pfsj', 'jzsj', 'gxsj', 'bb'],
};

/** Nonsense as it is found in life: an unknown status, a date in words, a number in words. */
const NONSENSE: Readonly<Record<OpenTable, Readonly<Record<string, string>>>> = {
  wg_wangge: { hs: "'约三百户'" },
  wg_wanggeyuan: {},
  wg_xuncha: { kssj: "'昨天下午'", lc: "'不详'" },
  wg_tongji: { wjs: "'不详'" },
  wg_shijian: { zt: "'7'", sbsj: "'昨天下午'" },
  wg_renwu: { jjcd: "'7'", jzsj: "'下周五前'" },
};

/** Half an answer leaves out the grids with an even number, and the workers likewise; events are all there. */
const HALF: Readonly<Partial<Record<OpenTable, string>>> = {
  wg_wangge: "substr(wgbm, 15, 1) in ('1', '3', '5', '7', '9')",
  wg_wanggeyuan: "substr(wgybh, 7, 1) in ('1', '3', '5', '7', '9')",
};

function describeView(engine: GridEngine, table: OpenTable, faults: Faults): string | undefined {
  const nonsense = faults.garbage === false ? {} : NONSENSE[table];
  const half = faults.half ? HALF[table] : undefined;
  const isDoubled = faults.duplicate && table !== 'wg_xuncha' && table !== 'wg_tongji';
  if (Object.keys(nonsense).length === 0 && half === undefined && !isDoubled && faults.latencyMs === 0)
    return undefined;
  const columns = COLUMNS[table].map((column) => {
    const expression = nonsense[column];
    return expression === undefined ? column : `${expression} as ${column}`;
  });
  const conditions = ['1 = 1'];
  if (half !== undefined) conditions.push(half);
  if (faults.latencyMs > 0) conditions.push(`${engine.slowExpression(faults.latencyMs)} = 1`);
  const select = `select ${columns.join(', ')} from ${table}${MOVED_SUFFIX} where ${conditions.join(' and ')}`;
  const plain = `select ${columns.join(', ')} from ${table}${MOVED_SUFFIX}${half === undefined ? '' : ` where ${half}`}`;
  return isDoubled ? `${select} union all ${plain}` : select;
}
