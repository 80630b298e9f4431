// Fault rows 14 and 15 between a reader or a relay and PostgreSQL: what was asked just before the line healed is not waited for.
import { delay } from '@weft/core/deadline';
import { createLogger } from '@weft/core/logger';
import { START } from '@weft/events/event-log';
import { fromPgClient, postgresAppender } from '@weft/events/postgres/appender';
import { openPostgresLog } from '@weft/events/postgres/log';
import { openPool, type StorePool } from '@weft/events/postgres/pool';
import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { makeEvent } from '../events/event-log-suite.ts';
import { createTestDatabase } from '../events/log-under-test.ts';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts';
import { waitFor } from '../support/wait.ts';

const TOPIC = 'silence';
const HEALED_MS_MAX = 5_000;
/** Longer than a quiet topic is left alone, so that a question is on its way when the line heals. */
const SILENCE_MS = 2_500;
const SLOW_MS = 10_000;
const logger = createLogger('test', process.env.WEFT_TEST_LOG ?? 'silent');

interface Store {
  readonly databaseUrl: string;
  readonly proxy: FaultProxy;
  /** Of the database, through the proxy. */
  readonly through: string;
  readonly pool: StorePool;
}

/** Of one test: all run at the same time, since they wait most of it. */
async function startStore(onTestFinished: (close: () => Promise<void>) => void): Promise<Store> {
  const database = await createTestDatabase();
  const proxy = await startFaultProxy(Number(new URL(database.url).port));
  const through = new URL(database.url);
  through.port = String(proxy.port);
  const pool = openPool(through.href, logger);
  onTestFinished(async () => {
    await pool.end();
    await proxy.close();
    await database.drop();
  });
  return { databaseUrl: database.url, proxy, through: through.href, pool };
}

async function append(databaseUrl: string, id: string): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await client.query('BEGIN');
    await postgresAppender.append(fromPgClient(client), TOPIC, [makeEvent(id)]);
    await client.query('COMMIT');
  } finally {
    await client.end();
  }
}

/** The question's failure is awaited later. */
function begin(question: Promise<unknown>): Promise<unknown> {
  question.catch(() => undefined);
  return question;
}

/** How long it takes, once the server answers again, until a question that the silence has swallowed is rejected. */
async function rejectedAfter(proxy: FaultProxy, questions: readonly Promise<unknown>[]): Promise<number> {
  const healedAt = performance.now();
  await proxy.setMode({ kind: 'pass' });
  for (const question of questions) await expect(question).rejects.toThrow('was silent');
  return performance.now() - healedAt;
}

describe.concurrent('a store that was silent and answers again', () => {
  it.for([
    { fault: 'swallowed everything', mode: { kind: 'blackhole' } as const },
    { fault: 'swallowed answers', mode: { kind: 'halfopen' } as const },
    { fault: 'answered late', mode: { kind: 'delay', delayMs: SLOW_MS } as const },
  ])('has its readers back within 5 s, when it $fault', async ({ mode }, { expect, onTestFinished }) => {
    const { databaseUrl, proxy, through } = await startStore(onTestFinished);
    const log = openPostgresLog({ databaseUrl: through, logger });
    onTestFinished(() => log.close());
    const ids: string[] = [];
    const stop = new AbortController();
    const reading = (async () => {
      for await (const entries of log.read(TOPIC, { after: START, signal: stop.signal }))
        ids.push(...entries.map((entry) => (entry.kind === 'event' ? entry.event.id : 'gap')));
    })();
    // More connections than the reader's, as newcomers leave them.
    await Promise.all(Array.from({ length: 4 }, () => log.head(TOPIC)));
    await append(databaseUrl, '1');
    await waitFor('the first event', () => ids.includes('1'));
    await proxy.setMode(mode);
    await append(databaseUrl, '2');
    await delay(SILENCE_MS);
    const healedAt = performance.now();
    await proxy.setMode({ kind: 'pass' });
    await waitFor('the second event', () => ids.includes('2'), SLOW_MS * 2);
    expect(performance.now() - healedAt).toBeLessThan(HEALED_MS_MAX);
    await append(databaseUrl, '3');
    await waitFor('the third event', () => ids.includes('3'));
    expect(ids).toEqual(['1', '2', '3']);
    stop.abort();
    await reading;
  });

  it('is asked on new connections, and the old ones are gone', async ({ expect, onTestFinished }) => {
    const { proxy, pool } = await startStore(onTestFinished);
    await Promise.all(Array.from({ length: 4 }, () => pool.query('SELECT pg_sleep(0.05)')));
    expect(proxy.connections()).toBe(4);
    await proxy.setMode({ kind: 'blackhole' });
    const questions = Array.from({ length: 6 }, () => begin(pool.query('SELECT 1')));
    await delay(SILENCE_MS);
    expect(await rejectedAfter(proxy, questions)).toBeLessThan(HEALED_MS_MAX);
    expect((await pool.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    await waitFor('the connections of the silence to be gone', () => proxy.connections() === 1);
  });

  it('is not given up for one statement that takes long while others are answered', async ({
    expect,
    onTestFinished,
  }) => {
    const { pool } = await startStore(onTestFinished);
    const slow = await pool.query<{ pid: number }>('SELECT pg_backend_pid() AS pid, pg_sleep(4)');
    const next = await pool.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    expect(next.rows[0]?.pid).toBe(slow.rows[0]?.pid);
  });

  it('lets go of a transaction that the silence has swallowed', async ({ expect, onTestFinished }) => {
    const { proxy, pool } = await startStore(onTestFinished);
    const client = await pool.connect();
    await client.query('BEGIN');
    await proxy.setMode({ kind: 'blackhole' });
    const statement = begin(client.query('SELECT 1'));
    const other = begin(pool.query('SELECT 1'));
    await delay(SILENCE_MS);
    expect(await rejectedAfter(proxy, [other])).toBeLessThan(HEALED_MS_MAX);
    await expect(statement).rejects.toThrow();
    client.release(true);
  });

  it('can be closed in the middle of the silence', async ({ expect, onTestFinished }) => {
    const { proxy, through } = await startStore(onTestFinished);
    const pool = openPool(through, logger);
    await pool.query('SELECT 1');
    await proxy.setMode({ kind: 'blackhole' });
    const question = begin(pool.query('SELECT 1'));
    await delay(SILENCE_MS);
    const closingAt = performance.now();
    await pool.end();
    expect(performance.now() - closingAt).toBeLessThan(HEALED_MS_MAX);
    await expect(question).rejects.toThrow();
  });
});

describe('a store that ends a connection', () => {
  it('in the middle of a transaction ends no process', async ({ onTestFinished }) => {
    const { pool } = await startStore(onTestFinished);
    const client = await pool.connect();
    await client.query('BEGIN');
    const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    const lost = new Promise<Error>((resolve) => client.once('error', resolve));
    // The pool's own listener is what counts: without one `error` is thrown.
    expect(client.listenerCount('error')).toBeGreaterThan(1);
    await pool.query('SELECT pg_terminate_backend($1)', [rows[0]?.pid]);
    expect((await lost).message).toMatch(/terminat/);
    await expect(client.query('SELECT 1')).rejects.toThrow();
    client.release(true);
  });
});
