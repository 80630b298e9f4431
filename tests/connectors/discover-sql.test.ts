import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type Discovery, discover } from '@weft/connectors/discover/discover';
import mysql from 'mysql2/promise';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createMariadbDatabase,
  createPostgresDatabase,
  type TestDatabase,
  whyNoMariadb,
  whyNoPostgres,
} from '../support/engines.ts';

const withoutPostgres = await whyNoPostgres();
const withoutMariadb = await whyNoMariadb();

let folder: string;
let count = 0;
const databases: TestDatabase[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weft-discover-sql-'));
});

afterAll(async () => {
  await Promise.all(databases.map((database) => database.drop()));
  await rm(folder, { recursive: true, force: true });
});

function draft(url: string, tables: readonly string[] = []): Promise<Discovery> {
  count += 1;
  return discover({ contract: { kind: 'sql', url, tables }, out: join(folder, `system-${count}`) });
}

function sdlOf({ folder: made }: Discovery): string {
  return readFileSync(join(made, readdirSync(made).find((name) => name.endsWith('.graphql')) ?? ''), 'utf8');
}

function sqlite(sql: string): string {
  count += 1;
  const file = join(folder, `${count}.db`);
  const database = new DatabaseSync(file);
  database.exec(sql);
  database.close();
  return `sqlite://${file}`;
}

describe('a SQLite file', () => {
  it('becomes entities by its primary keys, joined by its foreign keys both ways', async () => {
    const url = sqlite(`
      CREATE TABLE worker (wgybh TEXT PRIMARY KEY, xm TEXT);
      CREATE TABLE event (id INTEGER PRIMARY KEY, worker_id TEXT REFERENCES worker(wgybh), sbsj DATETIME, pic BLOB);
      CREATE TABLE pair (a INTEGER, b INTEGER, PRIMARY KEY (a, b));`);
    const found = await draft(url);
    const sdl = sdlOf(found);
    expect(found.check).toEqual({ ok: true, issues: [] });
    expect(found.counts).toMatchObject({ types: 3, entities: 2 });
    expect(sdl).toContain('where: "wgybh: $batch.wgybh"');
    expect(sdl).toContain('worker: { wgybh: worker_id }');
    expect(sdl).toContain('batch: { how: SQL_IN, max: 100, match: "parentKey", many: true }');
    expect(sdl).toContain('sbsj: sbsj->dateTime');
    expect(found.leftOut).toEqual([{ what: 'event.pic', why: 'BLOB has no like in GraphQL' }]);
    const contract = JSON.parse(readFileSync(join(found.folder, 'contracts/tables.json'), 'utf8'));
    expect(contract.tables.map(({ name }: { name: string }) => name)).toEqual(['event', 'pair', 'worker']);
  });

  it('with Chinese names keeps them in the select, and the check takes them', async () => {
    const found = await draft(
      sqlite('CREATE TABLE 站点 (站点编号 TEXT PRIMARY KEY, "PM2.5" REAL, 名称 TEXT)'),
    );
    expect(found.check.ok).toBe(true);
    expect(sdlOf(found)).toContain('columns: "站点编号, 名称"');
    expect(sdlOf(found)).toContain('zhanDianBianHao: 站点编号');
    expect(found.leftOut).toEqual([{ what: '站点.PM2.5', why: 'its name has marks in it' }]);
  });

  it('says which tables there are when one is not', async () => {
    await expect(draft(sqlite('CREATE TABLE a (id INTEGER PRIMARY KEY)'), ['b'])).rejects.toThrow(
      /there is no table 'b': it has a$/,
    );
    await expect(draft(`sqlite://${folder}/none.db`)).rejects.toThrow(/none.db cannot be read: ENOENT$/);
    await expect(draft('oracle://x/y')).rejects.toThrow(/expected a URL of postgres:/);
  });
});

describe.skipIf(withoutPostgres !== undefined)('a PostgreSQL', () => {
  it('gives its comments and enums, and never its password', async () => {
    const database = await createPostgresDatabase();
    databases.push(database);
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    await client.query(`
      CREATE TYPE zt AS ENUM ('待处理', 'in progress');
      CREATE TABLE sj (id bigint PRIMARY KEY, zt zt, gx timestamptz, data jsonb);
      COMMENT ON TABLE sj IS '事件"表"'; COMMENT ON COLUMN sj.gx IS '更新时间';
      CREATE SCHEMA other; CREATE TABLE other.t (n int);`);
    await client.end();
    const url = new URL(database.url);
    url.password = 'not-checked-by-trust';
    const found = await draft(url.href);
    const sdl = sdlOf(found);
    expect(found.check).toEqual({ ok: true, issues: [] });
    expect(sdl).toContain("zt: zt->match(['待处理','DAI_CHU_LI'],['in progress','IN_PROGRESS'])");
    expect(sdl).toContain('更新时间');
    expect(sdl).toContain('table: "other.t"');
    expect(sdl + JSON.stringify(found)).not.toContain('not-checked-by-trust');
    expect(found.leftOut).toEqual([{ what: 'sj.data', why: 'jsonb has no like in GraphQL' }]);
  });
});

describe.skipIf(withoutMariadb !== undefined)('a MariaDB', () => {
  it('gives its comments, enums and keys', async () => {
    const database = await createMariadbDatabase();
    databases.push(database);
    const connection = await mysql.createConnection(database.url);
    await connection.query(
      "CREATE TABLE t_xk (bh VARCHAR(20) PRIMARY KEY COMMENT '许可证编号', zt ENUM('a','it''s'), gx DATETIME) COMMENT '许可证'",
    );
    await connection.query(
      'CREATE TABLE t_jc (id INT PRIMARY KEY, bh VARCHAR(20), FOREIGN KEY (bh) REFERENCES t_xk(bh))',
    );
    await connection.end();
    const found = await draft(database.url);
    const sdl = sdlOf(found);
    expect(found.check).toEqual({ ok: true, issues: [] });
    expect(sdl).toContain('许可证编号');
    expect(sdl).toContain("zt: zt->match(['a','A'],['it\\'s','IT_S'])");
    expect(sdl).toContain('tJcList: [TJc!]');
  });
});
