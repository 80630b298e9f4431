// The other side: what the simulated systems have written in their own books, read from their files.
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { DEPARTMENTS, type DepartmentName } from './ways.ts';

/** One record of a department. */
export interface BookRecord {
  /** The department's own number. */
  readonly no: string;
  /** `<incident>:<attempt>` */
  readonly clientNo: string;
  readonly state: string;
  readonly changedAtMs: number;
}

/** The states of one department's records, by what they mean. */
export interface Codes {
  readonly begun: string;
  readonly signed: string;
  readonly settled: string;
  readonly returned: string;
  readonly reasons: readonly string[];
}

export const CODES: Readonly<Record<DepartmentName, Codes>> = {
  'urban-management': { begun: '1', signed: '2', settled: '5', returned: '8', reasons: ['H1', 'H2', 'H9'] },
  police: { begun: '0', signed: '1', settled: '3', returned: '9', reasons: ['01', '02', '99'] },
  'market-supervision': {
    begun: 'DSL',
    signed: 'YSL',
    settled: 'YBJ',
    returned: 'YTH',
    reasons: ['TH01', 'TH02', 'TH99'],
  },
  'human-resources': { begun: '01', signed: '02', settled: '04', returned: '05', reasons: ['1', '2', '9'] },
};

/** The kind of number under which the graph knows a department's records. */
export const NUMBER_KINDS: Readonly<Record<DepartmentName, string>> = {
  'urban-management': 'urbanManagementCase',
  police: 'policeReceipt',
  'market-supervision': 'marketPetition',
  'human-resources': 'humanResourcesCase',
};

export interface Books {
  /** In the order in which they were opened; of the police only what was handed over. */
  all(department: DepartmentName): readonly BookRecord[];
  /** Those that wait for the department's people, the longest waiting first. */
  open(department: DepartmentName, limit: number): readonly BookRecord[];
  /** Orders of the hotline by number, with what made them. */
  orders(): readonly { readonly orderNo: string; readonly externalRef: string }[];
  /** Changes that a system has still to tell. */
  untold(): number;
  close(): void;
}

/** @param directory of the simulators of the hub that runs */
export function openBooks(directory: string): Books {
  const open = (name: string) => new DatabaseSync(join(directory, `${name}.db`), { readOnly: true });
  const files = Object.fromEntries(DEPARTMENTS.map((name) => [name, open(name)])) as Record<
    DepartmentName,
    DatabaseSync
  >;
  const hotline = open('hotline');
  // Running numbers begin anew each day: rows are in the order of day and number.
  const select = (name: DepartmentName, where: string, order: string) =>
    name === 'police'
      ? `select JJDBH as no, LSH as clientNo, AJZT as state, GXSJ as changedAt from cases where LSH is not null and ${where.replace('state', 'AJZT')} order by ${order === 'no' ? 'JJDBH' : 'GXSJ'}`
      : `select no, client_no as clientNo, state, changed_at as changedAt from work where ${where} order by ${order === 'no' ? 'no' : 'changed_at'}`;
  const count = (file: DatabaseSync, table: string) =>
    Number(file.prepare(`select count(*) as total from ${table} where done = 0`).get()?.total);
  return {
    all: (name) =>
      files[name]
        .prepare(select(name, '1', 'no'))
        .all()
        .map(decodeRecord),
    open: (name, limit) => {
      const states = JSON.stringify([CODES[name].begun, CODES[name].signed]);
      const sql = select(name, 'state in (select value from json_each(?))', 'age');
      return files[name].prepare(`${sql} limit ?`).all(states, limit).map(decodeRecord);
    },
    orders: () =>
      hotline
        .prepare('select order_no, external_ref from orders order by order_no')
        .all()
        .map((row) => ({ orderNo: String(row.order_no), externalRef: String(row.external_ref) })),
    untold: () =>
      DEPARTMENTS.filter((name) => name !== 'police').reduce(
        (sum, name) => sum + count(files[name], 'change'),
        count(hotline, 'push'),
      ),
    close() {
      for (const file of [...Object.values(files), hotline]) file.close();
    },
  };
}

function decodeRecord(row: Readonly<Record<string, unknown>>): BookRecord {
  const { no, clientNo, state, changedAt } = row;
  const changedAtMs =
    typeof changedAt === 'number' ? changedAt : Date.parse(`${String(changedAt).replace(' ', 'T')}+08:00`);
  return { no: String(no), clientNo: String(clientNo), state: String(state), changedAtMs };
}
