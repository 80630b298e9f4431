// The police's books: the cases that were received, and the view of them that others may read.

import type { DatabaseSync } from 'node:sqlite';
import { COUNTER_TABLE, inTransaction, nextNumber, openBookFile } from '../book-file.ts';
import type { Step } from '../departments/work-books.ts';
import { toLocalDay, toLocalDigits, toLocalMilliseconds } from '../local-time.ts';
import type { CaseRow, HandedOverCase, NewCase } from './case.ts';

export interface CreatedCase {
  readonly externalRef: string;
  readonly receiptNo: string;
  readonly created: boolean;
}

export interface PoliceBooks {
  /** One transaction for all; an `externalRef` seen before answers with the receipt it was given then. */
  create(cases: readonly NewCase[]): readonly CreatedCase[];
  /** Takes a case over; a serial number seen before is the case that it made then. Gives the receipt's number. */
  takeOver(handedOver: HandedOverCase, nowMs: number): string;
  /** The receipt's number of a case that was handed over under this serial number. */
  findTakenOver(serialNo: string): string | undefined;
  /** Cases that were handed over, in one of these states, the oldest first. */
  findHandedOver(
    states: readonly string[],
    limit: number,
  ): readonly { readonly no: string; readonly state: string }[];
  /** False when there is no such case. */
  changeState(receiptNo: string, step: Step): boolean;
  /** In the order of their numbers. */
  find(receiptNos: readonly string[]): readonly CaseRow[];
  /** Neither settled nor returned, below a division; what has none is the district's. */
  countOpen(divisionPrefix: string): number;
  count(): number;
  close(): void;
}

/** 姑苏区, whose police it is. */
const DISTRICT = '320508';

const TABLES = `
  ${COUNTER_TABLE};
  create table if not exists cases (
    JJDBH text primary key, external_ref text not null unique, AJLB text not null, AJZT text not null,
    BJSJ text not null, FADD text not null, CJDW text not null
  );
`;

/** What came later: a file of an earlier version gets them too. */
const LATER_COLUMNS: readonly (readonly [string, string])[] = [
  ['LSH', 'text'],
  ['AJMC', 'text'],
  ['AJNR', 'text'],
  ['QHDM', 'text'],
  ['TSYY', 'text'],
  ['CLJG', 'text'],
  ['GXSJ', "text not null default '2000-01-01 00:00:00.000'"],
  ['BB', 'integer not null default 1'],
];

/** 案件进展: the only thing of the police's database that others may read (subgraphs/police/contracts/exchange-view.md). */
const EXCHANGE_VIEW = `
  create index if not exists cases_by_change on cases (GXSJ, JJDBH);
  create unique index if not exists cases_by_serial on cases (LSH) where LSH is not null;
  create view if not exists V_AJJZ as
    select JJDBH, LSH, QHDM, AJLB, AJZT, TSYY, CLJG, GXSJ, BB from cases;
`;

export function openPoliceBooks(file: string): PoliceBooks {
  const database = openBookFile(file, TABLES);
  addLaterColumns(database);
  const total = database.prepare('select count(*) as total from cases');
  return {
    ...writing(database),
    ...reading(database),
    count: () => Number(total.get()?.total),
    close: () => database.close(),
  };
}

function addLaterColumns(database: DatabaseSync): void {
  const present = new Set(
    database
      .prepare('pragma table_info(cases)')
      .all()
      .map(({ name }) => name),
  );
  for (const [name, type] of LATER_COLUMNS) {
    if (!present.has(name)) database.exec(`alter table cases add column ${name} ${type}`);
  }
  database.exec(EXCHANGE_VIEW);
}

function writing(database: DatabaseSync): Pick<PoliceBooks, 'create' | 'takeOver' | 'changeState'> {
  const findRef = database.prepare('select JJDBH from cases where external_ref = ?');
  const insert = database.prepare(
    'insert into cases (JJDBH, external_ref, AJLB, AJZT, BJSJ, FADD, CJDW, LSH, AJMC, AJNR, QHDM, GXSJ) ' +
      "values (?, ?, ?, '0', ?, ?, ?, ?, ?, ?, ?, ?)",
  );
  const update = database.prepare(
    'update cases set AJZT = ?, TSYY = ?, CLJG = ?, GXSJ = ?, BB = BB + 1 where JJDBH = ?',
  );
  const put = (one: NewCase, handedOver: HandedOverCase | undefined): CreatedCase => {
    const { externalRef, category, place, unit, reportedAtMs } = one;
    const known = findRef.get(externalRef);
    if (known !== undefined) return { externalRef, receiptNo: String(known.JJDBH), created: false };
    const receiptNo = nextNumber(database, `JJ320508${toLocalDay(reportedAtMs)}`);
    const { serialNo = null, title = null, content = null, division = null } = handedOver ?? {};
    const [reportedAt, now] = [toLocalDigits(reportedAtMs), toLocalMilliseconds(Date.now())];
    insert.run(
      receiptNo,
      externalRef,
      category,
      reportedAt,
      place,
      unit,
      serialNo,
      title,
      content,
      division,
      now,
    );
    return { externalRef, receiptNo, created: true };
  };
  return {
    create: (cases) => inTransaction(database, () => cases.map((one) => put(one, undefined))),
    takeOver: (handedOver, nowMs) =>
      inTransaction(database, () => {
        const { serialNo, category, place } = handedOver;
        const externalRef = `LSH:${serialNo}`;
        return put({ externalRef, category, place, unit: '姑苏分局', reportedAtMs: nowMs }, handedOver)
          .receiptNo;
      }),
    changeState: (receiptNo, { state, reason = null, result = null }) =>
      Number(update.run(state, reason, result, toLocalMilliseconds(Date.now()), receiptNo).changes) > 0,
  };
}

function reading(
  database: DatabaseSync,
): Pick<PoliceBooks, 'find' | 'findTakenOver' | 'findHandedOver' | 'countOpen'> {
  const find = database.prepare(
    'select JJDBH, AJLB, AJZT, BJSJ, FADD, CJDW, TSYY, CLJG from cases where JJDBH in (select value from json_each(?)) order by JJDBH',
  );
  const bySerial = database.prepare('select JJDBH from cases where LSH = ?');
  const handedOver = database.prepare(
    'select JJDBH, AJZT from cases where LSH is not null and AJZT in (select value from json_each(?)) order by GXSJ limit ?',
  );
  const open = database.prepare(
    "select count(*) as total from cases where AJZT in ('0', '1', '2') and coalesce(QHDM, ?) between ? and ? || ':'",
  );
  return {
    countOpen: (prefix) => Number(open.get(DISTRICT, prefix, prefix)?.total),
    find: (receiptNos) =>
      find.all(JSON.stringify(receiptNos)).map((row) => ({
        JJDBH: String(row.JJDBH),
        AJLB: String(row.AJLB),
        AJZT: String(row.AJZT),
        BJSJ: String(row.BJSJ),
        FADD: String(row.FADD),
        CJDW: String(row.CJDW),
        ...(row.TSYY === null ? {} : { TSYY: String(row.TSYY) }),
        ...(row.CLJG === null ? {} : { CLJG: String(row.CLJG) }),
      })),
    findTakenOver(serialNo) {
      const found = bySerial.get(serialNo);
      return found === undefined ? undefined : String(found.JJDBH);
    },
    findHandedOver: (states, limit) =>
      handedOver
        .all(JSON.stringify(states), limit)
        .map((row) => ({ no: String(row.JJDBH), state: String(row.AJZT) })),
  };
}
