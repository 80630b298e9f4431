// The caller's deadline bounds a request to an owned subgraph, whatever the store does.
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { whyNoPostgres } from '../support/engines.ts';
import {
  ask,
  createMigratedDatabase,
  type GraphQLAnswer,
  startInProcess,
} from '../support/owned-subgraphs.ts';
import { waitFor } from '../support/wait.ts';

const noPostgres = await whyNoPostgres();
if (noPostgres !== undefined) console.warn(`deadlines: skipped, ${noPostgres}`);

const ACCEPT = 'mutation ($id: ID!) { acceptIncident(id: $id, by: "坐席01") { state } }';
const STATE = 'query ($id: ID!) { incident(id: $id) { state } }';

describe.skipIf(noPostgres !== undefined)('the deadline of a request to an owned subgraph', () => {
  let database: Awaited<ReturnType<typeof createMigratedDatabase>>;
  let hub: Awaited<ReturnType<typeof startInProcess>>;
  let id: string;
  beforeAll(async () => {
    database = await createMigratedDatabase();
    hub = await startInProcess(database.url);
    const { data } = await ask(
      hub.urls.incidents,
      'mutation { reportIncident(input: { requestId: "a", channel: APP, title: "井盖" }) { id } }',
    );
    id = (data as unknown as { reportIncident: { id: string } }).reportIncident.id;
  });
  afterAll(async () => {
    await hub.close();
    await database.drop();
  });

  async function askWithin(deadlineMs: string, query: string): Promise<GraphQLAnswer & { tookMs: number }> {
    const started = performance.now();
    const response = await fetch(hub.urls.incidents ?? '', {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-weft-deadline-ms': deadlineMs },
      body: JSON.stringify({ query, variables: { id } }),
      signal: AbortSignal.timeout(15_000),
    });
    const answer = (await response.json()) as Omit<GraphQLAnswer, 'status'>;
    return { status: response.status, ...answer, tookMs: performance.now() - started };
  }

  /** Runs `during` while the incidents can be neither read nor changed. */
  async function whileLocked<Result>(during: () => Promise<Result>): Promise<Result> {
    const locker = new pg.Client({ connectionString: database.url });
    await locker.connect();
    try {
      await locker.query('BEGIN');
      await locker.query('LOCK TABLE incidents.incident IN ACCESS EXCLUSIVE MODE');
      return await during();
    } finally {
      await locker.query('ROLLBACK');
      await locker.end();
    }
  }

  it('ends a query with DEADLINE_EXCEEDED, at the field that waits', async () => {
    const { data, errors, tookMs } = await whileLocked(() => askWithin('200', STATE));
    expect(data).toEqual({ incident: null });
    expect(errors).toHaveLength(1);
    expect(errors?.[0]).toMatchObject({
      path: ['incident'],
      extensions: { code: 'DEADLINE_EXCEEDED', origin: 'HUB' },
    });
    expect(tookMs).toBeGreaterThan(150);
    expect(tookMs).toBeLessThan(2_000);
  });

  it('ends a mutation with DEADLINE_EXCEEDED, and undoes what it has not committed', async () => {
    const { errors, tookMs } = await whileLocked(() => askWithin('200', ACCEPT));
    expect(errors?.[0]?.extensions).toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    expect(tookMs).toBeLessThan(2_000);
    await waitFor('its transaction to end', async () => {
      const { rowCount } = await database.client.query(
        `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'weft-incidents' AND xact_start IS NOT NULL`,
      );
      return rowCount === 0;
    });
    expect((await ask(hub.urls.incidents, STATE, { id })).data).toEqual({ incident: { state: 'REPORTED' } });
  });

  it.each(['5000', '-1', 'soon', ''])(
    'lets a request through that is fast enough: %j',
    async (deadlineMs) => {
      const { data, errors } = await askWithin(deadlineMs, STATE);
      expect(errors).toBeUndefined();
      expect(data).toEqual({ incident: { state: 'REPORTED' } });
    },
  );
});
