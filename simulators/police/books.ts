// The police's books: the cases that were received.
import { COUNTER_TABLE, inTransaction, nextNumber, openBookFile } from '../book-file.ts';
import { toLocalDay, toLocalDigits } from '../local-time.ts';
import type { CaseRow, NewCase } from './case.ts';

export interface CreatedCase {
  readonly externalRef: string;
  readonly receiptNo: string;
  readonly created: boolean;
}

export interface PoliceBooks {
  /** One transaction for all; an `externalRef` seen before answers with the receipt it was given then. */
  create(cases: readonly NewCase[]): readonly CreatedCase[];
  /** False when there is no such case. */
  changeState(receiptNo: string, state: string): boolean;
  /** In the order of their numbers. */
  find(receiptNos: readonly string[]): readonly CaseRow[];
  count(): number;
  close(): void;
}

const TABLES = `
  ${COUNTER_TABLE};
  create table if not exists cases (
    JJDBH text primary key, external_ref text not null unique, AJLB text not null, AJZT text not null,
    BJSJ text not null, FADD text not null, CJDW text not null
  );
`;

export function openPoliceBooks(file: string): PoliceBooks {
  const database = openBookFile(file, TABLES);
  const findRef = database.prepare('select JJDBH from cases where external_ref = ?');
  const insert = database.prepare("insert into cases values (?, ?, ?, '0', ?, ?, ?)");
  const update = database.prepare('update cases set AJZT = ? where JJDBH = ?');
  const find = database.prepare(
    'select JJDBH, AJLB, AJZT, BJSJ, FADD, CJDW from cases where JJDBH in (select value from json_each(?)) order by JJDBH',
  );
  const total = database.prepare('select count(*) as total from cases');
  const createOne = ({ externalRef, category, place, unit, reportedAtMs }: NewCase): CreatedCase => {
    const known = findRef.get(externalRef);
    if (known !== undefined) return { externalRef, receiptNo: String(known.JJDBH), created: false };
    const receiptNo = nextNumber(database, `JJ320508${toLocalDay(reportedAtMs)}`);
    insert.run(receiptNo, externalRef, category, toLocalDigits(reportedAtMs), place, unit);
    return { externalRef, receiptNo, created: true };
  };
  return {
    create: (cases) => inTransaction(database, () => cases.map(createOne)),
    changeState: (receiptNo, state) => Number(update.run(state, receiptNo).changes) > 0,
    find: (receiptNos) =>
      find.all(JSON.stringify(receiptNos)).map((row) => ({
        JJDBH: String(row.JJDBH),
        AJLB: String(row.AJLB),
        AJZT: String(row.AJZT),
        BJSJ: String(row.BJSJ),
        FADD: String(row.FADD),
        CJDW: String(row.CJDW),
      })),
    count: () => Number(total.get()?.total),
    close: () => database.close(),
  };
}
