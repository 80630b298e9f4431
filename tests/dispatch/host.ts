// A connector host over the wrapped departments of this folder: in this process, or as one that can be killed.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { compileSystem } from '@weft/connectors/compile/compile';
import { startHost } from '@weft/connectors/host';
import { createLogger } from '@weft/core/logger';
import type { ProcessMessage, Started } from '@weft/core/process';
import { openSecrets } from '@weft/core/secrets';
import { postgresAppender } from '@weft/events/postgres/appender';
import { BARE_ENVIRONMENT } from '../support/environment.ts';

export const HOOK_SECRET = 'department-hook-secret';
const FOLDERS = ['urban', 'water'];
const PROGRAM = fileURLToPath(new URL('./host-program.ts', import.meta.url));

/**
 * @param env has URBAN_URL and WATER_URL
 * @param ingestPort 0: any
 */
export function startDepartmentHost(
  databaseUrl: string,
  env: Readonly<Record<string, string | undefined>>,
  ingestPort = 0,
): Promise<Started> {
  return startHost({
    systems: FOLDERS.map((name) => compileSystem(fileURLToPath(new URL(name, import.meta.url))).plan),
    databaseUrl,
    appender: postgresAppender,
    env,
    secrets: openSecrets(undefined, { SECRET_HOOK: HOOK_SECRET }),
    host: '127.0.0.1',
    servePort: 0,
    ingestPort,
    logger: createLogger('connectors', process.env.WEFT_TEST_LOG === 'debug' ? 'debug' : 'silent'),
  });
}

/** The host as a process of its own; `kill` is -9. */
export async function startHostProcess(databaseUrl: string, env: Readonly<Record<string, string>>) {
  const child: ChildProcess = fork(PROGRAM, [], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    env: { ...BARE_ENVIRONMENT, DATABASE_URL: databaseUrl, ...env },
  });
  const exited = once(child, 'exit');
  const [message] = (await once(child, 'message')) as [ProcessMessage];
  if (message.kind !== 'ready') throw new Error(`the host did not start: ${message.message}`);
  return {
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}
