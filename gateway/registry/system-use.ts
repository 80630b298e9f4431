// Calls, failures and latency of each system since the last report.
import type { FetchOutcome } from '../observe/meter.ts';
import type { UsageLimits } from './usage-limits.ts';

/** `SystemUseInput` of docs/registry.md. */
export interface SystemUse {
  readonly name: string;
  readonly calls: number;
  readonly failures: number;
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
}

export interface SystemUses {
  fetched(system: string, outcome: FetchOutcome, durationMs: number): void;
  /** Begins anew. */
  take(): readonly SystemUse[];
}

/** Of the system's own making: a client that leaves, or a limit of the gateway, says nothing of it. */
const FAILURES: ReadonlySet<FetchOutcome> = new Set<FetchOutcome>([
  'UPSTREAM_UNAVAILABLE',
  'UPSTREAM_INVALID',
  'DEADLINE_EXCEEDED',
  'WRITE_UNKNOWN',
  'INVALID_URL',
]);

interface Counts {
  calls: number;
  failures: number;
  /** A ring of the last ones. */
  readonly samples: Float64Array;
}

export function createSystemUses({
  systemsMax,
  samplesMax,
}: Pick<UsageLimits, 'systemsMax' | 'samplesMax'>): SystemUses {
  let counts = new Map<string, Counts>();
  return {
    fetched(system, outcome, durationMs) {
      let own = counts.get(system);
      if (own === undefined) {
        if (counts.size >= systemsMax) return;
        own = { calls: 0, failures: 0, samples: new Float64Array(samplesMax) };
        counts.set(system, own);
      }
      own.samples[own.calls % samplesMax] = durationMs;
      own.calls += 1;
      if (FAILURES.has(outcome)) own.failures += 1;
    },
    take() {
      const taken = counts;
      counts = new Map();
      return [...taken].map(([name, { calls, failures, samples }]) => {
        const sorted = samples.slice(0, Math.min(calls, samplesMax)).sort();
        return { name, calls, failures, p50Ms: at(sorted, 0.5), p99Ms: at(sorted, 0.99) };
      });
    },
  };
}

function at(sorted: Float64Array, share: number): number | null {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? null;
}
