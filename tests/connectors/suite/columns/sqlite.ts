// The column SQLite: a register in a file that is read by SQL and polled for its changes.
import { copyFileSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Column, SuiteFault, SuiteSystem } from '../column.ts';
import {
  COMMON_VIEWS,
  type Execute,
  makeBook,
  noteChange,
  putRecords,
  SOUND_VIEW,
  SQL_FOLDER,
} from '../sql/book.ts';

const VIEWS: Partial<Readonly<Record<SuiteFault, string>>> = {
  ...COMMON_VIEWS,
  // SQLite keeps the bytes that it was given: these are GB 18030.
  'wrong charset': "SELECT bh, CAST(x'b2e2b5c6' AS TEXT) AS mc, qh, zt, bb, gxsj FROM t_record",
};

const NO_CONNECTION = 'A file is opened on this machine: there is no connection that could be reset.';

/** Who reads the book at this moment is waited for. */
const LOCK_WAIT_MS = 10_000;

export const column: Column = {
  protocol: 'SQLite',
  cannotOccur: {
    batch:
      'A file has nobody in front of it who could count statements; they are those of the other databases.',
    reset: NO_CONNECTION,
    'auth expired': 'A file of this machine asks nobody to log in.',
    'budget kept': 'One thread reads the file, one statement after another: no two are ever in work at once.',
    'write unknown': "An SQL source is read only: the hub never writes into a department's tables.",
  },
  whyNot: async () => undefined,
  start: startSqliteBook,
};

async function startSqliteBook(): Promise<SuiteSystem> {
  const folder = mkdtempSync(join(tmpdir(), 'weft-suite-'));
  const path = join(folder, 'book.db');
  let database = new DatabaseSync(path, { timeout: LOCK_WAIT_MS });
  const execute: Execute = async (sql, parameters = []) => {
    database.prepare(sql).run(...parameters);
  };
  await makeBook(execute, 'INTEGER PRIMARY KEY AUTOINCREMENT');
  const replace = (bytes: (sound: string) => void) => {
    database.close();
    renameSync(path, `${path}.sound`);
    bytes(`${path}.sound`);
  };
  const restore = () => {
    rmSync(path, { force: true });
    renameSync(`${path}.sound`, path);
    database = new DatabaseSync(path, { timeout: LOCK_WAIT_MS });
  };
  let fault: SuiteFault | undefined;
  const mend = () => {
    if (fault === 'slow') database.exec('ROLLBACK');
    if (fault === 'half body') restore();
    database.exec(`BEGIN; DROP VIEW v_record; CREATE VIEW v_record AS ${SOUND_VIEW}; COMMIT`);
  };
  return {
    folder: SQL_FOLDER,
    env: { SUITE_DSN: `sqlite://${path}` },
    discover: ['--sql', `sqlite://${path}`, '--table', 't_record'],
    put: (records) => putRecords(execute, records),
    push: (record) => noteChange(execute, record),
    reads: async () => 0,
    concurrentReadsMax: async () => 0,
    async fault(next) {
      mend();
      fault = undefined;
      if (next === undefined) return;
      const view = VIEWS[next];
      if (next === 'slow') database.exec('BEGIN EXCLUSIVE');
      else if (next === 'half body') replace((sound) => writeHalf(sound, path));
      else if (view === undefined) throw new Error(`${next} cannot occur`);
      else database.exec(`BEGIN; DROP VIEW v_record; CREATE VIEW v_record AS ${view}; COMMIT`);
      fault = next;
    },
    async restart() {
      replace((sound) => copyFileSync(sound, path));
      database = new DatabaseSync(path, { timeout: LOCK_WAIT_MS });
    },
    async close() {
      database.close();
      rmSync(folder, { recursive: true });
    },
  };
}

/** The file as a copy that broke off would leave it. */
function writeHalf(sound: string, path: string): void {
  const bytes = readFileSync(sound);
  writeFileSync(path, bytes.subarray(0, Math.floor(bytes.length / 2)));
}
