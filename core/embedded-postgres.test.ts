import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startPostgres } from './embedded-postgres.ts';

describe('startPostgres', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'weft-postgres-'));
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  async function query(url: string, sql: string): Promise<unknown[]> {
    const client = new pg.Client({ connectionString: url });
    client.on('error', () => undefined);
    await client.connect();
    try {
      return (await client.query(sql)).rows;
    } finally {
      await client.end();
    }
  }

  it('keeps what was committed over a stop and over kill -9 of the server', async () => {
    const first = await startPostgres({ directory });
    await query(first.url, 'CREATE TABLE kept (n int)');
    await query(first.url, 'INSERT INTO kept VALUES (1)');
    await first.stop();
    expect(first.isRunning()).toBe(false);

    const second = await startPostgres({ directory });
    await query(second.url, 'INSERT INTO kept VALUES (2)');
    process.kill(second.pid, 'SIGKILL');

    const third = await startPostgres({ directory });
    expect(await query(third.url, 'SELECT n FROM kept ORDER BY n')).toEqual([{ n: 1 }, { n: 2 }]);
    await third.stop();
  });

  it('takes over the server that runs in its folder already', async () => {
    const first = await startPostgres({ directory });
    const second = await startPostgres({ directory });
    expect(second).toMatchObject({ adopted: true, pid: first.pid, url: first.url });
    await second.stop();
    expect(first.isRunning()).toBe(false);
  });

  it('comes back on the same port when it is asked to', async () => {
    const first = await startPostgres({ directory });
    const port = Number(new URL(first.url).port);
    process.kill(first.pid, 'SIGKILL');
    const second = await startPostgres({ directory, port });
    expect(second.url).toBe(first.url);
    await second.stop();
  });
});
