import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startPostgres } from '@weft/core/embedded-postgres';
import { describe, expect, it } from 'vitest';
import { onDatabase } from './on-database.ts';

describe('onDatabase', () => {
  it('says so when the database ends the connection in the middle of the work', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'weft-on-database-'));
    const server = await startPostgres({ directory });
    try {
      const work = onDatabase({ DATABASE_URL: server.url }, 'the table', async (client) => {
        await client.query('SELECT pg_terminate_backend(pg_backend_pid())');
      });
      await expect(work).rejects.toThrow(/^the table cannot be read: .*terminat/);
    } finally {
      await server.stop();
      rmSync(directory, { recursive: true, force: true });
    }
  });
});
