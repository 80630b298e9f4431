// Ends a process whose parent is gone, even while its main thread is inside code that never comes back.
import { Worker } from 'node:worker_threads';

const PARENT_POLL_MS = 1_000;

/** The end of the channel to the parent is only seen between two plans; this thread sees it in the midst of one. */
export function watchParent(): void {
  const text = `
    const parent = process.ppid;
    setInterval(() => {
      if (process.ppid !== parent) process.kill(process.pid, 'SIGKILL');
    }, ${PARENT_POLL_MS});
  `;
  new Worker(text, {
    eval: true,
    env: {},
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: 8 },
  }).unref();
}
