// How long a start takes whose directory is there already, alone on the machine.
import { describe, expect, it } from 'vitest';
import { whyNoPostgres } from '../support/engines.ts';
import { createMigratedDatabase, startInProcess } from '../support/owned-subgraphs.ts';

const noPostgres = await whyNoPostgres();

describe.skipIf(noPostgres !== undefined)('the subgraph directory', () => {
  it('is seeded once, and starts within a second', async () => {
    const database = await createMigratedDatabase();
    try {
      await (await startInProcess(database.url)).close();
      const version = async () => (await database.client.query('SELECT xmin::text FROM directory.seed')).rows;
      const before = await version();
      const started = performance.now();
      const second = await startInProcess(database.url);
      expect(performance.now() - started).toBeLessThan(1_000);
      await second.close();
      expect(await version()).toEqual(before);
    } finally {
      await database.drop();
    }
  });
});
