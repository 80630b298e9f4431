// Asks a gateway how it is, over and over, from a thread of its own: the asker's own load does not count.
import { setTimeout as wait } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';

const { url, intervalMs } = workerData as { readonly url: string; readonly intervalMs: number };
let isDone = false;
parentPort?.once('message', () => {
  isDone = true;
});
let msMax = 0;
while (!isDone) {
  const startedAt = performance.now();
  const response = await fetch(url);
  await response.text();
  if (response.status !== 200) throw new Error(`${url} says ${response.status}`);
  msMax = Math.max(msMax, performance.now() - startedAt);
  await wait(intervalMs);
}
parentPort?.postMessage(msMax);
