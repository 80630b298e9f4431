// PostgreSQL whose tables are locked: row 14 of the fault matrix, for an owned subgraph and for whoever begins a live field.
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type SubgraphServer, startSubgraph } from '../gateway/subgraph-server.ts';
import { type LiveLog, openLiveLog, thing } from '../live/live-log.ts';
import { openStream } from '../sse/stream-client.ts';
import { whyNoPostgres } from '../support/engines.ts';
import { type GatewayProcess, startGatewayProcess } from '../support/gateway-process.ts';
import { ask, createMigratedDatabase, startInProcess } from '../support/owned-subgraphs.ts';
import { waitFor } from '../support/wait.ts';

const noPostgres = await whyNoPostgres();
if (noPostgres !== undefined) console.warn(`SKIPPED: locked tables: ${noPostgres}`);

const TEST_MS_MAX = 120_000;
const HEALED_MS_MAX = 5_000;
const FEDERATION = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])\n';
const SDL = `${FEDERATION}extend schema @link(url: "https://specs.weft.dev/events/v0.1", import: ["@eventStream"])
type Query { any: Int }
type Subscription { counted(after: Cursor): Counted! @eventStream(topic: "counted", message: "{ n }") }
type Counted implements Resumable { cursor: Cursor! gap: Gap n: Int }
`;
const REPORT = 'mutation { reportIncident(input: { requestId: "a", channel: APP, title: "井盖" }) { id } }';
const STATE = 'query ($id: ID!) { incident(id: $id) { state } }';
const COUNTED = 'subscription { counted { cursor n } }';

async function lock(url: string, table: string): Promise<() => Promise<void>> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query('BEGIN');
  await client.query(`LOCK TABLE ${table} IN ACCESS EXCLUSIVE MODE`);
  return async () => {
    await client.query('ROLLBACK');
    await client.end();
  };
}

/** Statements of connections of this name that wait for a lock, and for how long the oldest has. */
async function waiting(client: pg.Client, name: string) {
  const { rows } = await client.query<{ count: number; seconds: number }>(
    `SELECT count(*)::int AS count, coalesce(max(extract(epoch FROM clock_timestamp() - query_start)), 0)::float8 AS seconds
     FROM pg_stat_activity
     WHERE application_name = $1 AND wait_event_type = 'Lock' AND datname = current_database()`,
    [name],
  );
  return rows[0] ?? { count: 0, seconds: 0 };
}

describe.skipIf(noPostgres !== undefined)(
  'an owned subgraph whose table is locked',
  { timeout: TEST_MS_MAX },
  () => {
    const ASKED = 200;
    const CONNECTIONS_MAX = 5;
    /** 2 s for a connection and 3.5 for the statement, on a busy machine. */
    const ANSWER_MS_MAX = 15_000;
    let database: Awaited<ReturnType<typeof createMigratedDatabase>>;
    let hub: Awaited<ReturnType<typeof startInProcess>>;
    let id: string;
    beforeAll(async () => {
      database = await createMigratedDatabase();
      hub = await startInProcess(database.url);
      const { data } = await ask(hub.urls.incidents, REPORT);
      id = (data as unknown as { reportIncident: { id: string } }).reportIncident.id;
    });
    afterAll(async () => {
      await hub?.close();
      await database?.drop();
    });

    it('has a bounded number of statements wait, tells each who asks that the store is away, and is whole when it is free', async () => {
      const release = await lock(database.url, 'incidents.incident');
      const counts: number[] = [];
      let isOver = false;
      const watching = (async () => {
        while (!isOver) {
          counts.push((await waiting(database.client, 'weft-incidents')).count);
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
      })();
      const startedAt = performance.now();
      try {
        const answers = await Promise.all(
          Array.from({ length: ASKED }, () => ask(hub.urls.incidents, STATE, { id })),
        );
        expect(performance.now() - startedAt).toBeLessThan(ANSWER_MS_MAX);
        const codes = new Set(answers.map(({ errors }) => errors?.[0]?.extensions.code));
        expect([...codes]).toEqual(['STORE_UNAVAILABLE']);
        // What was given up here was given up there: nothing of it still waits.
        await waitFor(
          'no statement to wait',
          async () => (await waiting(database.client, 'weft-incidents')).count === 0,
        );
      } finally {
        isOver = true;
        await watching;
        await release();
      }
      expect(Math.max(...counts)).toBeGreaterThan(0);
      expect(Math.max(...counts)).toBeLessThanOrEqual(CONNECTIONS_MAX);
      const freeAt = performance.now();
      await waitFor('an answer', async () => {
        const { errors } = await ask(hub.urls.incidents, STATE, { id });
        return errors === undefined;
      });
      expect(performance.now() - freeAt).toBeLessThan(HEALED_MS_MAX);
    });
  },
);

describe.skipIf(noPostgres !== undefined)(
  'a live field over HTTP whose log is locked',
  { timeout: TEST_MS_MAX },
  () => {
    const STREAMS = 60;
    /** The time-out is 3 s. */
    const REFUSED_MS_MAX = 8_000;
    const CONNECTIONS_MAX = 4;
    let live: LiveLog;
    let subgraph: SubgraphServer;
    let gateway: GatewayProcess;
    let client: pg.Client;
    let release: (() => Promise<void>) | undefined;
    beforeAll(async () => {
      live = await openLiveLog();
      subgraph = await startSubgraph(
        'counts',
        SDL,
        { Query: { any: () => 1 } },
        `${FEDERATION}type Query { any: Int }`,
      );
      gateway = await startGatewayProcess([subgraph], { DATABASE_URL: live.databaseUrl });
      client = new pg.Client({ connectionString: live.databaseUrl });
      await client.connect();
    });
    afterEach(async () => {
      await release?.();
      release = undefined;
    });
    afterAll(async () => {
      await client?.end();
      await gateway?.stop();
      await subgraph?.close();
      await live?.close();
    });

    it('is refused with 503 and Retry-After, asks the server a bounded number of times, and is there when it is free', async () => {
      release = await lock(live.databaseUrl, 'events.event');
      const startedAt = performance.now();
      const url = `${gateway.origin}/graphql`;
      const asked = Array.from({ length: STREAMS }, () => openStream({ url, query: COUNTED }));
      const query = await gateway.ask('{ any }');
      expect(query.answer).toEqual({ data: { any: 1 } });
      const streams = await Promise.all(asked);
      expect(performance.now() - startedAt).toBeLessThan(REFUSED_MS_MAX);
      expect((await waiting(client, 'weft events reader')).count).toBeLessThanOrEqual(CONNECTIONS_MAX);
      for (const stream of streams) {
        await stream.ended;
        expect(stream.status).toBe(503);
        expect(stream.headers['retry-after']).toBe('5');
        expect(JSON.parse(stream.text()).errors).toMatchObject([
          { extensions: { code: 'STORE_UNAVAILABLE' } },
        ]);
      }
      await release();
      release = undefined;
      const freeAt = performance.now();
      await waitFor('a stream', async () => {
        const stream = await openStream({ url, query: COUNTED });
        const isOpen = stream.status === 200;
        if (isOpen) await live.append('counted', thing('counted', 1));
        stream.close();
        return isOpen;
      });
      expect(performance.now() - freeAt).toBeLessThan(HEALED_MS_MAX);
    });
  },
);
