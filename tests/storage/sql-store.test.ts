// Transactions of own SQL on a real PostgreSQL: one after the other what was given, all of it or nothing.
import { createSqlStore, type SqlStore } from '@weft/core/sql-store';
import { createStatementNames, SEEN_MIN } from '@weft/core/statement-names';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createPostgresDatabase, type TestDatabase, whyNoPostgres } from '../support/engines.ts';

const skipReason = await whyNoPostgres();
const PUT = 'INSERT INTO note (text) VALUES ($1)';

describe.skipIf(skipReason !== undefined)('a transaction of own SQL', () => {
  let database: TestDatabase;
  let pool: pg.Pool;
  let store: SqlStore;
  beforeAll(async () => {
    database = await createPostgresDatabase();
    pool = new pg.Pool({ connectionString: database.url, max: 2, pipeline: true });
    pool.on('error', () => undefined);
    store = createSqlStore(pool, createStatementNames());
    await pool.query(
      'CREATE TABLE note (number serial PRIMARY KEY, text text NOT NULL CHECK (text <> $$bad$$))',
    );
  });
  beforeEach(async () => {
    await pool.query('TRUNCATE note RESTART IDENTITY');
  });
  afterAll(async () => {
    await pool?.end();
    await database?.drop();
  });

  const stored = async () =>
    (await store.query<{ text: string }>('SELECT text FROM note ORDER BY number', [])).map(
      ({ text }) => text,
    );

  it('does statements in the order in which they were given, whether they are waited for or not', async () => {
    const seen = await store.transaction(async (tx) => {
      await tx.later.query(PUT, ['first']);
      await tx.later.query(PUT, ['second']);
      const [row] = await tx.query<{ count: number }>('SELECT count(*)::int AS count FROM note', []);
      await tx.later.query(PUT, ['third']);
      return row?.count;
    });
    expect(seen).toBe(2);
    expect(await stored()).toEqual(['first', 'second', 'third']);
  });

  it('commits nothing when a statement that nobody waits for fails, and says which', async () => {
    const failing = store.transaction(async (tx) => {
      await tx.query(PUT, ['before']);
      await tx.later.query(PUT, ['bad']);
      await tx.later.query(PUT, ['after']);
      return 'done';
    });
    await expect(failing).rejects.toMatchObject({ code: '23514' });
    expect(await stored()).toEqual([]);
  });

  it('commits nothing when what failed was caught by who asked', async () => {
    const failing = store.transaction(async (tx) => {
      await tx.later.query(PUT, ['before']);
      await tx.query(PUT, ['bad']).catch(() => undefined);
    });
    await expect(failing).rejects.toThrow('a transaction had failed before its commit');
    expect(await stored()).toEqual([]);
  });

  it('undoes what was not committed when its signal aborts, or its work throws', async () => {
    const abort = new AbortController();
    const aborted = store.transaction(async (tx) => {
      await tx.query(PUT, ['aborted']);
      abort.abort(new Error('too late'));
    }, abort.signal);
    await expect(aborted).rejects.toThrow('too late');
    const thrown = store.transaction(async (tx) => {
      await tx.query(PUT, ['thrown']);
      throw new Error('no');
    });
    await expect(thrown).rejects.toThrow('no');
    expect(await stored()).toEqual([]);
  });

  it('says that its session was lost, and the next one has another', async () => {
    const lost = store.transaction(async (tx) => {
      const [row] = await tx.query<{ pid: number }>('SELECT pg_backend_pid() AS pid', []);
      await tx.later.query(PUT, ['lost']);
      await pool.query('SELECT pg_terminate_backend($1, 5000)', [row?.pid]);
    });
    await expect(lost).rejects.toThrow();
    await store.transaction((tx) => tx.query(PUT, ['next']));
    expect(await stored()).toEqual(['next']);
  });

  it('prepares what comes again and again, also when two of it travel together', async () => {
    const texts = Array.from({ length: SEEN_MIN * 3 }, (_, index) => String(index));
    await store.transaction(async (tx) => {
      for (const text of texts) await tx.later.query(PUT, [text]);
      const [{ count } = { count: 0 }] = await tx.query<{ count: number }>(
        'SELECT count(*)::int AS count FROM pg_prepared_statements WHERE statement = $1',
        [PUT],
      );
      expect(count).toBe(1);
    });
    expect(await stored()).toEqual(texts);
  });
});
