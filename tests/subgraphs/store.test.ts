import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { startPostgres } from '@weft/core/embedded-postgres';
import { OperatorError } from '@weft/core/errors';
import { findMigrationOwners, migrateAll } from '@weft/core/migrate';
import pg from 'pg';
import { afterAll, describe, expect, it } from 'vitest';
import { appendEvents, ask, hotlineReport, startInProcess } from '../support/owned-subgraphs.ts';
import { waitFor } from '../support/wait.ts';

describe('the store of the owned subgraphs', () => {
  const directory = mkdtempSync(join(tmpdir(), 'weft-subgraphs-store-'));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  it('is STORE_UNAVAILABLE while PostgreSQL is away, and works again when it is back, in the same process', async () => {
    const first = await startPostgres({ directory });
    await migrateAll(first.url, findMigrationOwners(resolve(import.meta.dirname, '../..')));
    const hub = await startInProcess(first.url);
    const questions = [
      ['directory', '{ departments { code } }'],
      ['incidents', '{ incidents { totalCount edges { node { id } } } }'],
      [
        'incidents',
        'mutation { reportIncident(input: { requestId: "a", channel: APP, title: "井盖" }) { id } }',
      ],
      ['registry', '{ system(name: "police") { state } }'],
    ] as const;
    for (const [name, text] of questions) expect((await ask(hub.urls[name], text)).errors).toBeUndefined();

    await first.stop();
    for (const [name, text] of questions) {
      const { errors } = await ask(hub.urls[name], text);
      expect(errors?.[0]?.extensions).toEqual({ code: 'STORE_UNAVAILABLE', origin: 'HUB' });
      expect(errors?.[0]?.message).toBe('The hub cannot reach its own database.');
    }

    const second = await startPostgres({ directory, port: Number(new URL(first.url).port) });
    expect(second.url).toBe(first.url);
    for (const [name, text] of questions) {
      await waitFor(name, async () => (await ask(hub.urls[name], text)).errors === undefined);
    }
    const client = new pg.Client({ connectionString: second.url });
    await client.connect();
    await appendEvents(client, 'incident-report', [hotlineReport('GD1')]);
    await client.end();
    await waitFor('the intake to go on', async () => {
      const { data } = await ask(
        hub.urls.incidents,
        '{ incidentByExternalNumber(kind: "hotlineOrder", number: "GD1") { id } }',
      );
      return (data as unknown as { incidentByExternalNumber: unknown }).incidentByExternalNumber !== null;
    });
    await hub.close();
    await second.stop();
  }, 60_000);

  it('tells the operator at start what to mend when nothing listens there', async () => {
    const start = startInProcess('postgresql://nobody@127.0.0.1:1/none');
    await expect(start).rejects.toBeInstanceOf(OperatorError);
    await expect(start).rejects.toThrow(/^DATABASE_URL: the database does not answer/);
  });
});
