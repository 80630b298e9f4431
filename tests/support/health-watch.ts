// Watches the slowest answer of `/health/live` while something else goes on.
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

export interface HealthWatch {
  /** Ends it; the slowest answer, in milliseconds. Rejects when an answer was not 200, or none came. */
  stop(): Promise<number>;
}

const INTERVAL_MS = 100;

export function watchHealth(origin: string): HealthWatch {
  const workerData = { url: `${origin}/health/live`, intervalMs: INTERVAL_MS };
  const worker = new Worker(new URL('./health-worker.ts', import.meta.url), { workerData });
  const told = once(worker, 'message');
  // Whoever stops it is told.
  told.catch(() => undefined);
  return {
    async stop() {
      worker.postMessage('stop');
      const [msMax] = await told;
      return msMax;
    },
  };
}
