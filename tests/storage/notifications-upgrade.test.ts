// What an older hub left to be told to machines waits no longer; what people are to be told is left as it is.
import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPostgresDatabase, type TestDatabase, whyNoPostgres } from '../support/engines.ts';

const MIGRATIONS = resolve(import.meta.dirname, '../../subgraphs/incidents/prisma/migrations');
const MENDED_BY = '20261129_34_no_recipient';
const noPostgres = await whyNoPostgres();

const INCIDENT = '11111111-1111-5111-8111-111111111111';
const COMMAND = '33333333-3333-5333-8333-333333333333';
/** Who reported, and what stands before: number, kind, subject, state, command. */
const REPORTERS = [
  [1, 'EXTERNAL_SYSTEM', null, 'PENDING', null],
  [2, 'CITIZEN', null, 'PENDING', null],
  [3, 'EXTERNAL_SYSTEM', '["issuer","platform"]', 'PENDING', null],
  [4, 'EXTERNAL_SYSTEM', null, 'PENDING', COMMAND],
  [5, 'EXTERNAL_SYSTEM', null, 'FAILED', COMMAND],
] as const;

describe.skipIf(noPostgres !== undefined)('the notifications of an older hub', () => {
  let database: TestDatabase;
  let client: pg.Client;
  beforeAll(async () => {
    database = await createPostgresDatabase();
    client = new pg.Client({ connectionString: database.url });
    await client.connect();
    await client.query('CREATE SCHEMA incidents; SET search_path TO incidents');
    const names = readdirSync(MIGRATIONS)
      .filter((name) => /^\d/.test(name))
      .toSorted();
    const migrate = (name: string) =>
      client.query(readFileSync(resolve(MIGRATIONS, name, 'migration.sql'), 'utf8'));
    for (const name of names.slice(0, names.indexOf(MENDED_BY))) await migrate(name);
    await client.query(
      `INSERT INTO incident (id, title, channel, state, version, reported_at, received_at) VALUES ($1, '坑洞', 'SYSTEM_PUSH', 'ACCEPTED', 2, now(), now())`,
      [INCIDENT],
    );
    for (const [number, kind, subject, state, command] of REPORTERS) {
      await client.query(
        `INSERT INTO reporter (report_id, number, incident_id, kind, channel, subject, reported_at) VALUES ($1, $2, $1, $3, 'SYSTEM_PUSH', $4, now())`,
        [INCIDENT, number, kind, subject],
      );
      await client.query(
        `INSERT INTO notification (incident_id, sequence, report_id, number, channel, state, kind, text, command_id, created_at, updated_at)
         VALUES ($1, 2, $1, $2, 'SYSTEM_PUSH', $3, 'ACCEPTED', '', $4, now(), now())`,
        [INCIDENT, number, state, command],
      );
    }
    await migrate(MENDED_BY);
  });
  afterAll(async () => {
    await client.end();
    await database.drop();
  });

  it('have nobody to tell where a machine reported, and no command carries it', async () => {
    const { rows } = await client.query('SELECT number, state FROM notification ORDER BY number');
    expect(rows).toEqual([
      { number: 1, state: 'NO_RECIPIENT' },
      ...REPORTERS.slice(1).map(([number, , , state]) => ({ number, state })),
    ]);
  });
});
