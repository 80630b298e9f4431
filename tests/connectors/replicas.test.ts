import { fileURLToPath } from 'node:url';
import { type Applier, createApplier, type Delivery } from '@weft/connectors/ingest/apply';
import type { Change } from '@weft/connectors/ingest/change';
import { openStore, type Store } from '@weft/connectors/ingest/store';
import { createLogger } from '@weft/core/logger';
import { findMigrationOwners, migrateAll } from '@weft/core/migrate';
import type { SqlTransaction } from '@weft/events/event-log';
import { postgresAppender } from '@weft/events/postgres/appender';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPostgresDatabase, type TestDatabase, whyNoPostgres } from '../support/engines.ts';
import { waitFor } from '../support/wait.ts';

const skipReason = await whyNoPostgres();
if (skipReason !== undefined) console.warn(`replicas of the connectors are not tested: ${skipReason}`);

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const logger = createLogger('replicas-test', 'silent');

function change(key: string, version: number): Change {
  const data = { order: { id: key }, version };
  return {
    system: 'hotline',
    type: 'HotlineOrder',
    key,
    orderKey: String(version).padStart(24, '0'),
    data,
    topic: 'HotlineOrder',
    report: undefined,
    reportProblem: undefined,
    event: {
      specversion: '1.0',
      id: `HotlineOrder:${key}:${version}`,
      source: '/systems/hotline',
      type: 'dev.weft.hotlineorder.changed',
      subject: `HotlineOrder:${key}`,
      time: '2026-11-22T08:00:00+08:00',
      datacontenttype: 'application/json',
      data,
      sequence: String(version),
    },
  };
}

function delivery(dedupeId: string, ...changes: readonly Change[]): Delivery {
  const content = { kind: 'changes', changes } as const;
  return { system: 'hotline', source: 'hook', dedupeId, body: Buffer.from(dedupeId), content };
}

describe.skipIf(skipReason !== undefined)('two replicas that take in changes', () => {
  let database: TestDatabase;
  let pool: pg.Pool;
  let stores: Store[];

  beforeAll(async () => {
    database = await createPostgresDatabase();
    await migrateAll(
      database.url,
      findMigrationOwners(ROOT).filter(({ schema }) => ['events', 'connectors'].includes(schema)),
    );
    pool = new pg.Pool({ connectionString: database.url, max: 2 });
    // Sessions that the drop of the database ends.
    pool.on('error', () => undefined);
    stores = [openStore(database.url, logger), openStore(database.url, logger)];
  });
  afterAll(async () => {
    for (const store of stores ?? []) await store.close();
    await pool?.end();
    await database?.drop();
  });

  async function sequences(key: string): Promise<readonly number[]> {
    const { rows } = await pool.query<{ sequence: string }>(
      `SELECT envelope->>'sequence' AS sequence FROM events.event WHERE subject = $1 ORDER BY tx, seq`,
      [`HotlineOrder:${key}`],
    );
    return rows.map(({ sequence }) => Number(sequence));
  }

  /** Stops every transaction after its n-th statement until it is let go. */
  function stoppingAfter(store: Store, statements: number) {
    const stopped = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<void>();
    const stopping: Store = {
      ...store,
      transaction: (work) =>
        store.transaction((transaction) => {
          let done = 0;
          const counted: SqlTransaction = {
            async query<Row extends Record<string, unknown>>(sql: string, parameters: readonly unknown[]) {
              const rows = await transaction.query<Row>(sql, parameters);
              done += 1;
              if (done === statements) {
                stopped.resolve();
                await gate.promise;
              }
              return rows;
            },
          };
          return work({ ...counted, later: counted });
        }),
    };
    return { store: stopping, stopped: stopped.promise, letGo: () => gate.resolve() };
  }

  it.each([1, 2, 3, 4])(
    'log the versions of one record in order, also when one stops after its statement %i',
    async (statements) => {
      const [first, second] = stores as [Store, Store];
      const key = `K${statements}`;
      const slow = stoppingAfter(first, statements);
      const a = createApplier(slow.store, postgresAppender, logger);
      const b = createApplier(second, postgresAppender, logger);
      // Other records in the same transactions: a lock of theirs must not give a transaction its place in the log.
      const others = [change(`A-${key}`, 1), change(`Z-${key}`, 1)] as const;
      if (statements % 2 === 0) await b.deliver(delivery(`${key}-1`, change(key, 1)));
      const slower = a.deliver(delivery(`${key}-3`, others[0], change(key, 3)));
      await slow.stopped;
      const faster = b.deliver(delivery(`${key}-2`, change(key, 2), others[1]));
      const isWaiting = async () => {
        const { rows } = await pool.query(
          `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
        );
        return rows.length > 0 || (await sequences(key)).includes(2);
      };
      await waitFor('the other to wait or to be done', isWaiting, 3_000);
      slow.letGo();
      expect(await Promise.all([slower, faster])).toEqual(['APPLIED', 'APPLIED']);
      const got = await sequences(key);
      expect(got).toContain(3);
      expect(got).toEqual(got.toSorted((x, y) => x - y));
      await closeAll(a, b);
    },
  );

  it('keep the order of each of a few records under a flood of deliveries that overlap', async () => {
    const appliers = stores.map((store) => createApplier(store, postgresAppender, logger));
    const pushed: Promise<unknown>[] = [];
    for (let version = 1; version <= 60; version += 1) {
      for (const key of ['F1', 'F2', 'F3']) {
        const applier = appliers[(version + key.length) % 2] as Applier;
        const pair = [change(key, version), change(`${key}-twin`, version)];
        pushed.push(
          applier.deliver(delivery(`${key}-${version}`, ...(version % 3 ? pair : pair.toReversed()))),
        );
      }
    }
    await Promise.all(pushed);
    for (const key of ['F1', 'F2', 'F3', 'F1-twin', 'F3-twin']) {
      const got = await sequences(key);
      expect(got.at(-1)).toBe(60);
      expect(got).toEqual(got.toSorted((x, y) => x - y));
    }
    await closeAll(...appliers);
  });

  async function closeAll(...appliers: readonly Applier[]): Promise<void> {
    for (const applier of appliers) await applier.close();
  }
});
