// Laws of composing in a thread: the same as composing here, and bounded.

import { describe, expect, it } from 'vitest';
import { compose } from './compose.ts';
import { composeInWorker } from './compose-in-worker.ts';

const LIMITS = { composeTimeoutMs: 20_000, composeHeapMbMax: 512 };
const member = (name: string, sdl: string) => ({ name, url: `http://127.0.0.1:1/${name}`, sdl });

describe('composition in a thread', () => {
  it.each([
    ['a graph', [member('one', 'type Query { one: Int }'), member('two', 'type Query { two: Int }')]],
    ['findings', [member('one', 'type Query { one: Int }'), member('two', 'type Query { one: String }')]],
  ])('gives what composition gives: %s', async (_what, members) => {
    expect(await composeInWorker(members, LIMITS)).toEqual(compose(members));
  });

  it('ends with one line when it takes too long', async () => {
    await expect(
      composeInWorker([member('one', 'type Query { one: Int }')], { ...LIMITS, composeTimeoutMs: 1 }),
    ).rejects.toThrow('the graph could not be composed: it took longer than 1 ms');
  });

  it('ends with one line when it takes too much memory, and the process lives', async () => {
    const fields = Array.from({ length: 60_000 }, (_, n) => `field${n}: Int`).join(' ');
    await expect(
      composeInWorker([member('one', `type Query { ${fields} }`)], { ...LIMITS, composeHeapMbMax: 24 }),
    ).rejects.toThrow('the graph could not be composed: it took more than 24 MB');
  });
});
