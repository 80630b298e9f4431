// The command line of a running hub, as a user types it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { ROOT } from '../support/hub.ts';

export interface Ran {
  readonly code: number | null;
  /** Standard output and error, as they came. */
  readonly output: string;
  readonly ms: number;
}

const RUN_MS_MAX = 60_000;

/** Runs `weft …` for the hub of a home, until it ends. */
export async function weft(home: string, ...argv: readonly string[]): Promise<Ran> {
  const startedAt = performance.now();
  const child = spawn(process.execPath, ['cli/main.ts', ...argv], {
    cwd: ROOT,
    env: { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '', WEFT_HOME: home },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: RUN_MS_MAX,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += String(chunk)));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, output, ms: performance.now() - startedAt };
}
