// Which operations are traced (https://opentelemetry.io/docs/specs/otel/trace/sdk/#sampling).
import type { TraceSettings } from './settings.ts';
import type { TraceParent } from './trace-parent.ts';

/** By the trace's id, so that every system of the trace that samples alike decides alike. */
export function createSampler({
  sampler,
  samplerRatio,
}: Pick<TraceSettings, 'sampler' | 'samplerRatio'>): (parent: TraceParent) => boolean {
  const atRoot = rootSampler(sampler, samplerRatio);
  if (!sampler.startsWith('parentbased_')) return ({ traceId }) => atRoot(traceId);
  return ({ traceId, isSampled }) => isSampled ?? atRoot(traceId);
}

const HEX_DIGITS = 13;

function rootSampler(sampler: string, ratio: number): (traceId: string) => boolean {
  if (sampler.endsWith('always_on')) return () => true;
  if (sampler.endsWith('always_off')) return () => false;
  // 52 bits of the id's random end: as many as a number holds.
  const bound = ratio * 16 ** HEX_DIGITS;
  return (traceId) => Number.parseInt(traceId.slice(-HEX_DIGITS), 16) < bound;
}
