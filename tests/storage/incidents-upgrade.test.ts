// What a hub stored before the closed loop is kept, and goes on from where it was.
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPostgresDatabase, type TestDatabase, whyNoPostgres } from '../support/engines.ts';

const MIGRATIONS = resolve(import.meta.dirname, '../../subgraphs/incidents/prisma/migrations');
const noPostgres = await whyNoPostgres();

const ROUTED = '11111111-1111-5111-8111-111111111111';
const REPORTED = '22222222-2222-5222-8222-222222222222';

describe.skipIf(noPostgres !== undefined)('the incidents of an older hub', () => {
  let database: TestDatabase;
  let client: pg.Client;
  const migrate = (name: string) =>
    client.query(readFileSync(resolve(MIGRATIONS, name, 'migration.sql'), 'utf8'));
  beforeAll(async () => {
    database = await createPostgresDatabase();
    client = new pg.Client({ connectionString: database.url });
    await client.connect();
    await client.query('CREATE SCHEMA incidents; SET search_path TO incidents');
    await migrate('0001_init');
    await client.query(`
      INSERT INTO incident (id, title, channel, state, version, division, department, reported_at, received_at) VALUES
        ('${ROUTED}', '井盖', 'HOTLINE', 'ROUTED', 3, '320508017003', 'police', '2026-01-01Z', '2026-01-01Z'),
        ('${REPORTED}', '推送', 'SYSTEM_PUSH', 'REPORTED', 1, NULL, NULL, '2026-01-02Z', '2026-01-02Z');
      INSERT INTO incident_step (incident_id, sequence, kind, "from", "to", at, by) VALUES
        ('${ROUTED}', 1, 'REPORTED', NULL, 'REPORTED', '2026-01-01T01:00Z', 'hotline'),
        ('${ROUTED}', 2, 'ACCEPTED', 'REPORTED', 'ACCEPTED', '2026-01-01T02:00Z', '坐席'),
        ('${ROUTED}', 3, 'ROUTED', 'ACCEPTED', 'ROUTED', '2026-01-01T03:00Z', '坐席'),
        ('${REPORTED}', 1, 'REPORTED', NULL, 'REPORTED', '2026-01-02T01:00Z', 'city')`);
    await migrate('0002_closed_loop');
  });
  afterAll(async () => {
    await client.end();
    await database.drop();
  });

  const rows = async (sql: string) => (await client.query(sql)).rows;

  it('have the centre of their place, and their dispatch as the first attempt', async () => {
    expect(
      await rows(
        'SELECT state, version, centre, attempt, round, urgency, confidential FROM incident ORDER BY id',
      ),
    ).toEqual([
      {
        state: 'ROUTED',
        version: 3,
        centre: '320508017003-01',
        attempt: 1,
        round: 1,
        urgency: 'NORMAL',
        confidential: false,
      },
      {
        state: 'REPORTED',
        version: 1,
        centre: null,
        attempt: 0,
        round: 1,
        urgency: 'NORMAL',
        confidential: false,
      },
    ]);
    expect(
      await rows('SELECT incident_id, number, department, routed_at, routed_by, outcome FROM attempt'),
    ).toEqual([
      {
        incident_id: ROUTED,
        number: 1,
        department: 'police',
        routed_at: new Date('2026-01-01T03:00Z'),
        routed_by: '坐席',
        outcome: null,
      },
    ]);
    expect(
      await rows('SELECT kind, attempt, department FROM incident_step WHERE attempt IS NOT NULL'),
    ).toEqual([{ kind: 'ROUTED', attempt: 1, department: 'police' }]);
  });

  it('have one reporter each, and no deadline that was promised to nobody', async () => {
    expect(await rows('SELECT incident_id, number, kind, channel FROM reporter ORDER BY report_id')).toEqual([
      { incident_id: ROUTED, number: 1, kind: 'CITIZEN', channel: 'HOTLINE' },
      { incident_id: REPORTED, number: 1, kind: 'EXTERNAL_SYSTEM', channel: 'SYSTEM_PUSH' },
    ]);
    expect(
      await rows(
        'SELECT 1 FROM incident WHERE due_at IS NOT NULL OR overdue_check_at IS NOT NULL OR duplicate_check',
      ),
    ).toEqual([]);
  });
});
