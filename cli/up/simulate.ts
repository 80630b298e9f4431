// `weft simulate`: asks the hub that runs here to start one of its simulated systems again, on its port and with its books.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { delay } from '@weft/core/deadline';
import { OperatorError } from '@weft/core/errors';
import { isAlive } from '@weft/core/process-table';
import { homeDirectory } from '../checkout.ts';
import type { Child } from './child.ts';
import { SIMULATED } from './parts.ts';
import { readRun } from './run-file.ts';

const BACK_MS_MAX = 15_000;
const POLL_MS = 50;

/**
 * Returns when the system runs.
 * @throws OperatorError when there is no such system, no hub runs here, or it does not come back
 */
export async function simulateCommand(name: string): Promise<void> {
  if (!(SIMULATED as readonly string[]).includes(name)) {
    throw new OperatorError(`expected one of ${SIMULATED.join(', ')} after 'weft simulate'`, { exitCode: 2 });
  }
  const home = homeDirectory(process.env);
  const run = readRun(home);
  if (run === undefined || !isAlive(run.pid)) {
    throw new OperatorError(`no hub runs in ${home}: run 'npm start' first`);
  }
  const pid = run.pids[name];
  if (pid !== undefined && isAlive(pid)) {
    process.stdout.write(`${name} runs already (process ${pid})\n`);
    return;
  }
  writeFileSync(requestFile(home), name);
  process.kill(run.pid, 'SIGUSR2');
  const until = performance.now() + BACK_MS_MAX;
  while (performance.now() < until) {
    const now = readRun(home)?.pids[name];
    if (now !== undefined && now !== pid && isAlive(now)) {
      process.stdout.write(`${name} is back (process ${now})\n`);
      return;
    }
    await delay(POLL_MS);
  }
  throw new OperatorError(`${name} did not come back: see ${join(home, 'logs', `${name}.log`)}`);
}

/** The supervisor's side: starts the system that the request names, when it is one of ours and does not run. */
export async function bringBack(
  hub: { readonly children: readonly Child[] },
  home: string,
  tell: (line: string) => void,
): Promise<void> {
  const name = takeRequest(home);
  const child = hub.children.find(({ spec }) => spec.simulated === true && spec.name === name);
  if (child === undefined || child.isRunning) return;
  try {
    await child.start();
    tell(`${child.spec.name} is back`);
  } catch (thrown) {
    tell((thrown as Error).message);
  }
}

const requestFile = (home: string) => join(home, 'simulate.request');

function takeRequest(home: string): string | undefined {
  try {
    const name = readFileSync(requestFile(home), 'utf8');
    rmSync(requestFile(home), { force: true });
    return name;
  } catch {
    // A signal without a request asks for nothing.
    return undefined;
  }
}
