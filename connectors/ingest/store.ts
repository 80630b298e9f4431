// The connectors' tables: one small pool, short transactions, and a clear word when the database is away.
import { HubError } from '@weft/core/errors';
import type { Logger } from '@weft/core/logger';
import { createSqlStore, type StoreTransaction } from '@weft/core/sql-store';
import { createStatementNames } from '@weft/core/statement-names';
import pg from 'pg';

export interface Store {
  /**
   * Runs `work` in one transaction and commits it.
   * @throws HubError STORE_UNAVAILABLE when the database is away or slow; else what `work` throws, after rolling back
   */
  transaction<T>(work: (transaction: StoreTransaction) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

const CONNECTIONS_MAX = 6;
const CONNECT_TIMEOUT_MS = 2_000;
const STATEMENT_TIMEOUT_MS = 5_000;

/** Opens nothing yet: a database that is away at start is noticed by the first transaction. */
export function openStore(databaseUrl: string, logger: Logger): Store {
  const pool = new pg.Pool({
    connectionString: databaseUrl,
    max: CONNECTIONS_MAX,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    query_timeout: STATEMENT_TIMEOUT_MS + 1_000,
    pipeline: true,
    // Every statement of ours finds its rows by an index, whatever its parameters are: to plan it anew for each takes longer.
    options: '-c plan_cache_mode=force_generic_plan',
  });
  pool.on('error', (error) => logger.warn({ err: error }, 'an idle session to the database ended'));
  // The pool listens to idle sessions only: one that breaks in a transaction must not end the process.
  pool.on('connect', (client) =>
    client.on('error', (error) => logger.debug({ err: error }, 'a session to the database broke')),
  );
  const sql = createSqlStore(pool, createStatementNames());
  return {
    close: () => pool.end(),
    async transaction(work) {
      try {
        return await sql.transaction(work);
      } catch (thrown) {
        throw isDataError(thrown) ? thrown : unavailable(thrown);
      }
    },
  };
}

/**
 * Whether the data itself is at fault and would be again: SQLSTATE classes 22 (data), 23 (constraint), 54 (limits)
 * of https://www.postgresql.org/docs/current/errcodes-appendix.html, or a limit of our own.
 */
export function isDataError(thrown: unknown): boolean {
  if (thrown instanceof HubError) return thrown.code === 'LIMIT_EXCEEDED' || thrown.code === 'BAD_USER_INPUT';
  const { code } = thrown as { code?: unknown };
  return typeof code === 'string' && code.length === 5 && /^(?:22|23|54)/.test(code);
}

function unavailable(thrown: unknown): HubError {
  if (thrown instanceof HubError && thrown.code === 'STORE_UNAVAILABLE') return thrown;
  return new HubError('STORE_UNAVAILABLE', "the connectors' database does not answer", { cause: thrown });
}
