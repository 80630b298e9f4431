// Where the processor time of a run goes: by process, and inside PostgreSQL by statement.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { startPostgres } from '@weft/core/embedded-postgres';
import pg from 'pg';
import { readStat, type Usage, usageOf, usageOfOne } from './measures.ts';

/** One statement, over all that have its text. */
export interface StatementCost {
  readonly perIncident: number;
  readonly msPerIncident: number;
  readonly meanMs: number;
  readonly sql: string;
}

export interface StatementCosts {
  /** Statements for one incident, of any text. */
  readonly perIncident: number;
  readonly statements: readonly StatementCost[];
}

const STATEMENTS_SHOWN = 60;
const SQL_CHARS_SHOWN = 150;

/** Makes the server of a folder count its statements, from its next start on. */
export async function countStatements(directory: string): Promise<void> {
  const server = await startPostgres({ directory });
  const client = new pg.Client({ connectionString: server.url });
  await client.connect();
  await client.query(`ALTER SYSTEM SET shared_preload_libraries = 'pg_stat_statements'`);
  await client.query('ALTER SYSTEM SET pg_stat_statements.track_planning = on');
  await client.query('CREATE EXTENSION pg_stat_statements');
  await client.end();
  await server.stop();
}

export async function forgetStatements(client: pg.ClientBase): Promise<void> {
  await client.query('SELECT pg_stat_statements_reset()');
}

const STATEMENTS = `
SELECT calls::float8 AS calls, total_exec_time + total_plan_time AS ms, regexp_replace(query, '\\s+', ' ', 'g') AS sql
FROM pg_stat_statements WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())`;

/** The dearest first; execution alone: what reading, parsing and answering take is in the processes' time. */
export async function readStatements(client: pg.ClientBase, incidents: number): Promise<StatementCosts> {
  const { rows } = await client.query<{ calls: number; ms: number; sql: string }>(STATEMENTS);
  const statements = rows
    .toSorted((a, b) => b.ms - a.ms)
    .slice(0, STATEMENTS_SHOWN)
    .map(({ calls, ms, sql }) => ({
      perIncident: rounded(calls / incidents),
      msPerIncident: rounded(ms / incidents),
      meanMs: rounded(ms / calls),
      sql: sql.slice(0, SQL_CHARS_SHOWN),
    }));
  return { perIncident: rounded(rows.reduce((sum, { calls }) => sum + calls, 0) / incidents), statements };
}

function rounded(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}

/** By the name of each process of the hub, with its database and this program. */
export function usageByProcess(home: string, postgresPid: number): ReadonlyMap<string, Usage> {
  const { pid, pids } = JSON.parse(readFileSync(join(home, 'run.json'), 'utf8')) as {
    readonly pid: number;
    readonly pids: Readonly<Record<string, number>>;
  };
  const driver = readStat(process.pid);
  return new Map([
    ...Object.entries(pids).map(([name, each]) => [name, usageOf(each)] as const),
    ['supervisor', usageOfOne(pid)],
    ['postgres', usageOf(postgresPid)],
    ['driver', { cpuMs: driver.own, rssMb: driver.rssMb }],
    ['replay', { cpuMs: driver.ended, rssMb: 0 }],
  ]);
}
