// The register that the SQL columns read: its tables, its views with and without faults, and how records are written.
import { fileURLToPath } from 'node:url';
import type { SuiteFault, SuiteRecord } from '../column.ts';

/** The SDL that wraps the register, for all three engines. */
export const SQL_FOLDER = fileURLToPath(new URL('../systems/sql-records', import.meta.url));

/** Runs one statement; `?` stands for a parameter. */
export type Execute = (sql: string, parameters?: readonly (string | number)[]) => Promise<void>;

const COLUMNS = 'bh, mc, qh, zt, bb, gxsj';

/** What the view of each fault selects, in SQL that all engines know; an engine adds its own. */
export const COMMON_VIEWS: Partial<Readonly<Record<SuiteFault, string>>> = {
  duplicate: `SELECT ${COLUMNS} FROM t_record UNION ALL SELECT ${COLUMNS} FROM t_record`,
  'wrong type': "SELECT bh, mc, qh, zt, 'no number' AS bb, gxsj FROM t_record",
};
export const SOUND_VIEW = `SELECT ${COLUMNS} FROM t_record`;

/** @param serial the engine's type of a column that counts by itself */
export async function makeBook(execute: Execute, serial: string): Promise<void> {
  const columns = 'mc VARCHAR(100), qh VARCHAR(20), zt CHAR(1), bb INTEGER, gxsj VARCHAR(30)';
  await execute(`CREATE TABLE t_record (bh VARCHAR(60) PRIMARY KEY, ${columns})`);
  await execute(`CREATE TABLE t_record_bg (xh ${serial}, bh VARCHAR(60), ${columns})`);
  await execute(`CREATE VIEW v_record AS ${SOUND_VIEW}`);
}

export async function putRecords(execute: Execute, records: readonly SuiteRecord[]): Promise<void> {
  for (const record of records) {
    await execute('DELETE FROM t_record WHERE bh = ?', [record.id]);
    await execute(`INSERT INTO t_record (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)`, valuesOf(record));
  }
}

/** A change of a record as the register notes it: a new row of its change table, which a poll finds. */
export async function noteChange(execute: Execute, record: SuiteRecord): Promise<void> {
  await putRecords(execute, [record]);
  await execute(`INSERT INTO t_record_bg (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)`, valuesOf(record));
}

function valuesOf({ id, name, area, state, version, changedAt }: SuiteRecord): readonly (string | number)[] {
  return [id, name, area, state === 'OPEN' ? '1' : '2', version, localTime(changedAt)];
}

/** As old registers write it: `2026-11-22 08:00:00`, in the time of the place. */
function localTime(instant: string): string {
  const EAST_8_MS = 8 * 3_600_000;
  return new Date(Date.parse(instant) + EAST_8_MS).toISOString().slice(0, 19).replace('T', ' ');
}
