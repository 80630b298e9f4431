// The command `weft` as somebody types it beside a running hub: a process of its own, in a home.
import { execFile } from 'node:child_process';
import { ROOT } from './hub.ts';

export interface WeftOutcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs it to its end; never rejects. */
export function weft(home: string, ...argv: readonly string[]): Promise<WeftOutcome> {
  const options = { cwd: ROOT, env: { PATH: process.env.PATH ?? '', WEFT_HOME: home } };
  return new Promise((resolve) => {
    execFile(process.execPath, ['cli/main.ts', ...argv], options, (error, stdout, stderr) =>
      resolve({ code: Number(error?.code ?? 0), stdout, stderr }),
    );
  });
}
