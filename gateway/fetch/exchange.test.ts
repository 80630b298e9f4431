import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, describe, expect, it } from 'vitest';
import { ENGINE_LIMITS } from '../limits.ts';
import { StopSource } from '../stop-signal.ts';
import { exchange } from './exchange.ts';
import { Stopper } from './stopper.ts';
import { openSystem, type System } from './system.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as (options: { readonly type: 'minor' | 'major' }) => void;

/** Twice: what V8 has copied once it moves to its old space. */
function collectYoung(): void {
  collect({ type: 'minor' });
  collect({ type: 'minor' });
}

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** A system that answers when it is told to. */
async function openWaiting(): Promise<{ readonly system: System; readonly waiting: ServerResponse[] }> {
  const waiting: ServerResponse[] = [];
  const server = createServer((request, response) => {
    request.resume().on('end', () => waiting.push(response));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const system = openSystem('stock', `http://127.0.0.1:${port}/graphql`, ENGINE_LIMITS, {});
  closing.push(
    () => system.pool.destroy(),
    async () => server.close(),
  );
  return { system, waiting };
}

/** The answer's length. */
async function ask(system: System): Promise<number> {
  const stopper = new Stopper(new StopSource(), 30_000);
  const exchanged = await exchange(system, ['content-type', 'application/json'], Buffer.from('{}'), stopper);
  stopper.free();
  return exchanged.kind === 'received' ? exchanged.text.length : 0;
}

const AT_ONCE = 40;
const CHARS = 60_000;

describe('an exchange that is over', () => {
  it('keeps nothing of its answer until the whole heap is collected', async () => {
    const { system, waiting } = await openWaiting();
    const body = Buffer.from('x'.repeat(CHARS));
    const rounds: number[] = [];
    for (let round = 0; round < 4; round += 1) {
      const asked = Array.from({ length: AT_ONCE }, () => ask(system));
      await expect.poll(() => waiting.length).toBe(AT_ONCE);
      // Who waits long is of the old space when the answer comes.
      collectYoung();
      for (const response of waiting.splice(0)) response.end(body);
      expect(await Promise.all(asked)).toEqual(Array.from({ length: AT_ONCE }, () => CHARS));
      await setImmediate();
      collectYoung();
      rounds.push(process.memoryUsage().arrayBuffers);
    }
    const grown = (rounds.at(-1) ?? 0) - (rounds[0] ?? 0);
    expect(grown).toBeLessThan(AT_ONCE * CHARS);
  });
});
