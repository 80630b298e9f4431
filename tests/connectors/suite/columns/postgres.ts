// The column PostgreSQL: a register that is read by SQL and polled for its changes, behind a gate that counts and breaks.
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { POSTGRES_URL, whyNoPostgres } from '../../../support/engines.ts';
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
import { type SqlGate, startSqlGate } from '../sql/gate.ts';

// GB 18030 bytes of 路灯 in a database without an encoding: what PostgreSQL gives out as it is kept.
const VIEWS: Partial<Readonly<Record<SuiteFault, string>>> = {
  ...COMMON_VIEWS,
  slow: 'SELECT bh, mc, qh, zt, bb, gxsj FROM t_record CROSS JOIN (SELECT pg_sleep(2)) AS s',
  'wrong charset':
    "SELECT bh, convert_from('\\xb2e2b5c6'::bytea, 'SQL_ASCII') AS mc, qh, zt, bb, gxsj FROM t_record",
};

export const column: Column = {
  protocol: 'PostgreSQL',
  cannotOccur: {
    'write unknown': "An SQL source is read only: the hub never writes into a department's tables.",
  },
  whyNot: whyNoPostgres,
  start: startPostgresBook,
};

async function startPostgresBook(): Promise<SuiteSystem> {
  const name = `weft_suite_${randomBytes(6).toString('hex')}`;
  const admin = new pg.Client({ connectionString: POSTGRES_URL });
  admin.on('error', () => undefined);
  await admin.connect();
  await admin.query(
    `CREATE DATABASE ${name} ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0`,
  );
  await admin.query(`CREATE ROLE ${name} LOGIN PASSWORD '${name}'`);
  const address = new URL(POSTGRES_URL);
  address.pathname = `/${name}`;
  const client = new pg.Client({ connectionString: address.href });
  client.on('error', () => undefined);
  await client.connect();
  const execute: Execute = async (sql, parameters = []) => {
    let place = 0;
    const numbered = sql.replaceAll('?', () => `$${++place}`);
    await client.query(numbered, [...parameters]);
  };
  await makeBook(execute, 'SERIAL');
  await execute(`GRANT SELECT ON ALL TABLES IN SCHEMA public TO ${name}`);
  const gate = await startSqlGate(address.hostname, Number(address.port || 5432), 'v_record');
  return {
    folder: SQL_FOLDER,
    env: { SUITE_DSN: `postgres://${name}:${name}@127.0.0.1:${gate.port}/${name}` },
    discover: ['--sql', `postgres://${name}:${name}@127.0.0.1:${gate.port}/${name}`, '--table', 't_record'],
    put: (records) => putRecords(execute, records),
    push: (record) => noteChange(execute, record),
    reads: async () => gate.reads(),
    concurrentReadsMax: async () => gate.concurrentMax(),
    fault: (fault) => setFault({ client, admin, gate, name }, fault),
    restart: async () => gate.cut(),
    async close() {
      await gate.close();
      await client.end();
      await admin.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
      await admin.query(`DROP ROLE ${name}`);
      await admin.end();
    },
  };
}

interface PostgresBook {
  readonly client: pg.Client;
  readonly admin: pg.Client;
  readonly gate: SqlGate;
  readonly name: string;
}

async function setFault(
  { client, admin, gate, name }: PostgresBook,
  fault: SuiteFault | undefined,
): Promise<void> {
  if (fault === 'write lost') throw new Error('nothing is written by SQL');
  gate.break(fault === 'reset' || fault === 'half body' ? fault : undefined);
  await admin.query(`ALTER ROLE ${name} ${fault === 'auth expired' ? 'NOLOGIN' : 'LOGIN'}`);
  const view = (fault === undefined ? undefined : VIEWS[fault]) ?? SOUND_VIEW;
  await client.query(
    `BEGIN; DROP VIEW v_record; CREATE VIEW v_record AS ${view}; GRANT SELECT ON v_record TO ${name}; COMMIT`,
  );
  // Sessions that are logged in stay so: the old system ends them when it changes who may.
  if (fault === 'auth expired') gate.cut();
}
