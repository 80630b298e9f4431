// The laws of a consumer's failures, on a real log and a real database.
import { HubError } from '@weft/core/errors';
import { createLogger } from '@weft/core/logger';
import { fromPgClient } from '@weft/events/postgres/appender';
import { openPostgresLog } from '@weft/events/postgres/log';
import { type Consumer, type ConsumerOptions, startConsumer } from '@weft/subgraphs/consumer';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { whyNoPostgres } from '../support/engines.ts';
import { appendEvents, createMigratedDatabase, hotlineReport } from '../support/owned-subgraphs.ts';
import { waitFor } from '../support/wait.ts';

const noPostgres = await whyNoPostgres();
if (noPostgres !== undefined) console.warn(`consumer: skipped, ${noPostgres}`);

const TOPIC = 'law';
const STATEMENT_TIMEOUT_MS = 120;

interface Line {
  readonly level: 'warn' | 'error';
  readonly fields: Record<string, unknown>;
  readonly message: string;
}

/** A logger whose warnings and errors are kept. */
function keepLines() {
  const lines: Line[] = [];
  const keep = (level: Line['level']) => (fields: Record<string, unknown>, message: string) =>
    void lines.push({ level, fields, message });
  const logger = Object.assign(createLogger('test', 'silent'), { warn: keep('warn'), error: keep('error') });
  return { logger, lines };
}

describe.skipIf(noPostgres !== undefined)('a consumer of the event log', () => {
  let database: Awaited<ReturnType<typeof createMigratedDatabase>>;
  let log: ReturnType<typeof openPostgresLog>;
  let client: pg.Client;
  const open: Consumer[] = [];
  beforeAll(async () => {
    database = await createMigratedDatabase();
    log = openPostgresLog({ databaseUrl: database.url, logger: createLogger('test', 'silent') });
    client = new pg.Client({ connectionString: database.url });
    await client.connect();
    await database.client.query('CREATE TABLE applied (id text PRIMARY KEY)');
  });
  beforeEach(async () => {
    await database.client.query('TRUNCATE applied, events.event, incidents.checkpoint');
    await database.client.query('DROP SEQUENCE IF EXISTS attempts');
    await database.client.query('CREATE SEQUENCE attempts');
  });
  afterEach(async () => {
    for (const consumer of open.splice(0)) await consumer.close();
  });
  afterAll(async () => {
    await log.close();
    await client.end();
    await database.drop();
  });

  const transact: ConsumerOptions<pg.Client>['transact'] = async (run) => {
    await client.query('BEGIN');
    try {
      const result = await run(client);
      await client.query('COMMIT');
      return result;
    } catch (thrown) {
      await client.query('ROLLBACK');
      throw thrown;
    }
  };
  /** Its work is `before`, which may fail, and a row an event. */
  function start(before: (client: pg.Client, events: number) => Promise<unknown>) {
    const { logger, lines } = keepLines();
    const refused: string[] = [];
    const consumer = startConsumer<pg.Client>({
      log,
      topic: TOPIC,
      name: 'law',
      schema: 'incidents',
      transact,
      sql: fromPgClient,
      apply: async (transaction, events) => {
        await before(transaction, events.length);
        await transaction.query('INSERT INTO applied SELECT unnest($1::text[])', [
          events.map(({ event }) => event.id),
        ]);
      },
      refuse: async (_, { event }) => void refused.push(event.id),
      logger,
    });
    open.push(consumer);
    return { consumer, lines, refused };
  }
  const append = (count: number) =>
    appendEvents(
      database.client,
      TOPIC,
      Array.from({ length: count }, (_, index) => hotlineReport(`C${index}`)),
    );
  const applied = async () => (await database.client.query('SELECT id FROM applied')).rowCount;
  const checkpoint = async () =>
    (await database.client.query(`SELECT position FROM incidents.checkpoint WHERE consumer = 'law'`)).rows[0]
      ?.position;

  it.each(['40P01', '40001', '58030', '57014', '55P03', '53100', 'XX000'])(
    'tries again after SQLSTATE %s, and refuses nothing',
    async (state) => {
      await append(2);
      // A sequence counts on when its transaction is rolled back.
      const fail = `DO $$ BEGIN IF nextval('attempts') <= 3 THEN RAISE EXCEPTION 'told to fail' USING ERRCODE = '${state}'; END IF; END $$`;
      const { refused } = start((transaction) => transaction.query(fail));
      await waitFor('both events', async () => (await applied()) === 2);
      expect(refused).toEqual([]);
    },
  );

  it.each([
    ['EHOSTUNREACH', 'connect EHOSTUNREACH 192.0.2.1:5432'],
    ['EAI_AGAIN', 'getaddrinfo EAI_AGAIN db'],
    ['P2034', 'Transaction failed due to a write conflict or a deadlock. Please retry your transaction'],
    [undefined, 'nobody has ever seen this one'],
  ])('tries again after %s, and refuses nothing', async (code, message) => {
    await append(1);
    let failures = 3;
    const { refused } = start(async () => {
      if (failures-- > 0) throw Object.assign(new Error(message), { code });
    });
    await waitFor('the event', async () => (await applied()) === 1);
    expect(refused).toEqual([]);
  });

  it.each([
    ['22P02', () => `SELECT 'x'::int`],
    ['23514', () => `DO $$ BEGIN RAISE check_violation; END $$`],
    ['54000', () => `DO $$ BEGIN RAISE program_limit_exceeded; END $$`],
  ])('puts aside an event that fails by its data (SQLSTATE %s), and goes on', async (_state, sql) => {
    await append(2);
    const { refused } = start((transaction) => transaction.query(sql()));
    await waitFor('both put aside', () => refused.length === 2);
    await waitFor('the checkpoint', async () => (await checkpoint()) !== '0.0');
    expect(await applied()).toBe(0);
  });

  it('puts aside an event that passes a limit of ours', async () => {
    await append(1);
    const { refused } = start(async () => {
      throw new HubError('LIMIT_EXCEEDED', 'append: ENVELOPE_LENGTH_MAX is 256000, got 256001');
    });
    await waitFor('it is put aside', () => refused.length === 1);
  });

  it('takes fewer events at a time when a batch always runs into the time-out, until it comes through', async () => {
    await append(200);
    // 20 ms an event: no batch of more than five comes through.
    const slow = async (transaction: pg.Client, events: number) => {
      await transaction.query(`SET LOCAL statement_timeout = ${STATEMENT_TIMEOUT_MS}`);
      await transaction.query('SELECT pg_sleep($1)', [events * 0.02]);
    };
    const { refused, lines } = start(slow);
    await waitFor('all 200', async () => (await applied()) === 200, 30_000);
    expect(refused).toEqual([]);
    expect(lines.filter(({ level }) => level === 'error')).toEqual([]);
  }, 40_000);

  it('says as an error that one event alone always runs into the time-out, and never loses it', async () => {
    await append(1);
    await database.client.query('CREATE TABLE obstacle ()');
    const stuck = async (transaction: pg.Client) => {
      await transaction.query(`SET LOCAL statement_timeout = ${STATEMENT_TIMEOUT_MS}`);
      await transaction.query(
        `SELECT pg_sleep(CASE WHEN to_regclass('public.obstacle') IS NULL THEN 0 ELSE 5 END)`,
      );
    };
    const { refused, lines, consumer } = start(stuck);
    const told = await waitFor(
      'the error',
      () => lines.find(({ level, message }) => level === 'error' && message.includes('one event')),
      20_000,
    );
    expect(told.fields).toMatchObject({ consumer: 'law', eventsMax: 1 });
    expect(refused).toEqual([]);
    expect(await checkpoint()).toBe('0.0');
    await consumer.close();
    await database.client.query('DROP TABLE obstacle');
    start(stuck);
    await waitFor('the event', async () => (await applied()) === 1);
  }, 30_000);
});
