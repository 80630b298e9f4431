import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type EmbeddedPostgres, startPostgres } from './embedded-postgres.ts';
import { findMigrationOwners, migrateAll } from './migrate.ts';

describe('migrateAll', () => {
  let folder: string;
  let server: EmbeddedPostgres;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'weft-migrate-'));
    server = await startPostgres({ directory: join(folder, 'postgres') });
  });
  afterAll(async () => {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  function writeMigration(owner: string, name: string, sql: string): void {
    mkdirSync(join(folder, owner, 'prisma', 'migrations', name), { recursive: true });
    writeFileSync(join(folder, owner, 'prisma', 'migrations', name, 'migration.sql'), sql);
  }

  const inNewDatabase = (name: string) => server.url.replace(/\/weft$/, `/${name}`);

  it('applies each migration once, in an own schema for each owner, even when two start at the same time', async () => {
    mkdirSync(join(folder, 'subgraphs'), { recursive: true });
    writeMigration('events', '0001_init', 'CREATE TABLE thing (id int primary key);');
    writeMigration(
      'subgraphs/incidents',
      '0001_init',
      'CREATE TABLE thing (id int primary key); INSERT INTO thing VALUES (1);',
    );
    const owners = findMigrationOwners(folder);
    expect(owners.map(({ schema }) => schema)).toEqual(['events', 'incidents']);
    const url = inNewDatabase('once');
    const both = await Promise.all([migrateAll(url, owners), migrateAll(url, owners)]);
    expect(both.flat().sort()).toEqual(['events/0001_init', 'incidents/0001_init']);
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    expect((await client.query('SELECT count(*)::int AS n FROM incidents.thing')).rows).toEqual([{ n: 1 }]);
    expect((await client.query('SELECT migration_name FROM events._prisma_migrations')).rows).toEqual([
      { migration_name: '0001_init' },
    ]);
    await client.end();
  });

  it('refuses a migration that was changed after it was applied', async () => {
    writeMigration('changed', '0001_init', 'CREATE TABLE a (id int);');
    const owners = [{ schema: 'changed', directory: join(folder, 'changed', 'prisma', 'migrations') }];
    await migrateAll(inNewDatabase('changed'), owners);
    writeMigration('changed', '0001_init', 'CREATE TABLE b (id int);');
    await expect(migrateAll(inNewDatabase('changed'), owners)).rejects.toThrow(
      'changed/0001_init was changed after it was applied',
    );
  });

  it('leaves nothing of a migration that fails, and refuses to go on until it is resolved', async () => {
    writeMigration('broken', '0001_init', 'CREATE TABLE a (id int); SELECT no_such_function();');
    const owners = [{ schema: 'broken', directory: join(folder, 'broken', 'prisma', 'migrations') }];
    const url = inNewDatabase('broken');
    await expect(migrateAll(url, owners)).rejects.toThrow('no_such_function');
    await expect(migrateAll(url, owners)).rejects.toThrow('broken/0001_init failed before');
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    expect((await client.query("SELECT to_regclass('broken.a') AS a")).rows).toEqual([{ a: null }]);
    await client.end();
  });

  it('says so when the database ends the connection in the middle', async () => {
    writeMigration('cut', '0001_init', 'SELECT pg_terminate_backend(pg_backend_pid());');
    const owners = [{ schema: 'cut', directory: join(folder, 'cut', 'prisma', 'migrations') }];
    await expect(migrateAll(inNewDatabase('cut'), owners)).rejects.toThrow(/terminat/);
  });

  it('says in one line that DATABASE_URL cannot be used, without its password', async () => {
    const wrong = server.url.replace(/:[^:@/]+@/, ':wrong-secret@');
    const failure = await migrateAll(wrong, []).catch((thrown: Error) => thrown.message);
    expect(failure).toMatch(
      /^DATABASE_URL postgresql:\/\/weft@.* cannot be used: .*authentication failed.*unset it to use the embedded PostgreSQL$/,
    );
    expect(failure).not.toContain('wrong-secret');
    await expect(migrateAll('postgresql://nobody@127.0.0.1:1/none', [])).rejects.toThrow('ECONNREFUSED');
    await expect(migrateAll('nonsense', [])).rejects.toThrow('DATABASE_URL is not a URL');
  });
});
