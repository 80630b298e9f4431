// Laws of counting uses.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import type { PreparedOperation } from '../engine.ts';
import { ANONYMOUS } from '../identity/principal.ts';
import { createUsage } from './usage.ts';

const operation = (): PreparedOperation => ({ kind: 'query' });
const WINDOW_MS = 100;

const text = (query: string, operationName?: string) => ({ query, operationName, principal: ANONYMOUS });

function queriesOf(usage: ReturnType<typeof createUsage>, max = 10, usesMin = 1): readonly string[] {
  return usage.top(max, usesMin).map(({ query }) => query);
}

describe('usage', () => {
  it('gives the most used first, no more than asked for, uses on two generations added', () => {
    const usage = createUsage(WINDOW_MS, 10, () => 0);
    const [a, b, c, bAgain] = [operation(), operation(), operation(), operation()];
    for (const prepared of [a, a, a]) usage.count(prepared, text('a'));
    for (const prepared of [b, b, bAgain, bAgain]) usage.count(prepared, text('b'));
    usage.count(c, text('c'));
    expect(queriesOf(usage)).toEqual(['b', 'a', 'c']);
    expect(queriesOf(usage, 2)).toEqual(['b', 'a']);
    expect(queriesOf(usage, 10, 4)).toEqual(['b']);
  });

  it('keeps operations of one document apart by name', () => {
    const usage = createUsage(WINDOW_MS, 10, () => 0);
    usage.count(operation(), text('q', 'A'));
    usage.count(operation(), text('q', 'B'));
    expect(usage.top(10, 1).map(({ operationName }) => operationName)).toEqual(['A', 'B']);
  });

  it('forgets what was not used in the present window or the one before it', () => {
    let atMs = 0;
    const usage = createUsage(WINDOW_MS, 10, () => atMs);
    usage.count(operation(), text('old'));
    atMs = 110;
    usage.count(operation(), text('new'));
    expect(queriesOf(usage)).toEqual(['old', 'new']);
    atMs = 220;
    expect(queriesOf(usage)).toEqual(['new']);
    atMs = 1_000;
    expect(queriesOf(usage)).toEqual([]);
  });

  it('counts no more distinct operations than its limit', () => {
    const usage = createUsage(WINDOW_MS, 2, () => 0);
    for (const query of ['a', 'b', 'c']) usage.count(operation(), text(query));
    expect(queriesOf(usage)).toEqual(['a', 'b']);
  });

  it('keeps no prepared operation alive, since that is its whole generation', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const usage = createUsage(WINDOW_MS, 10, () => 0);
    const count = () => {
      const prepared = operation();
      usage.count(prepared, text('a'));
      return new WeakRef(prepared);
    };
    const counted = count();
    await expect
      .poll(() => {
        collect();
        return counted.deref() === undefined;
      })
      .toBe(true);
    expect(queriesOf(usage)).toEqual(['a']);
  });
});
