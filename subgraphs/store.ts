// How an owned subgraph reaches its PostgreSQL schema: bounds of the pool, and which failures mean that the store is away.
import { PrismaPg } from '@prisma/adapter-pg';
import { HubError } from '@weft/core/errors';
import type { Logger } from '@weft/core/logger';
import { createSqlStore, type SqlStore } from '@weft/core/sql-store';
import { createStatementNames } from '@weft/core/statement-names';
import pg from 'pg';

/** Connections of one owner, at the most, unless it says otherwise. */
const POOL_CONNECTIONS_MAX = 5;
/** How long a query waits for a free or a new connection. */
export const CONNECT_TIMEOUT_MS = 2_000;
/** After this PostgreSQL itself gives a statement up. */
export const STATEMENT_TIMEOUT_MS = 3_500;
/** After this an answer that does not come counts as a lost connection. */
export const QUERY_TIMEOUT_MS = 4_000;
/** How long a transaction may wait for its connection, and how long it may last. */
export const TRANSACTION_LIMITS = { maxWait: CONNECT_TIMEOUT_MS, timeout: 10_000 } as const;

/** Of an owner's own SQL, at the most. */
const SQL_CONNECTIONS_MAX = 16;

/** How an owner reaches its tables: by a Prisma client, and by SQL of its own. */
export interface OpenStore {
  /** For the owner's Prisma client, whose `$disconnect` closes its connections. */
  readonly adapter: PrismaPg;
  readonly sql: SqlStore;
  /** Closes those of `sql`. */
  close(): Promise<void>;
}

/**
 * The adapter for one owner's Prisma client. Connections are opened when needed and replaced when they break, so the
 * client goes on after a restart of PostgreSQL.
 */
export function openStore(databaseUrl: string, schema: string, logger: Logger): PrismaPg {
  const nameOf = createStatementNames();
  const onLost = lostTo(schema, logger);
  return new PrismaPg(poolOptions(databaseUrl, schema, POOL_CONNECTIONS_MAX), {
    schema,
    onPoolError: onLost,
    onConnectionError: onLost,
    // Also those that open and end transactions come by here: they are one word, and have nothing to plan. No name is an empty one.
    statementNameGenerator: ({ sql, args }) => (args.length === 0 ? '' : (nameOf(sql) ?? '')),
  });
}

/** The same for an owner that has SQL of its own besides. */
export function openSqlStore(databaseUrl: string, schema: string, logger: Logger): OpenStore {
  const pool = new pg.Pool({
    ...poolOptions(databaseUrl, schema, SQL_CONNECTIONS_MAX),
    pipeline: true,
    // Its statements find their rows by keys, whatever these are: to plan them anew for each takes longer than they do.
    options: '-c plan_cache_mode=force_generic_plan',
  });
  pool.on('error', lostTo(schema, logger));
  return {
    adapter: openStore(databaseUrl, schema, logger),
    sql: createSqlStore(pool, createStatementNames()),
    close: () => pool.end(),
  };
}

function poolOptions(connectionString: string, schema: string, max: number): pg.PoolConfig {
  return {
    connectionString,
    max,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    query_timeout: QUERY_TIMEOUT_MS,
    idle_in_transaction_session_timeout: TRANSACTION_LIMITS.timeout,
    application_name: `weft-${schema}`,
  };
}

function lostTo(schema: string, logger: Logger): (cause: Error) => void {
  return (cause) => logger.warn({ err: cause, schema }, 'connection to the store lost');
}

/**
 * Prisma: cannot reach, timed out, closed, pool exhausted, a transaction that could not start or has ended.
 * https://www.prisma.io/docs/orm/reference/error-reference
 */
const PRISMA_CODES_AWAY: ReadonlySet<string> = new Set([
  'P1001',
  'P1002',
  'P1008',
  'P1011',
  'P1017',
  'P2024',
  'P2028',
  'P2037',
]);
/** What the network and `pg` say, where Prisma passes it on as text only. */
const TEXT_AWAY =
  /ECONNREFUSED|ECONNRESET|EPIPE|ENOTFOUND|ETIMEDOUT|Connection terminated|timeout exceeded when trying to connect|terminating connection|the database system is|Query read timeout|not queryable|Can't reach database/i;
/** PostgreSQL: connection exceptions, shutdown and start-up, too many connections, time-outs, read-only after a failover. */
const SQL_STATE_AWAY = /^(08...|57P0[1235]|53...|57014|25P03|25006)$/;
/** PostgreSQL: data exceptions, violated constraints, program limits that a value passes. */
const SQL_STATE_DATA = /^(22|23|54)[0-9A-Z]{3}$/;
const SQL_STATE_TIMED_OUT = '57014';
/** Prisma, of a transaction that has lasted longer than TRANSACTION_LIMITS.timeout. */
const TEXT_EXPIRED = /cannot be executed on an expired transaction/;
/** How deep the causes of an error are followed. */
const CAUSE_DEPTH_MAX = 5;

/** What Prisma, its adapter and `pg` put on their errors. */
interface StoreErrorFields {
  readonly code?: unknown;
  readonly originalCode?: unknown;
  readonly message?: unknown;
  readonly meta?: { readonly code?: unknown; readonly driverAdapterError?: unknown } | undefined;
  readonly cause?: unknown;
}

/** Whether a thrown value says that PostgreSQL cannot be used now, so that trying again later may help. */
export function isStoreAway(thrown: unknown): boolean {
  return causesOf(thrown).some(
    (error) =>
      codesOf(error).some((code) => PRISMA_CODES_AWAY.has(code) || SQL_STATE_AWAY.test(code)) ||
      (typeof error.message === 'string' && TEXT_AWAY.test(error.message)),
  );
}

/**
 * Whether a thrown value says that it is the data that cannot be stored, so that it will fail however often it is tried.
 * What is not known does not say so: whoever gives something up for it would lose it to a failure that passes.
 */
export function isDataError(thrown: unknown): boolean {
  if (thrown instanceof HubError) return thrown.code === 'BAD_USER_INPUT' || thrown.code === 'LIMIT_EXCEEDED';
  return causesOf(thrown).some((error) => codesOf(error).some((code) => SQL_STATE_DATA.test(code)));
}

/** Whether PostgreSQL has given a statement up for its time, or Prisma a transaction. */
export function isTimedOut(thrown: unknown): boolean {
  return causesOf(thrown).some(
    (error) =>
      codesOf(error).includes(SQL_STATE_TIMED_OUT) ||
      (typeof error.message === 'string' && TEXT_EXPIRED.test(error.message)),
  );
}

/** The thrown value and what caused it, outermost first. */
function causesOf(thrown: unknown): readonly StoreErrorFields[] {
  const causes: StoreErrorFields[] = [];
  let current = thrown;
  while (causes.length < CAUSE_DEPTH_MAX && typeof current === 'object' && current !== null) {
    const error: StoreErrorFields = current;
    causes.push(error);
    current = error.cause ?? error.meta?.driverAdapterError;
  }
  return causes;
}

function codesOf({ code, originalCode, meta }: StoreErrorFields): readonly string[] {
  return [code, originalCode, meta?.code].filter((each) => typeof each === 'string');
}

/** Any thrown value as a HubError: a store that cannot be reached is STORE_UNAVAILABLE, what is not known INTERNAL_SERVER_ERROR. */
export function fromStoreError(thrown: unknown): HubError {
  if (thrown instanceof HubError) return thrown;
  if (isStoreAway(thrown)) {
    return new HubError('STORE_UNAVAILABLE', 'The hub cannot reach its own database.', { cause: thrown });
  }
  return HubError.from(thrown);
}
