// Connections to the outbox that end in time. When the server was silent and answers again, what the silence has cost is not waited for.
import { delay } from '@weft/core/deadline';
import type { Logger } from '@weft/core/logger';
import pg from 'pg';

const CONNECTIONS_MAX = 4;
const CONNECT_TIMEOUT_MS = 5_000;
const QUERY_TIMEOUT_MS = 10_000;
/** A statement that has waited for so long makes the pool ask whether the server answers at all. */
const PROBE_AFTER_MS = 1_000;
const PROBE_INTERVAL_MS = 500;
const PROBE_TIMEOUT_MS = 1_000;

/** What the log, its engines and the relay need of a `pg.Pool`. */
export interface StorePool {
  /** Rejects with what `pg` rejects with, and when the server was silent since it was asked and answers others now. */
  query<Row extends pg.QueryResultRow = pg.QueryResultRow>(
    config: string | pg.QueryConfig,
    values?: unknown[],
  ): Promise<pg.QueryResult<Row>>;
  /** The caller releases it. A connection that is lost meanwhile is told by the statement that meets with it. */
  connect(): Promise<pg.PoolClient>;
  end(): Promise<void>;
}

/**
 * Connects when it is first used; a connection that breaks is replaced. A question that a network has swallowed would be
 * waited for until its time-out, long after the network is whole: when one has waited for a second, the pool tries to connect, again and
 * again, and when that succeeds after it did not, all its connections are replaced and what waits on them is rejected.
 */
export function openPool(connectionString: string, logger: Logger, name = 'weft events reader'): StorePool {
  const open = () => openConnections(connectionString, logger, name);
  const waiting = new Map<(reason: Error) => void, number>();
  const closing = new AbortController();
  let connections = open();
  let isSilent = false;
  let watching: Promise<void> | undefined;

  const replace = () => {
    const lost = connections;
    connections = open();
    const message = `${name}: PostgreSQL was silent and answers again`;
    logger.warn({ waiting: waiting.size }, `${message}: connecting anew`);
    lost.abandon();
    const rejections = [...waiting.keys()];
    waiting.clear();
    for (const giveUp of rejections) giveUp(new Error(`${message}: what was asked meanwhile is lost`));
  };
  const watch = async () => {
    do {
      const isAnswering = await probe(connectionString, name);
      if (isAnswering && isSilent) replace();
      isSilent = !isAnswering;
      // An abort ends the pause with a rejection, and the loop with it.
      await delay(PROBE_INTERVAL_MS, closing.signal).catch(() => undefined);
    } while (!closing.signal.aborted && (isSilent || hasWaited(waiting, PROBE_AFTER_MS)));
  };
  const onLate = () => {
    watching ??= watch().finally(() => {
      watching = undefined;
    });
  };
  const inTime = <T>(asked: Promise<T>): Promise<T> =>
    new Promise<T>((resolve, reject) => {
      const timer = setTimeout(onLate, PROBE_AFTER_MS);
      waiting.set(reject, performance.now());
      asked.then(resolve, reject).finally(() => {
        clearTimeout(timer);
        waiting.delete(reject);
      });
    });
  return {
    query: <Row extends pg.QueryResultRow>(config: string | pg.QueryConfig, values?: unknown[]) =>
      inTime(connections.pool.query<Row>(config, values)),
    async connect() {
      const asked = connections.pool.connect();
      try {
        return await inTime(asked);
      } catch (thrown) {
        // It may still come, to nobody.
        asked.then((client) => client.release(true)).catch(() => undefined);
        throw thrown;
      }
    },
    async end() {
      closing.abort();
      await watching;
      if (isSilent) connections.abandon();
      else await connections.pool.end();
    },
  };
}

function hasWaited(waiting: ReadonlyMap<unknown, number>, forMs: number): boolean {
  const sinceMs = performance.now() - forMs;
  for (const askedMs of waiting.values()) if (askedMs <= sinceMs) return true;
  return false;
}

interface Connections {
  readonly pool: pg.Pool;
  /** Ends all of them at once, those in the middle of a statement, too. */
  abandon(): void;
}

function openConnections(connectionString: string, logger: Logger, name: string): Connections {
  const pool = new pg.Pool({
    connectionString,
    max: CONNECTIONS_MAX,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: QUERY_TIMEOUT_MS,
    statement_timeout: QUERY_TIMEOUT_MS,
    application_name: name,
    // Readers ask the same few questions for ever, each by an index: to plan one anew takes as long as to answer it.
    options: '-c plan_cache_mode=force_generic_plan',
  });
  const clients = new Set<pg.PoolClient>();
  const onLost = (err: Error) => logger.debug({ err }, 'a connection of the event log ended');
  // An idle connection that breaks is replaced when the next one is needed.
  pool.on('error', onLost);
  pool.on('connect', (client) => {
    clients.add(client);
    // The pool listens to idle ones only: one that breaks in a transaction must not end the process either.
    client.on('error', onLost);
  });
  pool.on('remove', (client) => clients.delete(client));
  return {
    pool,
    abandon() {
      // One that is in the middle of a statement is cut; whoever waits for it is told.
      for (const client of clients) (client as unknown as pg.Client).end().catch(onLost);
      pool.end().catch(onLost);
    },
  };
}

/** Whether the server answers to a new connection in time, with whatever. */
async function probe(connectionString: string, name: string): Promise<boolean> {
  const client = new pg.Client({
    connectionString,
    connectionTimeoutMillis: PROBE_TIMEOUT_MS,
    query_timeout: PROBE_TIMEOUT_MS,
    application_name: `${name}, asking whether it answers`,
  });
  // Told by what is awaited below.
  client.on('error', () => undefined);
  try {
    await client.connect();
    return true;
  } catch (thrown) {
    // It refuses, but it is there.
    return thrown instanceof pg.DatabaseError;
  } finally {
    client.end().catch(() => undefined);
  }
}
