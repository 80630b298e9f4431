// How a gateway process ends on a signal: out of rotation first, then what is in flight, then itself.
import { readdirSync, readFileSync } from 'node:fs';
import { Agent, request as httpRequest } from 'node:http';
import { commandLineOf } from '@weft/core/process-table';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connectClient } from '../live/ws-client.ts';
import { type GatewayProcess, startGatewayProcess } from '../support/gateway-process.ts';
import { waitFor } from '../support/wait.ts';
import { type SubgraphServer, startSubgraph } from './subgraph-server.ts';

const GRACE_MS = 1_500;

let subgraph: SubgraphServer;
let gateway: GatewayProcess;
beforeEach(async () => {
  subgraph = await startSubgraph('s', 'type Query { a: Int }', { Query: { a: () => 1 } });
});
afterEach(async () => {
  try {
    process.kill(gateway.pid, 'SIGKILL');
  } catch {
    // It has gone, as most of these tests want it to.
  }
  await subgraph.close();
});

async function start(env: Readonly<Record<string, string>>): Promise<void> {
  gateway = await startGatewayProcess([subgraph], env);
  expect((await gateway.ask('{ a }')).answer).toEqual({ data: { a: 1 } });
}

interface Health {
  readonly code: number;
  readonly status: string;
  readonly reasons: readonly string[];
}

async function ready(): Promise<Health> {
  const response = await fetch(`${gateway.origin}/health/ready`, { headers: { connection: 'close' } });
  return { code: response.status, ...((await response.json()) as Omit<Health, 'code'>) };
}

const untilDraining = () => waitFor('readiness to say so', async () => (await ready()).code === 503);

/** Over a connection that the client would keep. */
function askKeeping(
  agent: Agent,
): Promise<{ readonly status: number; readonly connection: string | undefined }> {
  const headers = { 'content-type': 'application/json' };
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      `${gateway.origin}/graphql`,
      { method: 'POST', headers, agent },
      (response) => {
        response
          .resume()
          .once('end', () =>
            resolve({ status: response.statusCode ?? 0, connection: response.headers.connection }),
          );
      },
    );
    request.once('error', reject).end('{"query":"{ a }"}');
  });
}

describe('a gateway that is sent SIGTERM', () => {
  it('is not ready at once, takes requests for its grace on connections that it closes, and ends with 0', async () => {
    await start({ WEFT_DRAIN_GRACE_MS: String(GRACE_MS) });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    expect(await askKeeping(agent)).toEqual({ status: 200, connection: 'keep-alive' });
    const startedAt = performance.now();
    process.kill(gateway.pid, 'SIGTERM');
    await untilDraining();
    expect(await ready()).toMatchObject({
      code: 503,
      status: 'not ready',
      reasons: ['draining: the gateway is about to end', 'subscriptions: DATABASE_URL is not set'],
    });
    expect(await askKeeping(agent)).toEqual({ status: 200, connection: 'close' });
    expect((await gateway.ask('{ other: a }')).answer).toEqual({ data: { other: 1 } });
    expect(await gateway.healthMs()).toBeLessThan(GRACE_MS);
    expect(await gateway.exited).toBe(0);
    expect(performance.now() - startedAt).toBeGreaterThan(GRACE_MS);
    agent.destroy();
  });

  it('lets end what is in flight when the grace is over, over HTTP and over WebSocket, and then closes its sockets', async () => {
    await start({ WEFT_DRAIN_GRACE_MS: '300' });
    const client = await connectClient(gateway.origin.replace('http', 'ws').concat('/graphql'));
    subgraph.fault = { kind: 'delay', delayMs: 2_000 };
    const slow = gateway.ask('{ slow: a }');
    client.send({ id: '1', type: 'subscribe', payload: { query: '{ b: a }' } });
    await waitFor('both to be asked', () => subgraph.requests.length === 3);
    process.kill(gateway.pid, 'SIGTERM');
    expect((await slow).answer).toEqual({ data: { slow: 1 } });
    expect(await client.next()).toMatchObject({ type: 'next', payload: { data: { b: 1 } } });
    expect((await client.closed).code).toBe(1012);
    expect(await gateway.exited).toBe(0);
  });

  it('cuts off what is in flight for longer than the drain may take', async () => {
    await start({ WEFT_DRAIN_TIMEOUT_MS: '500' });
    subgraph.fault = { kind: 'silent' };
    const hanging = gateway.ask('{ b: a }').catch(() => 'cut off');
    await waitFor('it to be asked', () => subgraph.requests.length === 2);
    const startedAt = performance.now();
    process.kill(gateway.pid, 'SIGTERM');
    expect(await hanging).toBe('cut off');
    expect(await gateway.exited).toBe(0);
    expect(performance.now() - startedAt).toBeLessThan(4_000);
  });

  it('ends at once with 1 at a second signal, but not at the echo of the first', async () => {
    await start({ WEFT_DRAIN_GRACE_MS: '60000' });
    process.kill(gateway.pid, 'SIGTERM');
    process.kill(gateway.pid, 'SIGTERM');
    await untilDraining();
    const startedAt = performance.now();
    // Until it is no echo any more.
    const again = setInterval(() => process.kill(gateway.pid, 'SIGTERM'), 50);
    const exitCode = await gateway.exited.finally(() => clearInterval(again));
    expect(exitCode).toBe(1);
    expect(performance.now() - startedAt).toBeLessThan(5_000);
  });
});

describe('a gateway that is sent SIGINT', () => {
  it('has no grace: a person waits for it', async () => {
    await start({ WEFT_DRAIN_GRACE_MS: '60000' });
    process.kill(gateway.pid, 'SIGINT');
    expect(await gateway.exited).toBe(0);
  });
});

function parentOf(pid: number): number {
  return Number(/^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}

function plannerPid(): number | undefined {
  const children = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
  return children.find(
    (pid) => commandLineOf(pid)?.includes('planner-program') === true && parentOf(pid) === gateway.pid,
  );
}

describe.runIf(process.platform === 'linux')('a gateway whose planner has died', () => {
  it('is not ready and says why, starts it again, and is ready when it runs', async () => {
    await start({});
    expect((await ready()).code).toBe(200);
    process.kill(plannerPid() ?? 0, 'SIGKILL');
    const down = await waitFor('it to be noticed', async () => {
      const health = await ready();
      return health.code === 503 && health;
    });
    expect(down.reasons).toContain('planning: the planner does not run');
    await waitFor('the planner', async () => (await ready()).code === 200);
    expect((await gateway.ask('{ planned: a }')).answer).toEqual({ data: { planned: 1 } });
    await gateway.stop();
  });
});
