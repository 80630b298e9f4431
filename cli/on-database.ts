// Works on the database of the running hub, or of DATABASE_URL.
import { join } from 'node:path';
import { urlOfRunning } from '@weft/core/embedded-postgres';
import { OperatorError } from '@weft/core/errors';
import pg from 'pg';
import { homeDirectory } from './checkout.ts';

const TIMEOUT_MS = 5_000;

/**
 * Connects, works, and closes.
 * @param what is worked on, for errors: `the dead letters`
 * @throws OperatorError when there is no database, and for what `work` rejects with
 */
export async function onDatabase(
  env: Readonly<Record<string, string | undefined>>,
  what: string,
  work: (client: pg.Client) => Promise<void>,
): Promise<void> {
  const home = homeDirectory(env);
  const connectionString = env.DATABASE_URL || urlOfRunning(join(home, 'postgres'));
  if (connectionString === undefined)
    throw new OperatorError(`no database: no hub runs in ${home}, and DATABASE_URL is not set`, {
      exitCode: 2,
    });
  const client = new pg.Client({
    connectionString,
    connectionTimeoutMillis: TIMEOUT_MS,
    statement_timeout: TIMEOUT_MS,
  });
  // What is lost is told by the statement that meets with it.
  client.on('error', () => undefined);
  try {
    await client.connect();
    await work(client);
  } catch (cause) {
    if (cause instanceof OperatorError) throw cause;
    throw new OperatorError(`${what} cannot be read: ${(cause as Error).message}`, { cause });
  } finally {
    // A connection that never stood, or is lost, has nothing to say good-bye to.
    await client.end().catch(() => undefined);
  }
}
