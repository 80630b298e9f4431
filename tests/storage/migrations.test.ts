import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { startPostgres } from '@weft/core/embedded-postgres';
import { findMigrationOwners, migrateAll } from '@weft/core/migrate';
import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { createPostgresDatabase, type TestDatabase, whyNoPostgres } from '../support/engines.ts';

const ROOT = resolve(import.meta.dirname, '..', '..');
const noPostgres = await whyNoPostgres();

async function openEmbedded(): Promise<TestDatabase> {
  const directory = mkdtempSync(join(tmpdir(), 'weft-migrations-'));
  const server = await startPostgres({ directory });
  return {
    url: server.url,
    async drop() {
      await server.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

const COLUMNS = `SELECT table_schema, table_name, column_name, data_type, is_nullable FROM information_schema.columns
  WHERE table_schema = ANY($1) ORDER BY 1, 2, 3`;

/** Applies every owner's migrations and describes the columns that came of it. */
async function migratedColumns(open: () => Promise<TestDatabase>): Promise<unknown[]> {
  const owners = findMigrationOwners(ROOT);
  const database = await open();
  try {
    expect(await migrateAll(database.url, owners)).not.toEqual([]);
    expect(await migrateAll(database.url, owners)).toEqual([]);
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    const { rows } = await client.query(COLUMNS, [owners.map(({ schema }) => schema)]);
    await client.end();
    return rows;
  } finally {
    await database.drop();
  }
}

describe('the migrations of every owner', () => {
  it('belong to the event log, the connectors and every owned subgraph', () => {
    expect(findMigrationOwners(ROOT).map(({ schema }) => schema)).toEqual([
      'connectors',
      'directory',
      'events',
      'evidence',
      'incidents',
      'registry',
      'webhooks',
    ]);
  });

  it.skipIf(noPostgres)(
    `give the same tables on the embedded PostgreSQL and on a real server (${noPostgres ?? 'reachable'})`,
    async () => {
      const embedded = await migratedColumns(openEmbedded);
      const server = await migratedColumns(createPostgresDatabase);
      expect(embedded.length).toBeGreaterThan(20);
      expect(server).toEqual(embedded);
    },
  );
});
