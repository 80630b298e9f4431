// Row 3 of the fault matrix: clients and subgraphs that are there and say nothing any more hold no socket of the gateway for long.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type SubgraphServer, startSubgraph } from '../gateway/subgraph-server.ts';
import { type GatewayProcess, startGatewayProcess } from '../support/gateway-process.ts';
import { heldSockets } from '../support/held-sockets.ts';
import { waitFor } from '../support/wait.ts';

const SOCKETS_FREED_MS_MAX = 30_000;
const SUBGRAPH_TIMEOUT_MS = 5_000;
const TIMEOUT_TOLERANCE_MS = 300;
const CLIENTS = 20;
const CALLS = 20;
const START_MS_MAX = 30_000;
const TEST_MS_MAX = 90_000;

describe.runIf(process.platform === 'linux')('a gateway with its own limits', () => {
  const children: ChildProcess[] = [];
  let steady: SubgraphServer;
  let gateway: GatewayProcess;
  let subgraph: ChildProcess;
  let subgraphPort: number;

  async function start(...argv: readonly string[]) {
    const child = fork(join(import.meta.dirname, 'stopped-program.ts'), argv, {
      env: { PATH: process.env.PATH ?? '' },
      execArgv: [],
    });
    children.push(child);
    const signal = AbortSignal.timeout(START_MS_MAX);
    const [message] = (await once(child, 'message', { signal })) as [{ readonly url: string }];
    return { child, url: message.url };
  }

  beforeAll(async () => {
    steady = await startSubgraph('steady', 'type Query { steady: Int }', { Query: { steady: () => 1 } });
    const started = await start('subgraph');
    subgraph = started.child;
    subgraphPort = Number(new URL(started.url).port);
    gateway = await startGatewayProcess([
      steady,
      { name: 'stopped', sdl: 'type Query { stopped: Int }', url: started.url },
    ]);
    await gateway.ask('{ steady stopped }');
  });
  afterAll(async () => {
    for (const child of children) child.kill('SIGKILL');
    await gateway?.stop();
    await steady?.close();
  });

  it(
    'frees the sockets of clients that stopped, in less than 30 s',
    async () => {
      const url = new URL('/graphql', gateway.origin.replace('http', 'ws'));
      const sockets = () => heldSockets(gateway.pid, Number(url.port));
      const before = sockets();
      const clients = await start('clients', url.href, String(CLIENTS));
      expect(sockets()).toBe(before + CLIENTS);
      clients.child.kill('SIGSTOP');
      const stoppedAt = performance.now();
      await waitFor('their sockets to be freed', () => sockets() <= before, SOCKETS_FREED_MS_MAX);
      expect(performance.now() - stoppedAt).toBeLessThan(SOCKETS_FREED_MS_MAX);
      expect((await gateway.ask('{ steady }')).answer).toEqual({ data: { steady: 1 } });
    },
    TEST_MS_MAX,
  );

  it(
    'gives up a subgraph that stopped at its 5 s, frees the sockets to it in less than 30 s, and has it back when it goes on',
    async () => {
      const sockets = () => heldSockets(gateway.pid, subgraphPort);
      subgraph.kill('SIGSTOP');
      const stoppedAt = performance.now();
      const calls = Array.from({ length: CALLS }, () => gateway.ask('{ steady stopped }'));
      await waitFor('all to be asked', () => sockets() === CALLS);
      for (const { answer, ms } of await Promise.all(calls)) {
        expect(answer.data).toEqual({ steady: 1, stopped: null });
        expect(answer.errors?.[0]?.extensions).toMatchObject({
          code: 'DEADLINE_EXCEEDED',
          system: 'stopped',
        });
        expect(ms).toBeGreaterThan(SUBGRAPH_TIMEOUT_MS - TIMEOUT_TOLERANCE_MS);
      }
      await waitFor('the sockets to be freed', () => sockets() === 0, SOCKETS_FREED_MS_MAX);
      expect(performance.now() - stoppedAt).toBeLessThan(SOCKETS_FREED_MS_MAX);
      subgraph.kill('SIGCONT');
      await waitFor('it to be asked again', async () => {
        const { answer } = await gateway.ask('{ stopped }');
        return answer.errors === undefined;
      });
    },
    TEST_MS_MAX,
  );
});
