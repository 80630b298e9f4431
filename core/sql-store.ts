// Transactions of SQL on a pool of PostgreSQL, in as few round trips as they need: what nobody waits for travels with what comes next.
import type pg from 'pg';
import { HubError } from './errors.ts';

/** Statements of one transaction, each with its rows. */
export interface SqlTransaction {
  query<Row extends Record<string, unknown>>(
    sql: string,
    parameters: readonly unknown[],
  ): Promise<readonly Row[]>;
}

/** One transaction. Its statements are done in the order in which they were given. */
export interface StoreTransaction extends SqlTransaction {
  /** For statements whose rows nobody needs: sent with the next one that is waited for, or with the commit. Answers no rows. */
  readonly later: SqlTransaction;
}

export interface SqlStore {
  /**
   * Runs `work` in one transaction and commits it.
   * @param signal what is not committed when it aborts is undone
   * @throws what `work` or a statement of it throws, after rolling back
   */
  transaction<Result>(
    work: (transaction: StoreTransaction) => Promise<Result>,
    signal?: AbortSignal,
  ): Promise<Result>;
  /** One statement in a transaction of its own. */
  query<Row extends Record<string, unknown>>(
    sql: string,
    parameters: readonly unknown[],
  ): Promise<readonly Row[]>;
}

type Send = <Row extends Record<string, unknown>>(
  client: pg.Pool | pg.PoolClient,
  sql: string,
  parameters: readonly unknown[],
) => Promise<readonly Row[]>;

/**
 * @param pool of pipelined connections; closed by the caller
 * @param nameOf see `createStatementNames`: one for all that use the pool
 */
export function createSqlStore(pool: pg.Pool, nameOf: (text: string) => string | undefined): SqlStore {
  const send: Send = async <Row extends Record<string, unknown>>(
    client: pg.Pool | pg.PoolClient,
    text: string,
    parameters: readonly unknown[],
  ) => {
    const [name, values] = [nameOf(text), [...parameters]];
    return (await client.query<Row>(name === undefined ? { text, values } : { name, text, values })).rows;
  };
  return {
    transaction: (work, signal) => transact(pool, send, work, signal),
    query: (sql, parameters) => send(pool, sql, parameters),
  };
}

async function transact<Result>(
  pool: pg.Pool,
  send: Send,
  work: (transaction: StoreTransaction) => Promise<Result>,
  signal: AbortSignal | undefined,
): Promise<Result> {
  const client = await pool.connect();
  // It must not end the process; the statement that meets with it says so.
  const onLost = () => undefined;
  client.on('error', onLost);
  let isBroken = true;
  try {
    const pending = createPending(client, send);
    const result = await work(pending.transaction);
    signal?.throwIfAborted();
    await pending.commit();
    isBroken = false;
    return result;
  } catch (thrown) {
    isBroken = !(await rollBack(client));
    throw thrown;
  } finally {
    client.off('error', onLost);
    client.release(isBroken);
  }
}

interface Statement {
  readonly sql: string;
  readonly parameters: readonly unknown[];
}

/** What was given and not sent yet; the first is what opens the transaction. */
function createPending(client: pg.PoolClient, send: Send) {
  let unsent: Statement[] = [];
  let isOpen = false;
  /** In one go: PostgreSQL does one after the other, and refuses those after one that fails. */
  const flush = (): Promise<unknown>[] => {
    const sent: Promise<unknown>[] = isOpen ? [] : [client.query('BEGIN')];
    isOpen = true;
    sent.push(...unsent.map(({ sql, parameters }) => send(client, sql, parameters)));
    unsent = [];
    return sent;
  };
  const transaction: StoreTransaction = {
    async query<Row extends Record<string, unknown>>(sql: string, parameters: readonly unknown[]) {
      const before = flush();
      const asked = send<Row>(client, sql, parameters);
      await inOrder([...before, asked]);
      return await asked;
    },
    later: {
      query(sql, parameters) {
        unsent.push({ sql, parameters });
        return Promise.resolve([]);
      },
    },
  };
  return {
    transaction,
    async commit() {
      const sent = flush();
      const committed = client.query('COMMIT');
      await inOrder([...sent, committed]);
      // What of a transaction has failed, and been caught by who asked, ends it all the same.
      if ((await committed).command !== 'COMMIT')
        throw new HubError('INTERNAL_SERVER_ERROR', 'a transaction had failed before its commit');
    },
  };
}

/** Waits for all, and throws what failed first: what came after it failed because of it. */
async function inOrder(sent: readonly Promise<unknown>[]): Promise<void> {
  const outcomes = await Promise.allSettled(sent);
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

async function rollBack(client: pg.PoolClient): Promise<boolean> {
  try {
    await client.query('ROLLBACK');
    return true;
  } catch {
    // The session is gone, and its transaction with it.
    return false;
  }
}
