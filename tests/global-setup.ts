// Before all tests: when no PostgreSQL server can be reached, the embedded one stands in, so that no test on it is skipped.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startPostgres } from '@weft/core/embedded-postgres';
import { whyNoPostgres } from './support/engines.ts';

export async function setup(): Promise<(() => Promise<void>) | undefined> {
  if ((await whyNoPostgres()) === undefined) return undefined;
  const directory = mkdtempSync(join(tmpdir(), 'weft-test-postgres-'));
  const server = await startPostgres({ directory });
  console.warn('No PostgreSQL server on its standard port: the tests run on an embedded one.');
  process.env.WEFT_TEST_POSTGRES = server.url;
  return async () => {
    await server.stop();
    rmSync(directory, { recursive: true, force: true });
  };
}
