import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { PollPlan, SqlCall, SqlSource } from '@weft/connectors/plan';
import { openSql, type SqlClient } from '@weft/connectors/sql/client';
import { compileMapping } from '@weft/schema/mapping/compile';
import mysql from 'mysql2/promise';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createMariadbDatabase,
  createPostgresDatabase,
  whyNoMariadb,
  whyNoPostgres,
} from '../support/engines.ts';

const noPostgres = await whyNoPostgres();
const noMariadb = await whyNoMariadb();

const TABLE =
  'CREATE TABLE t_thing (id INTEGER PRIMARY KEY, grid VARCHAR(20), xm VARCHAR(40), gxsj TIMESTAMP)';
const INSERT = `INSERT INTO t_thing VALUES
  (1, 'a', '甲', '2026-11-22 08:00:00'), (2, 'a', '乙', '2026-11-22 08:00:01'),
  (3, 'b', '丙', '2026-11-22 08:00:01'), (4, 'a', '丁', '2026-11-22 08:00:02')`;

interface Engine {
  readonly name: string;
  readonly skipped: boolean;
  /** A view over `t_thing` whose reading takes seconds, where the engine can sleep. */
  readonly slowView: string | undefined;
  make(): Promise<{ readonly url: string; drop(): Promise<void> }>;
}

async function makePostgres() {
  const database = await createPostgresDatabase();
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  for (const sql of [
    TABLE,
    INSERT,
    'CREATE VIEW t_slow AS SELECT t.*, pg_sleep(5)::text AS s FROM t_thing t',
  ]) {
    await client.query(sql);
  }
  await client.end();
  return database;
}

async function makeMariadb() {
  const database = await createMariadbDatabase();
  const connection = await mysql.createConnection({ uri: database.url });
  for (const sql of [TABLE, INSERT, 'CREATE VIEW t_slow AS SELECT t.*, sleep(5) AS s FROM t_thing t']) {
    await connection.query(sql);
  }
  await connection.end();
  return database;
}

async function makeSqlite() {
  const folder = mkdtempSync(join(tmpdir(), 'weft-sqlite-'));
  const path = join(folder, 'thing.db');
  const database = new DatabaseSync(path);
  database.exec(TABLE);
  database.exec(INSERT);
  database.close();
  return { url: `sqlite://${path}`, drop: async () => rmSync(folder, { recursive: true }) };
}

const ENGINES: readonly Engine[] = [
  { name: 'PostgreSQL', skipped: noPostgres !== undefined, slowView: 't_slow', make: makePostgres },
  { name: 'MariaDB', skipped: noMariadb !== undefined, slowView: 't_slow', make: makeMariadb },
  { name: 'SQLite', skipped: false, slowView: undefined, make: makeSqlite },
];

describe.each(ENGINES)('an SQL source on $name', ({ skipped, slowView, make }) => {
  let client: SqlClient;
  let database: { readonly url: string; drop(): Promise<void> };

  beforeAll(async () => {
    if (skipped) return;
    database = await make();
    client = openSql('city', sourceAt(database.url), {});
  });
  afterAll(async () => {
    await client?.close();
    await database?.drop();
  });

  const call: SqlCall = {
    protocol: 'sql',
    table: 't_thing',
    columns: ['id', 'grid', 'xm', 'gxsj'],
    where: compileMapping('grid: $batch.grid'),
    orderBy: [{ column: 'gxsj', descending: true }],
    limit: undefined,
    limitPerKey: 2,
  };
  const options = () => ({ signal: AbortSignal.timeout(10_000), correlationId: 'x' });

  it.skipIf(skipped)(
    'reads the first rows of each key, with local times as the text they are kept in',
    async () => {
      const rows = (await client.call(call, { batch: { grid: ['a', 'b', "c' OR '1'='1"] } }, options())) as {
        id: number;
        gxsj: string;
      }[];
      expect(rows.map(({ id }) => Number(id)).toSorted()).toEqual([2, 3, 4]);
      expect(rows.every(({ gxsj }) => /^2026-11-22 08:00:0[12]/.test(gxsj))).toBe(true);
    },
  );

  it.skipIf(skipped)('pages through changes without missing a row of the same time', async () => {
    const poll: PollPlan = {
      kind: 'poll',
      table: 't_thing',
      columns: ['id', 'gxsj'],
      cursor: ['gxsj', 'id'],
      everyMs: 1,
      overlapMs: 0,
      rowsMax: 2,
    };
    const seen: number[] = [];
    let place: { time: string; tie: string } | undefined;
    for (let page = 0; page < 3; page += 1) {
      const rows = await client.readChanges(poll, place, options());
      seen.push(...rows.map(({ id }) => Number(id)));
      const last = rows.at(-1);
      if (last !== undefined) place = { time: String(last.gxsj), tie: String(last.id) };
    }
    expect(seen).toEqual([1, 2, 3, 4]);
  });

  it.skipIf(skipped)('tells of a table that is not there, and stays usable', async () => {
    const scope = { batch: { grid: ['a'] } };
    await expect(client.call({ ...call, table: 't_none' }, scope, options())).rejects.toMatchObject({
      code: 'UPSTREAM_INVALID',
      system: 'city',
      details: { operation: 't_none', sqlState: expect.any(String) },
    });
    expect(await client.call(call, scope, options())).toHaveLength(2);
  });

  if (slowView === undefined) return;
  it.skipIf(skipped)('ends a statement that is aborted and frees its session', async () => {
    const slow = {
      ...call,
      table: slowView,
      columns: ['id', 's'],
      orderBy: [],
      limitPerKey: undefined,
    };
    const scope = { batch: { grid: ['a'] } };
    for (let round = 0; round < 3; round += 1) {
      const startedAt = performance.now();
      const signal = AbortSignal.timeout(100);
      await expect(client.call(slow, scope, { signal, correlationId: 'x' })).rejects.toMatchObject({
        name: 'TimeoutError',
      });
      expect(performance.now() - startedAt).toBeLessThan(1_500);
    }
    expect(await client.call(call, scope, options())).toHaveLength(2);
  });
});

describe('an SQL source that is away', () => {
  it.each(['postgres://x@127.0.0.1:1/none', 'mysql://x@127.0.0.1:1/none', 'sqlite:///nowhere/none.db'])(
    'opens without asking, and says so when it is called: %s',
    async (url) => {
      const client = openSql('city', sourceAt(url), {});
      const call: SqlCall = {
        protocol: 'sql',
        table: 't',
        columns: ['id'],
        where: undefined,
        orderBy: [],
        limit: 1,
        limitPerKey: undefined,
      };
      await expect(
        client.call(call, {}, { signal: AbortSignal.timeout(5_000), correlationId: 'x' }),
      ).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE', system: 'city' });
      await client.close();
    },
  );

  it('refuses an address of another kind, naming the source', () => {
    expect(() => openSql('city', sourceAt('oracle://x/y'), {})).toThrow(/source db/);
  });
});

function sourceAt(url: string): SqlSource {
  return {
    protocol: 'sql',
    name: 'db',
    guard: {
      timeoutMs: 3_000,
      concurrency: 2,
      retries: 0,
      breaker: { failureRatio: 0.5, minCalls: 5, openForMs: 1_000 },
      responseBytesMax: 1_000,
    },
    timezone: 'Asia/Shanghai',
    encoding: 'utf-8',
    readOnly: true,
    url: compileMapping(`'${url}'`),
  };
}
