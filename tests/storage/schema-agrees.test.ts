// The migrations make the tables that the Prisma schemas describe.
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { findMigrationOwners, migrateAll } from '@weft/core/migrate';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPostgresDatabase, type TestDatabase, whyNoPostgres } from '../support/engines.ts';
import { factsOfDatabase, factsOfModels } from './prisma-models.ts';

const owners = findMigrationOwners(resolve(import.meta.dirname, '../..'));
const noPostgres = await whyNoPostgres();

describe.skipIf(noPostgres !== undefined)('migrations and models', () => {
  let database: TestDatabase;
  let client: pg.Client;
  beforeAll(async () => {
    database = await createPostgresDatabase();
    await migrateAll(database.url, owners);
    client = new pg.Client({ connectionString: database.url });
    await client.connect();
  });
  afterAll(async () => {
    await client.end();
    await database.drop();
  });

  const modelsOf = (directory: string) => readFileSync(join(directory, '..', 'schema.prisma'), 'utf8');

  it.each(owners)(
    'agree for $schema: columns, types, nullability, indexes',
    async ({ schema, directory }) => {
      const facts = factsOfModels(modelsOf(directory));
      expect(facts.length).toBeGreaterThan(0);
      expect(await factsOfDatabase(client, schema)).toEqual(facts);
    },
  );

  it('disagree when a column, its type, or an index is another one', async () => {
    const owner = owners.find(({ schema }) => schema === 'incidents');
    const models = modelsOf(owner?.directory ?? '');
    const facts = await factsOfDatabase(client, 'incidents');
    for (const [from, to] of [
      ['  address     String?\n', ''],
      ['version     Int', 'version     String'],
      ['  address     String?', '  address     String'],
      ['@@index([kind, number])', '@@index([number, kind])'],
    ] as const) {
      expect(models).toContain(from);
      expect(factsOfModels(models.replace(from, to))).not.toEqual(facts);
    }
  });
});
