// How long to wait before a lost connection is opened again.
import type { UpstreamLimits } from './limits.ts';

export interface BackOff {
  /** Milliseconds until the next try. */
  nextDelayMs(): number;
  /** A connection stands: if it holds for long enough, its loss is the first one again. */
  established(): void;
  /** What a server asks for itself, within the bounds (`retry` of an event stream). */
  atLeast(delayMs: number): void;
}

/**
 * Delays that double up to a maximum, with jitter: those who lost one subgraph at the same moment do not come back at the same.
 * @param now monotonic milliseconds
 * @param random between 0 and 1
 */
export function createBackOff(
  limits: Pick<UpstreamLimits, 'retryDelayMsMin' | 'retryDelayMsMax' | 'stableMs'>,
  now: () => number = () => performance.now(),
  random: () => number = Math.random,
): BackOff {
  const { retryDelayMsMin, retryDelayMsMax, stableMs } = limits;
  let failures = 0;
  let establishedAtMs: number | undefined;
  let asked = 0;
  return {
    nextDelayMs() {
      if (establishedAtMs !== undefined && now() - establishedAtMs >= stableMs) failures = 0;
      establishedAtMs = undefined;
      // 2 ** 30 is beyond every maximum.
      const doubled = Math.max(asked, retryDelayMsMin * 2 ** Math.min(failures, 30));
      failures += 1;
      const delayMs = Math.min(retryDelayMsMax, doubled);
      return delayMs / 2 + (delayMs / 2) * random();
    },
    established() {
      establishedAtMs ??= now();
    },
    atLeast(delayMs) {
      asked = Math.min(delayMs, retryDelayMsMax);
    },
  };
}
