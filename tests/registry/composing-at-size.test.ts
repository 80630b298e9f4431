// The bar of composition at size, in short: `compose-bench.ts` has the full one.
import { compose } from '@weft/schema/compose';
import { describe, expect, it } from 'vitest';
import { composeAtSize } from './composing-at-size.ts';
import { makeLargeGraph } from './large-graph.ts';

const DELAY_P99_MS_MAX = 20;
/** A machine with other work delays this loop too: the best of a few is what composition does to it. */
const TRIES = 3;

describe('a large graph', () => {
  it('is one graph of as many types as it says', () => {
    const { supergraphSdl = '' } = compose(makeLargeGraph(10, 100));
    const types = new Set(
      [...supergraphSdl.matchAll(/^(?:type|enum|input) (S\d+T\d+)/gm)].map(([, name]) => name),
    );
    expect(types.size).toBe(100);
    expect(supergraphSdl).toContain('requires: "number"');
  });

  it(`composes beside an event loop whose delay stays below ${DELAY_P99_MS_MAX} ms at p99`, async () => {
    const delays: number[] = [];
    while (delays.length < TRIES && (delays.at(-1) ?? DELAY_P99_MS_MAX) >= DELAY_P99_MS_MAX) {
      const { seconds, delay } = await composeAtSize(20, 400);
      expect(seconds).toBeGreaterThan(0);
      delays.push(delay.p99);
    }
    expect(Math.min(...delays)).toBeLessThan(DELAY_P99_MS_MAX);
  }, 180_000);
});
