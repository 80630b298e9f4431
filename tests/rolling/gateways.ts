// `weft gateway` as a process on a port of its own, started and ended as an operator does.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { BARE_ENVIRONMENT } from '../support/environment.ts';

const ROOT = resolve(import.meta.dirname, '..', '..');
const READY_MS_MAX = 60_000;

export interface RunningGateway {
  /** SIGTERM; resolves with the exit code. */
  terminate(): Promise<number | null>;
  kill(): void;
}

/** Resolves when it says that it is ready. */
export async function startGatewayCommand(
  supergraphFile: string,
  port: number,
  env: Readonly<Record<string, string>>,
): Promise<RunningGateway> {
  const argv = ['cli/main.ts', 'gateway', '--supergraph', supergraphFile, '--port', String(port)];
  const child = spawn(process.execPath, argv, {
    cwd: ROOT,
    env: { ...BARE_ENVIRONMENT, WEFT_LOG_LEVEL: 'warn', ...env },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const exited = new Promise<number | null>((done) => child.once('exit', done));
  const told = once(child, 'message', { signal: AbortSignal.timeout(READY_MS_MAX) });
  const fallen = exited.then((code) => [{ kind: 'exit', message: `exit code ${code}` }]);
  const [message] = await Promise.race([told, fallen]);
  if (message.kind !== 'ready') throw new Error(`the gateway did not start: ${message.message}`);
  return {
    terminate() {
      child.kill('SIGTERM');
      return exited;
    },
    kill: () => void child.kill('SIGKILL'),
  };
}
