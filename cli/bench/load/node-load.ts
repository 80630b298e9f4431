// A load generator for machines without wrk: keep-alive connections that each wait for an answer and ask again.
// Usage: node node-load.ts URL BODY_FILE CONNECTIONS SECONDS
import { readFileSync } from 'node:fs';
import { Pool } from 'undici';

const [url = '', bodyFile = '', connections = '50', seconds = '1'] = process.argv.slice(2);
const authorization = process.env.AUTHORIZATION ?? '';
const HEADERS = {
  'content-type': 'application/json',
  accept: 'application/json',
  ...(authorization === '' ? {} : { authorization }),
};
const DRAIN_MS_MAX = 30_000;

const target = new URL(url);
const body = readFileSync(bodyFile);
const pool = new Pool(target.origin, { connections: Number(connections), pipelining: 1 });
const latenciesMs: number[] = [];
let failures = 0;
const startedAt = performance.now();
const endsAt = startedAt + Number(seconds) * 1_000;

await Promise.race([
  Promise.all(Array.from({ length: Number(connections) }, askUntilTheEnd)),
  new Promise((resolve) => setTimeout(resolve, Number(seconds) * 1_000 + DRAIN_MS_MAX).unref()),
]);
const elapsedMs = performance.now() - startedAt;
await pool.destroy();

latenciesMs.sort((a, b) => a - b);
const result = {
  requests: latenciesMs.length,
  elapsedMs,
  failures,
  p50Ms: latenciesMs[Math.floor(latenciesMs.length * 0.5)] ?? 0,
  p99Ms: latenciesMs[Math.floor(latenciesMs.length * 0.99)] ?? 0,
};
process.stdout.write(`RESULT ${JSON.stringify(result)}\n`);

async function askUntilTheEnd(): Promise<void> {
  while (performance.now() < endsAt) {
    const askedAt = performance.now();
    const isOk = await ask();
    if (isOk) latenciesMs.push(performance.now() - askedAt);
    else failures++;
  }
}

function ask(): Promise<boolean> {
  return new Promise((resolve) => {
    let status = 0;
    pool.dispatch(
      { path: target.pathname, method: 'POST', headers: HEADERS, body },
      {
        // undici refuses a handler that lacks one of these.
        onRequestStart: () => {},
        onResponseData: () => {},
        onResponseStart: (_controller, statusCode) => {
          status = statusCode;
        },
        onResponseEnd: () => resolve(status === 200),
        onResponseError: () => resolve(false),
      },
    );
  });
}
