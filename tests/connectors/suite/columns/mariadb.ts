// The column MariaDB: a register that is read by SQL and polled for its changes, behind a gate that counts and breaks.
import { randomBytes } from 'node:crypto';
import mysql from 'mysql2/promise';
import { createMariadbDatabase, whyNoMariadb } from '../../../support/engines.ts';
import type { Column, SuiteFault, SuiteSystem } from '../column.ts';
import { COMMON_VIEWS, makeBook, noteChange, putRecords, SOUND_VIEW, SQL_FOLDER } from '../sql/book.ts';
import { type SqlGate, startSqlGate } from '../sql/gate.ts';

const VIEWS: Partial<Readonly<Record<SuiteFault, string>>> = {
  ...COMMON_VIEWS,
  slow: 'SELECT bh, mc, qh, zt, bb, gxsj FROM t_record JOIN (SELECT SLEEP(2) AS s) AS d',
};

export const column: Column = {
  protocol: 'MariaDB',
  cannotOccur: {
    'wrong charset':
      'The server itself turns every text into the charset that the session asks for, utf8mb4.',
    'write unknown': "An SQL source is read only: the hub never writes into a department's tables.",
  },
  whyNot: whyNoMariadb,
  start: startMariadbBook,
};

async function startMariadbBook(): Promise<SuiteSystem> {
  const database = await createMariadbDatabase();
  const address = new URL(database.url);
  const connection = await mysql.createConnection({ uri: database.url });
  const user = `suite_${randomBytes(6).toString('hex')}`;
  const execute = async (sql: string, parameters: readonly (string | number)[] = []) =>
    void (await connection.query(sql, [...parameters]));
  await makeBook(execute, 'INTEGER PRIMARY KEY AUTO_INCREMENT');
  await execute(`CREATE USER '${user}'@'%' IDENTIFIED BY '${user}'`);
  await execute(`GRANT SELECT ON ${address.pathname.slice(1)}.* TO '${user}'@'%'`);
  const gate = await startSqlGate(address.hostname, Number(address.port || 3306), 'v_record');
  return {
    folder: SQL_FOLDER,
    env: { SUITE_DSN: `mariadb://${user}:${user}@127.0.0.1:${gate.port}${address.pathname}` },
    discover: [
      '--sql',
      `mariadb://${user}:${user}@127.0.0.1:${gate.port}${address.pathname}`,
      '--table',
      't_record',
    ],
    put: (records) => putRecords(execute, records),
    push: (record) => noteChange(execute, record),
    reads: async () => gate.reads(),
    concurrentReadsMax: async () => gate.concurrentMax(),
    fault: (fault) => setFault({ connection, gate, user }, fault),
    restart: async () => gate.cut(),
    async close() {
      await gate.close();
      await execute(`DROP USER '${user}'@'%'`);
      await connection.end();
      await database.drop();
    },
  };
}

interface MariadbBook {
  readonly connection: mysql.Connection;
  readonly gate: SqlGate;
  readonly user: string;
}

async function setFault(
  { connection, gate, user }: MariadbBook,
  fault: SuiteFault | undefined,
): Promise<void> {
  if (fault === 'write lost' || fault === 'wrong charset') throw new Error(`${fault} cannot occur`);
  gate.break(fault === 'reset' || fault === 'half body' ? fault : undefined);
  const password = fault === 'auth expired' ? 'another' : user;
  await connection.query(`ALTER USER '${user}'@'%' IDENTIFIED BY '${password}'`);
  const view = (fault === undefined ? undefined : VIEWS[fault]) ?? SOUND_VIEW;
  await connection.query(`CREATE OR REPLACE VIEW v_record AS ${view}`);
  // Sessions that are logged in stay so: the old system ends them when it changes who may.
  if (fault === 'auth expired') gate.cut();
}
