// The process `events` as it is in production, for tests that stop and kill it.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { BARE_ENVIRONMENT } from '../support/environment.ts';

const PROGRAM = join(import.meta.dirname, '../../events/main.ts');
const START_MS_MAX = 30_000;

export interface RelayProcess {
  signal(name: NodeJS.Signals): void;
  stop(): Promise<void>;
}

/**
 * Resolves when it is ready; rejects with its one line when it does not start.
 * @param skewMs how far its clock of the wall is off
 */
export async function startRelayProcess(
  databaseUrl: string,
  eventLog: string,
  skewMs = 0,
): Promise<RelayProcess> {
  const skew = `const now = Date.now; Date.now = () => now() + ${skewMs};`;
  const child = fork(PROGRAM, [], {
    env: {
      ...BARE_ENVIRONMENT,
      DATABASE_URL: databaseUrl,
      EVENT_LOG: eventLog,
      WEFT_LOG_LEVEL: process.env.WEFT_TEST_LOG ?? 'silent',
    },
    execArgv: ['--import', `data:text/javascript,${encodeURIComponent(skew)}`],
    stdio: ['ignore', 'inherit', 'ignore', 'ipc'],
  });
  const [message] = (await once(child, 'message', { signal: AbortSignal.timeout(START_MS_MAX) })) as [
    { readonly kind: string; readonly message?: string },
  ];
  if (message.kind !== 'ready') throw new Error(message.message);
  return {
    signal: (name) => void child.kill(name),
    stop: () => end(child),
  };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}
