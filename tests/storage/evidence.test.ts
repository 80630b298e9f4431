// Evidence on a real PostgreSQL: written by many at once, covered by checkpoints of several processes, never changed afterwards.
import { generateKeyPairSync } from 'node:crypto';
import { join } from 'node:path';
import { createLogger } from '@weft/core/logger';
import { findMigrationOwners, migrateAll } from '@weft/core/migrate';
import { openSigner } from '@weft/evidence/checkpoint';
import { openCheckpoints } from '@weft/evidence/open';
import { appendEvidence, type EvidenceTransaction } from '@weft/evidence/postgres/append';
import { makeCheckpoint, startCheckpointing } from '@weft/evidence/postgres/checkpoints';
import { exportEvidence, readEntries } from '@weft/evidence/postgres/read';
import { verifyExport } from '@weft/evidence/verify';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPostgresDatabase, type TestDatabase, whyNoPostgres } from '../support/engines.ts';
import { ROOT } from '../support/hub.ts';
import { waitFor } from '../support/wait.ts';

const skipReason = await whyNoPostgres();
const signer = openSigner(
  generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
);
const NOTHING: ReadonlySet<string> = new Set();

describe.skipIf(skipReason !== undefined)('stored evidence', () => {
  let database: TestDatabase;
  let pool: pg.Pool;
  beforeAll(async () => {
    database = await createPostgresDatabase();
    await migrateAll(
      database.url,
      findMigrationOwners(ROOT).filter(({ schema }) => schema === 'evidence'),
    );
    pool = new pg.Pool({ connectionString: database.url, max: 8 });
    pool.on('error', () => undefined);
  });
  afterAll(async () => {
    await pool?.end();
    await database?.drop();
  });

  const over = (client: pg.ClientBase | pg.Pool): EvidenceTransaction => ({
    query: async <Row extends Record<string, unknown>>(sql: string, parameters: readonly unknown[] = []) =>
      (await client.query<Row>(sql, [...parameters])).rows,
  });

  async function inTransaction(work: (transaction: EvidenceTransaction) => Promise<unknown>, fails = false) {
    const client = await pool.connect();
    try {
      await client.query('BEGIN');
      await work(over(client));
      await client.query(fails ? 'ROLLBACK' : 'COMMIT');
    } catch (thrown) {
      await client.query('ROLLBACK');
      throw thrown;
    } finally {
      client.release();
    }
  }

  const append = (subject: string, n: number, fails = false) =>
    inTransaction(
      (transaction) =>
        appendEvidence(transaction, 'sha256', [
          {
            subject,
            fields: { kind: 'ACCEPTED', n, by: '王\u0000', reason: null, at: new Date().toISOString() },
          },
        ]),
      fails,
    );

  async function verified(subject: string, leaveOut = NOTHING) {
    const { text } = await exportEvidence(over(pool), { subject, leaveOut, signer });
    return verifyExport(text, [signer.publicKey]);
  }

  it('chains what forty writers of ten subjects write, with checkpoints made meanwhile by three at once', async () => {
    const logger = createLogger('test', 'silent');
    const makers = [1, 2, 3].map(() =>
      startCheckpointing({ pool, signer, algorithm: 'sha256', intervalMs: 5, logger }),
    );
    const subjects = Array.from({ length: 10 }, (_, n) => `Incident:${n}`);
    await Promise.all(
      subjects.map(async (subject, of) => {
        for (let n = 0; n < 40; n += 1) await append(subject, n, (n + of) % 7 === 0);
      }),
    );
    await waitFor('every entry to come under a checkpoint', async () => {
      const { rows } = await pool.query('SELECT 1 FROM evidence.entry WHERE checkpoint IS NULL LIMIT 1');
      return rows.length === 0;
    });
    await Promise.all(makers.map((maker) => maker.close()));
    for (const subject of subjects) {
      const result = await verified(subject);
      expect(result).toMatchObject({ isGenuine: true, isKeyChecked: true });
      expect(result.proven).toBe(result.entries);
      expect(result.entries).toBeGreaterThanOrEqual(34);
    }
    const { rows } = await pool.query<{ n: number }>(
      'SELECT number AS n FROM evidence.checkpoint ORDER BY number',
    );
    expect(rows.map(({ n }) => n)).toEqual(rows.map((_, index) => index + 1));
  });

  it('goes on with its checkpoints after the database has ended the connection of one that was being made', async () => {
    const logger = createLogger('test', 'silent');
    const table = await pool.connect();
    await table.query('BEGIN');
    await table.query('LOCK TABLE evidence.checkpoint IN ACCESS EXCLUSIVE MODE');
    const { url: databaseUrl } = database;
    await append('Incident:cut', 0);
    const checkpoints = openCheckpoints({ databaseUrl, signer, algorithm: 'sha256', intervalMs: 20, logger });
    // It waits for the table in the middle of its transaction.
    const cut = await waitFor('a checkpoint to be in the middle', async () => {
      const { rows } = await pool.query<{ pid: number }>(
        `SELECT pid FROM pg_stat_activity WHERE application_name = 'weft-evidence' AND wait_event_type = 'Lock'`,
      );
      return rows[0]?.pid;
    });
    await pool.query('SELECT pg_terminate_backend($1)', [cut]);
    await table.query('ROLLBACK');
    table.release();
    await waitFor(
      'the entry to come under a checkpoint',
      async () => (await verified('Incident:cut')).proven === 1,
    );
    await checkpoints.close();
  });

  it('lets one of two that write of one subject at once through, and the other fails whole', async () => {
    const both = await Promise.allSettled([1, 2].map((n) => append('Incident:race', n)));
    const failed = both.filter(({ status }) => status === 'rejected');
    expect(failed.length).toBeLessThanOrEqual(1);
    expect((await verified('Incident:race')).isGenuine).toBe(true);
    expect(await readEntries(over(pool), 'Incident:race')).toHaveLength(2 - failed.length);
  });

  it('chains many of several subjects in one call, behind what there is of each', async () => {
    await append('Incident:m1', 0);
    await inTransaction((transaction) =>
      appendEvidence(
        transaction,
        'sha256',
        ['m1', 'm2', 'm1', 'm2', 'm2'].map((id, n) => ({ subject: `Incident:${id}`, fields: { n } })),
      ),
    );
    const numbersOf = async (subject: string) =>
      (await readEntries(over(pool), subject)).map(({ fields }) => fields.n?.value);
    expect(await numbersOf('Incident:m1')).toEqual([0, 0, 2]);
    expect(await numbersOf('Incident:m2')).toEqual([1, 3, 4]);
    for (const subject of ['Incident:m1', 'Incident:m2'])
      expect((await verified(subject)).isGenuine).toBe(true);
  });

  it('says which entries are not under a checkpoint yet, and what was left out', async () => {
    await append('Incident:new', 1);
    expect(await verified('Incident:new', new Set(['by']))).toMatchObject({
      isGenuine: true,
      entries: 1,
      proven: 0,
      leftOut: 1,
    });
    await expect(verified('Incident:none')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('refuses whatever would change it afterwards', async () => {
    await append('Incident:kept', 1);
    const client = await pool.connect();
    await makeCheckpoint(client, { signer, algorithm: 'sha256' });
    client.release();
    for (const sql of [
      `UPDATE evidence.entry SET hash = 'x'`,
      `UPDATE evidence.entry SET checkpoint = NULL, leaf_index = NULL`,
      `UPDATE evidence.entry SET checkpoint = checkpoint + 1`,
      `DELETE FROM evidence.entry`,
      `TRUNCATE evidence.entry`,
      `UPDATE evidence.checkpoint SET at = 'x'`,
      `DELETE FROM evidence.checkpoint`,
      `DELETE FROM evidence.key`,
    ])
      await expect(pool.query(sql), sql).rejects.toThrow('evidence is append only');
  });

  it('is found out all the same when somebody takes the triggers away and changes a row', async () => {
    await append('Incident:forged', 1);
    await append('Incident:forged', 2);
    await pool.query('ALTER TABLE evidence.entry DISABLE TRIGGER USER');
    await pool.query(
      `UPDATE evidence.entry SET fields = replace(fields::text, 'ACCEPTED', 'REJECTED')::json WHERE subject = 'Incident:forged' AND sequence = 1`,
    );
    await pool.query('ALTER TABLE evidence.entry ENABLE TRIGGER USER');
    const { isGenuine, findings } = await verified('Incident:forged');
    expect(isGenuine).toBe(false);
    expect(findings.map(({ where }) => where)).toEqual(['entries[0].fields.kind']);
  });

  it('is in the folder from which the hub migrates', () => {
    expect(findMigrationOwners(ROOT).find(({ schema }) => schema === 'evidence')?.directory).toBe(
      join(ROOT, 'evidence', 'prisma', 'migrations'),
    );
  });
});
