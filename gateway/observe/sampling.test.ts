import { describe, expect, it } from 'vitest';
import { createSampler } from './sampling.ts';
import { newTraceId, readTraceParent } from './trace-parent.ts';

const root = () => ({ traceId: newTraceId(), spanId: undefined, isSampled: undefined });
const shareOf = (sample: ReturnType<typeof createSampler>) => {
  const count = 20_000;
  return Array.from({ length: count }, root).filter(sample).length / count;
};

describe('createSampler', () => {
  it('takes the share of traces that the ratio says, and decides alike for one trace', () => {
    const sample = createSampler({ sampler: 'traceidratio', samplerRatio: 0.25 });
    expect(shareOf(sample)).toBeGreaterThan(0.22);
    expect(shareOf(sample)).toBeLessThan(0.28);
    const parent = root();
    expect(sample(parent)).toBe(sample(parent));
  });

  it.each([
    ['always_on', 1],
    ['always_off', 0],
  ] as const)('takes with %s the share %s', (sampler, share) => {
    expect(shareOf(createSampler({ sampler, samplerRatio: 0.5 }))).toBe(share);
  });

  it('follows the client where it is parentbased, and only there', () => {
    const parent = { traceId: newTraceId(), spanId: '1'.repeat(16), isSampled: true };
    expect(createSampler({ sampler: 'parentbased_always_off', samplerRatio: 1 })(parent)).toBe(true);
    expect(createSampler({ sampler: 'always_off', samplerRatio: 1 })(parent)).toBe(false);
    const unsampled = { ...parent, isSampled: false };
    expect(createSampler({ sampler: 'parentbased_always_on', samplerRatio: 1 })(unsampled)).toBe(false);
  });
});

describe('readTraceParent', () => {
  const id = 'a'.repeat(32);
  const span = 'b'.repeat(16);

  it('takes the trace, the span and whether it is recorded', () => {
    expect(readTraceParent(`00-${id}-${span}-01`)).toEqual({ traceId: id, spanId: span, isSampled: true });
    expect(readTraceParent(`cc-${id}-${span}-02-more`)).toEqual({
      traceId: id,
      spanId: span,
      isSampled: false,
    });
  });

  it.each([
    undefined,
    '',
    `00-${'0'.repeat(32)}-${span}-01`,
    `00-${id}-${'0'.repeat(16)}-01`,
    `ff-${id}-${span}-01`,
    `00-${id.toUpperCase()}-${span}-01`,
    `00-${id}-${span}-1`,
  ])('begins a trace of its own for %j', (header) => {
    const parent = readTraceParent(header);
    expect(parent.traceId).toMatch(/^[0-9a-f]{32}$/);
    expect(parent.traceId).not.toBe(id);
    expect(parent.spanId).toBeUndefined();
  });
});
