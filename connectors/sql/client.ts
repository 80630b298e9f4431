// Calls an SQL source: dialect by the URL's scheme, statements compiled by knex, run by a driver's own pool.
import { OperatorError } from '@weft/core/errors';
import type { MappingScope } from '@weft/schema/mapping/compile';
import type { PollPlan, SqlCall, SqlSource } from '../plan.ts';
import type { CallOptions, SourceClient } from '../source-client.ts';
import { type CallContext, upstreamError } from '../upstream-error.ts';
import { decodeSqlError } from './decode.ts';
import type { EngineLimits, SqlEngine, SqlRow } from './engine.ts';
import { openMysql } from './mysql-engine.ts';
import { openPostgres } from './postgres-engine.ts';
import { openSqlite } from './sqlite-engine.ts';
import {
  type CursorPlace,
  compileCall,
  compileChanges,
  type Dialect,
  openBuilder,
  ROWS_MAX,
  type Statement,
} from './statement.ts';

/** An SQL source can also be asked for what changed. */
export interface SqlClient extends SourceClient<SqlCall> {
  /** At most `poll.rowsMax` rows after a place in the cursor's order, in that order. Errors as of `call`. */
  readChanges(
    poll: PollPlan,
    after: CursorPlace | undefined,
    options: CallOptions,
  ): Promise<readonly SqlRow[]>;
}

/**
 * Opens an SQL source; no connection is made yet. SQLite files are opened read-only.
 * @throws OperatorError when the URL is missing or of an unknown scheme
 */
export function openSql(system: string, source: SqlSource, scope: MappingScope): SqlClient {
  const { dialect, engine } = openEngine(system, source, scope);
  const builder = openBuilder(dialect);
  const run = async (statement: Statement, context: CallContext, signal: AbortSignal) => {
    try {
      return readableRows(await engine.query(statement.sql, statement.bindings, signal));
    } catch (thrown) {
      if (signal.aborted) throw signal.reason;
      throw decodeSqlError(thrown, context);
    }
  };
  return {
    close: () => engine.close(),
    async call(call, callScope, options) {
      const context = { system, source: source.name, operation: call.table };
      const statement = compileCall(builder, call, callScope);
      if (statement === undefined) return [];
      const rows = await run(statement, context, options.signal);
      if (rows.length <= ROWS_MAX) return rows;
      throw upstreamError('UPSTREAM_INVALID', `expected at most ${ROWS_MAX} rows`, context, {
        limit: 'ROWS_MAX',
      });
    },
    readChanges: (poll, after, options) =>
      run(
        compileChanges(builder, poll, after),
        { system, source: source.name, operation: poll.table },
        options.signal,
      ),
  };
}

/** What a driver puts where bytes are not in the session's charset. */
const REPLACEMENT = '\uFFFD';

/** Rows without text that could not be read: it is null, since one mangled name must not cost the rows beside it. */
export function readableRows(rows: readonly SqlRow[]): readonly SqlRow[] {
  return rows.map((row) => (Object.values(row).some(isUnreadable) ? withoutUnreadable(row) : row));
}

function withoutUnreadable(row: SqlRow): SqlRow {
  return Object.fromEntries(
    Object.entries(row).map(([column, value]) => [column, isUnreadable(value) ? null : value]),
  );
}

function isUnreadable(value: unknown): boolean {
  return typeof value === 'string' && value.includes(REPLACEMENT);
}

function openEngine(
  system: string,
  source: SqlSource,
  scope: MappingScope,
): { dialect: Dialect; engine: SqlEngine } {
  const url = source.url.evaluate(scope);
  const limits: EngineLimits = {
    connectionsMax: source.guard.concurrency,
    timeoutMs: source.guard.timeoutMs,
  };
  const protocol = typeof url === 'string' && URL.canParse(url) ? new URL(url).protocol : undefined;
  switch (protocol) {
    case 'sqlite:':
      return { dialect: 'sqlite', engine: openSqlite(sqlitePath(String(url)), limits) };
    case 'mysql:':
    case 'mariadb:':
      return { dialect: 'mysql', engine: openMysql(String(url), limits) };
    case 'postgres:':
    case 'postgresql:':
      return { dialect: 'postgres', engine: openPostgres(String(url), limits) };
    default:
      throw new OperatorError(
        `system ${system}: the URL of source ${source.name} (${source.url.text}) is not set, or not sqlite:, mysql:, mariadb: or postgres:`,
        { exitCode: 2 },
      );
  }
}

/** `sqlite:///path/to/file` to `/path/to/file`. */
export function sqlitePath(url: string): string {
  return decodeURIComponent(new URL(url).pathname);
}
