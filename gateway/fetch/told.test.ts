import { TOLD_MAX } from '@weft/core/telling';
import { describe, expect, it } from 'vitest';
import { createToldList } from '../execute/told-list.ts';
import { decodeTold } from './told.ts';

const GOOD = {
  path: ['_entities', 0],
  system: 'other',
  state: 'STALE',
  observedAt: '2026-11-22T08:00:00Z',
  ageMs: 5,
  reason: 'BREAKER',
};

describe('what a subgraph tells of its answer', () => {
  it('is that of the subgraph that was asked, whatever it calls itself', () => {
    expect(decodeTold('police', { weft: { freshness: [GOOD] } }, 10)).toEqual({
      parts: [
        {
          path: ['_entities', 0],
          entry: {
            kind: 'freshness',
            system: 'police',
            state: 'STALE',
            observedAt: '2026-11-22T08:00:00Z',
            ageMs: 5,
            reason: 'BREAKER',
          },
        },
      ],
      isTruncated: false,
    });
  });

  it.each([
    ['no object', 7],
    ['a list', [GOOD]],
    ['no list', { weft: { freshness: GOOD } }],
    ['a state that there is none of', { weft: { freshness: [{ ...GOOD, state: 'OLD' }] } }],
    ['a time that is none', { weft: { freshness: [{ ...GOOD, observedAt: 'yesterday-ish' }] } }],
    ['an age that is no number', { weft: { freshness: [{ ...GOOD, ageMs: '5' }] } }],
    ['an empty path', { weft: { freshness: [{ ...GOOD, path: [] }] } }],
    ['a path too deep', { weft: { freshness: [{ ...GOOD, path: Array(11).fill('a') }] } }],
    ['a path of objects', { weft: { freshness: [{ ...GOOD, path: [{}] }] } }],
    ['a source that is a body', { weft: { provenance: [{ ...GOOD, source: 'x'.repeat(300) }] } }],
  ])('is left out when it is %s', (_name, extensions) => {
    expect(decodeTold('police', extensions, 10)).toBeUndefined();
  });

  it('keeps no reason and no key that is not short', () => {
    const long = 'x'.repeat(10_000);
    const freshness = [{ ...GOOD, reason: long }];
    const provenance = [{ ...GOOD, source: 's', recordKey: long }];
    const told = decodeTold('police', { weft: { freshness, provenance } }, 10);
    expect(JSON.stringify(told).length).toBeLessThan(500);
    expect(told?.parts).toHaveLength(2);
  });

  it('is bounded, and says that there is more', () => {
    const freshness = Array.from({ length: 3 * TOLD_MAX }, (_, index) => ({ ...GOOD, path: ['a', index] }));
    const told = decodeTold('police', { weft: { freshness } }, 10);
    expect(told).toMatchObject({ isTruncated: true });
    expect(told?.parts).toHaveLength(2 * TOLD_MAX);
  });
});

describe('what an answer tells', () => {
  const entry = (state: 'FRESH' | 'STALE') =>
    ({ kind: 'freshness', system: 's', state, observedAt: 't', ageMs: 1, reason: undefined }) as const;

  it('is bounded, and what is stale has places of its own', () => {
    const list = createToldList();
    for (let index = 0; index <= TOLD_MAX; index += 1) list.add(entry('FRESH'), ['a', index]);
    list.add(entry('STALE'), ['b']);
    const weft = list.take();
    expect(weft).toMatchObject({ truncated: true });
    expect(weft?.freshness).toHaveLength(TOLD_MAX + 1);
    expect(weft?.freshness).toContainEqual(expect.objectContaining({ path: ['b'], state: 'STALE' }));
  });

  it('is told once, also when two fetches tell it', () => {
    const list = createToldList();
    list.add(entry('STALE'), ['b']);
    list.add(entry('STALE'), ['b']);
    expect(list.take()?.freshness).toHaveLength(1);
    expect(list.take()).toBeUndefined();
  });
});
