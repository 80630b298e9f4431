import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { compileSystem } from '@weft/connectors/compile/compile';
import { startPoll } from '@weft/connectors/ingest/poll';
import { openStore, type Store } from '@weft/connectors/ingest/store';
import { openSystem, type RunningSystem } from '@weft/connectors/load/system';
import type { IngestPlan } from '@weft/connectors/plan';
import type { SqlRow } from '@weft/connectors/sql/engine';
import { SUBGRAPHS_FOLDER } from '@weft/connectors/system-folders';
import { HubError } from '@weft/core/errors';
import { createLogger } from '@weft/core/logger';
import { findMigrationOwners, migrateAll } from '@weft/core/migrate';
import { postgresAppender } from '@weft/events/postgres/appender';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createPostgresDatabase, type TestDatabase, whyNoPostgres } from '../support/engines.ts';
import { waitFor } from '../support/wait.ts';

const skipReason = await whyNoPostgres();
if (skipReason !== undefined) console.warn(`polling is not tested: ${skipReason}`);

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const logger = createLogger('poll-test', 'silent');
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const COLUMNS = 'sjbh, wgbm, wgybh, sjbt, sjms, sxdm, sqdm, dz, zt, sbsj, gxsj, bb';

/** Local time of the grid, so far from now. */
function local(offsetMs: number): string {
  return new Date(Date.now() + 8 * HOUR_MS + offsetMs).toISOString().slice(0, 23).replace('T', ' ');
}

interface Row {
  readonly changedAt: string;
  readonly description?: string;
  readonly version?: bigint | number;
}

describe.skipIf(skipReason !== undefined)('a poll', () => {
  const plan = compileSystem(join(SUBGRAPHS_FOLDER, 'grid')).plan;
  const ingest = plan.ingests.find(({ type }) => type === 'GridEvent') as IngestPlan;
  let hub: TestDatabase;
  let pool: pg.Pool;
  let store: Store;
  let folder: string;
  let grid: DatabaseSync;
  let system: RunningSystem;
  /** Rows of each statement that the poll sent. */
  let reads: number[];
  let polls: { close(): Promise<void> }[];

  beforeEach(async () => {
    hub = await createPostgresDatabase();
    await migrateAll(
      hub.url,
      findMigrationOwners(ROOT).filter(({ schema }) => ['events', 'connectors'].includes(schema)),
    );
    pool = new pg.Pool({ connectionString: hub.url, max: 2 });
    // Sessions that the drop of the database ends.
    pool.on('error', () => undefined);
    store = openStore(hub.url, logger);
    folder = mkdtempSync(join(tmpdir(), 'weft-poll-'));
    grid = new DatabaseSync(join(folder, 'grid.db'));
    grid.exec(
      'create table wg_shijian (sjbh text primary key, wgbm text, wgybh text, sjbt text, sjms text, sxdm text, sqdm text, dz text, zt text, sbsj text, gxsj text, bb integer)',
    );
    polls = [];
    await open(`sqlite://${join(folder, 'grid.db')}`);
  });
  afterEach(async () => {
    for (const poll of polls) await poll.close();
    await system.close();
    grid.close();
    rmSync(folder, { recursive: true });
    await store.close();
    await pool.end();
    await hub.drop();
  });

  async function open(gridDsn: string): Promise<void> {
    system = await openSystem(plan, { env: { WEFT_GRID_DSN: gridDsn }, secrets: () => '', logger });
    reads = [];
    const { opened } = system.sources.get('grid') ?? {};
    if (opened?.protocol !== 'sql') throw new TypeError('the grid is an SQL source');
    const { client } = opened;
    const { readChanges } = client;
    Object.assign(client, {
      async readChanges(...call: Parameters<typeof readChanges>): Promise<readonly SqlRow[]> {
        const rows = await readChanges.apply(client, call);
        reads.push(rows.length);
        return rows;
      },
    });
  }

  function put(key: string, { changedAt, description = '摊位占道', version = 1 }: Row): void {
    grid
      .prepare(
        `insert into wg_shijian (${COLUMNS}) values (?, '320508017003001', 'W1', '占道经营', ?, '01', '320508017003', '平江路1号', '1', ?, ?, ?)`,
      )
      .run(key, description, local(-HOUR_MS), changedAt, version);
  }

  function start(options: { store?: Store; onBlind?: (reason: string | undefined) => void } = {}) {
    const poll = startPoll(system, ingest, { store, appender: postgresAppender, logger, ...options });
    polls.push(poll);
    return poll;
  }

  async function known(): Promise<readonly string[]> {
    const { rows } = await pool.query<{ key: string }>('SELECT key FROM connectors.record ORDER BY key');
    return rows.map(({ key }) => key);
  }

  async function count(sql: string): Promise<number> {
    return (await pool.query<{ n: number }>(`SELECT count(*)::int AS n FROM ${sql}`)).rows[0]?.n ?? 0;
  }

  async function checkpointTime(): Promise<string> {
    const { rows } = await pool.query<{ cursor_time: string }>(
      'SELECT cursor_time FROM connectors.checkpoint',
    );
    return rows[0]?.cursor_time ?? '';
  }

  function untilKnown(...keys: readonly string[]): Promise<unknown> {
    return waitFor(`the poll to know ${keys.join(', ')}`, async () => {
      const now = await known();
      return keys.every((key) => now.includes(key));
    });
  }

  it('is not made blind by a row that is dated ahead, nor does it lose by it what comes while it is closed', async () => {
    put('A', { changedAt: local(-MINUTE_MS) });
    const poll = start();
    await untilKnown('A');
    put('B-ahead', { changedAt: local(8 * HOUR_MS) });
    await untilKnown('B-ahead');
    put('C', { changedAt: local(0) });
    await untilKnown('C');
    expect((await checkpointTime()) <= local(0)).toBe(true);
    await poll.close();
    put('D', { changedAt: local(0) });
    start();
    await untilKnown('D');
    expect(await count(`events.event WHERE topic = 'GridEvent'`)).toBe(4);
  });

  it('finds what a source dates back because its clock was set back by minutes', async () => {
    put('A', { changedAt: local(0) });
    start();
    await untilKnown('A');
    put('B', { changedAt: local(-MINUTE_MS) });
    put('C', { changedAt: local(-4 * MINUTE_MS) });
    await untilKnown('B', 'C');
  });

  it.each([2, 3, 4, 5, 6, 7, 8])(
    'begins a page again of which not all was stored: the database away from transaction %i on',
    async (failFrom) => {
      put('A', { changedAt: local(-4 * HOUR_MS) });
      put('B', { changedAt: local(-3 * HOUR_MS), description: '长'.repeat(300_000) });
      put('C', { changedAt: local(-2 * HOUR_MS) });
      put('D', { changedAt: local(-MINUTE_MS) });
      let transactions = 0;
      const failing: Store = {
        ...store,
        transaction(work) {
          transactions += 1;
          if (transactions < failFrom) return store.transaction(work);
          return Promise.reject(new HubError('STORE_UNAVAILABLE', 'away'));
        },
      };
      const poll = start({ store: failing });
      await waitFor('the database to be away', () => transactions >= failFrom);
      await poll.close();
      start();
      await untilKnown('A', 'C', 'D');
      const { rows } = await pool.query('SELECT reason FROM connectors.quarantine');
      expect(rows).toEqual([{ reason: 'cannot be stored: LIMIT_EXCEEDED' }]);
    },
  );

  it('goes on past a whole number that no double holds, and keeps its digits', async () => {
    put('A', { changedAt: local(-3_000) });
    put('B', { changedAt: local(-2_000), version: 9_007_199_254_740_993n });
    put('C', { changedAt: local(-1_000) });
    start();
    await untilKnown('A', 'B', 'C');
    const { rows } = await pool.query<{ order_key: string }>(
      `SELECT order_key FROM connectors.record WHERE key IN ('A', 'B') ORDER BY key`,
    );
    expect(rows.map(({ order_key }) => order_key.replace(/^0+/, ''))).toEqual(['1', '9007199254740993']);
  });

  it('reads again and again a window of 10,000 rows without making an event twice, and still finds what is new', async () => {
    grid.exec('begin');
    for (let n = 0; n < 10_000; n += 1) put(`E${n}`, { changedAt: local(-4 * MINUTE_MS + n * 20) });
    grid.exec('commit');
    const poll = start();
    await waitFor('all rows', async () => (await count('connectors.record')) === 10_000, 30_000);
    const until = performance.now() + 2_500;
    await waitFor('some turns more', () => performance.now() > until);
    // A look over the whole window is 21 statements: the turns between read what is near the end only.
    expect(reads.length).toBeLessThan(3 * 21);
    put('new', { changedAt: local(0) });
    await waitFor('the new row', async () => (await known()).includes('new'), 2_000);
    await poll.close();
    reads = [];
    start();
    put('newer', { changedAt: local(0) });
    await waitFor('what came meanwhile', async () => (await known()).includes('newer'));
    await waitFor('the window to be read', () => reads.reduce((sum, rows) => sum + rows, 0) >= 10_000);
    expect(await count(`events.event WHERE topic = 'GridEvent'`)).toBe(10_002);
    expect(await count(`events.event WHERE topic = 'incident-report'`)).toBe(10_002);
  }, 60_000);

  it('reads only the end of a quiet table whose times have an offset', async () => {
    const source = await createPostgresDatabase();
    const client = new pg.Client({ connectionString: source.url });
    await client.connect();
    await client.query(
      'create table wg_shijian (sjbh text primary key, wgbm text, wgybh text, sjbt text, sjms text, sxdm text, sqdm text, dz text, zt text, sbsj timestamptz, gxsj timestamptz, bb int)',
    );
    await client.query(
      `insert into wg_shijian select 'E'||i, '320508017003001', 'W', 't', 'x', '01', '320508017003', 'a', '1', now() - interval '30 days', now() - interval '30 days' + i * interval '1 minute', 1 from generate_series(1, 1000) i`,
    );
    await client.end();
    await system.close();
    await open(source.url);
    const poll = start();
    await waitFor('all rows', async () => (await count('connectors.record')) === 1_000);
    const before = reads.length;
    await waitFor('more turns', () => reads.length >= before + 3);
    expect(Math.max(...reads.slice(before + 1))).toBeLessThan(10);
    expect(await checkpointTime()).toMatch(/[+-]\d\d/);
    expect(await count(`events.event WHERE topic = 'incident-report'`)).toBe(1_000);
    await poll.close();
    await system.close();
    await source.drop();
    await open(`sqlite://${join(folder, 'grid.db')}`);
  });

  it('says that it does not understand a cursor, loses no row by it, and does not read the table all the time', async () => {
    put('A', { changedAt: '2026年11月22日' });
    put('B', { changedAt: '2026年11月23日' });
    const told: (string | undefined)[] = [];
    start({ onBlind: (reason) => told.push(reason) });
    await waitFor('the poll to fail', () => told.length > 0);
    expect(told).toEqual([
      expect.stringContaining('expected a time or a whole number in gxsj of wg_shijian'),
    ]);
    expect(await known()).toEqual(['A', 'B']);
    const { rows } = await pool.query('SELECT reason FROM connectors.quarantine');
    expect(rows).toEqual([{ reason: 'expected a time or a whole number in gxsj' }]);
    const until = performance.now() + 1_500;
    await waitFor('three turns', () => performance.now() > until);
    expect(reads).toEqual([2]);
  });
});
