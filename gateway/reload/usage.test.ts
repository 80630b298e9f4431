// Laws of counting uses.
import { describe, expect, it } from 'vitest';
import type { PreparedOperation } from '../engine.ts';
import { createUsage } from './usage.ts';

const operation = (): PreparedOperation => ({ kind: 'query' });
const WINDOW_MS = 100;

function queriesOf(usage: ReturnType<typeof createUsage>, max = 10): readonly string[] {
  return usage.top(max).map(({ query }) => query);
}

describe('usage', () => {
  it('gives the most used first, no more than asked for, uses on two generations added', () => {
    const usage = createUsage(WINDOW_MS, 10, () => 0);
    const [a, b, c, bAgain] = [operation(), operation(), operation(), operation()];
    for (const prepared of [a, a, a]) usage.count(prepared, 'a', undefined);
    for (const prepared of [b, b, bAgain, bAgain]) usage.count(prepared, 'b', undefined);
    usage.count(c, 'c', undefined);
    expect(queriesOf(usage)).toEqual(['b', 'a', 'c']);
    expect(queriesOf(usage, 2)).toEqual(['b', 'a']);
  });

  it('keeps operations of one document apart by name', () => {
    const usage = createUsage(WINDOW_MS, 10, () => 0);
    usage.count(operation(), 'q', 'A');
    usage.count(operation(), 'q', 'B');
    expect(usage.top(10).map(({ operationName }) => operationName)).toEqual(['A', 'B']);
  });

  it('forgets what was not used in the present window or the one before it', () => {
    let atMs = 0;
    const usage = createUsage(WINDOW_MS, 10, () => atMs);
    usage.count(operation(), 'old', undefined);
    atMs = 110;
    usage.count(operation(), 'new', undefined);
    expect(queriesOf(usage)).toEqual(['old', 'new']);
    atMs = 220;
    expect(queriesOf(usage)).toEqual(['new']);
    atMs = 1_000;
    expect(queriesOf(usage)).toEqual([]);
  });

  it('counts no more distinct operations than its limit', () => {
    const usage = createUsage(WINDOW_MS, 2, () => 0);
    for (const query of ['a', 'b', 'c']) usage.count(operation(), query, undefined);
    expect(queriesOf(usage)).toEqual(['a', 'b']);
  });
});
