// A process of the hub that is killed where a test says, and is started again at once.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { ProcessMessage } from '@weft/core/process';
import { BARE_ENVIRONMENT } from '../support/environment.ts';
import type { KillPoint } from './kill-point.ts';

const PRELOAD = new URL('./kill-point.ts', import.meta.url).href;
const READY_MS_MAX = 60_000;

export interface Mortal {
  /** Where the process that runs is reached. */
  urls(): Readonly<Record<string, string>>;
  /** The process that runs dies at this point, once. */
  arm(point: KillPoint): Promise<void>;
  /** kill -9, now. */
  kill(): void;
  /** How often it was killed. */
  deaths(): number;
  /** For good. */
  close(): Promise<void>;
}

/** @param program a path from this folder */
export async function startMortal(program: string, env: Readonly<Record<string, string>>): Promise<Mortal> {
  let [child, urls] = await start(program, env);
  let [deaths, isClosed, restarting]: [number, boolean, Promise<void>] = [0, false, Promise.resolve()];
  const watch = (watched: ChildProcess) => {
    watched.once('exit', (_, signal) => {
      if (isClosed) return;
      if (signal === 'SIGKILL') deaths += 1;
      restarting = start(program, env).then(([next, nextUrls]) => {
        [child, urls] = [next, nextUrls];
        if (isClosed) child.kill('SIGKILL');
        else watch(next);
      });
      restarting.catch(() => undefined);
    });
  };
  watch(child);
  return {
    urls: () => urls,
    async arm(killAt) {
      await restarting;
      const armed = once(child, 'message');
      child.send({ killAt });
      await armed;
    },
    kill: () => void child.kill('SIGKILL'),
    deaths: () => deaths,
    async close() {
      isClosed = true;
      await restarting.catch(() => undefined);
      const gone = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : undefined;
      child.kill('SIGKILL');
      await gone;
    },
  };
}

async function start(program: string, env: Readonly<Record<string, string>>) {
  const child = fork(fileURLToPath(new URL(program, import.meta.url)), [], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    execArgv: ['--import', PRELOAD],
    env: { ...BARE_ENVIRONMENT, ...env },
  });
  const [message] = (await once(child, 'message', { signal: AbortSignal.timeout(READY_MS_MAX) })) as [
    ProcessMessage,
  ];
  if (message.kind !== 'ready') throw new Error(`${program} did not start: ${message.message}`);
  return [child, message.urls] as const;
}
