// How many calls may arrive at a source within one second, however long each was on its way.
import { ARRIVALS_MS, LATE_ARRIVAL_MS_MAX } from './limits.ts';

/**
 * A call has arrived when it is answered, and nobody knows at which moment before that. So it counts from when it is let in until a
 * second after its answer: whatever arrives within a second of it is let in while it counts (docs/adr/0036-budgets-where-calls-arrive.md).
 */
export interface Arrivals {
  /**
   * 0: one more may go; else in how many milliseconds to ask again; undefined: when one of those that are out is answered.
   * @param out calls that are out
   */
  waitMs(out: number): number | undefined;
  left(lease: string, isAnswered: boolean): void;
  /** Those that are over and count still, each with the milliseconds that it does. */
  counted(): readonly (readonly [lease: string, ms: number])[];
}

/** @param maxOf calls within one second, as of now */
export function createArrivals(maxOf: () => number, now: () => number): Arrivals {
  // Until when each counts, in the order in which they left.
  const left = new Map<string, number>();
  const forget = (isWhole: boolean) => {
    const nowMs = now();
    for (const [lease, untilMs] of left) {
      if (untilMs <= nowMs) left.delete(lease);
      else if (!isWhole) return;
    }
  };
  return {
    waitMs(out) {
      const max = maxOf();
      if (out + left.size < max) return 0;
      forget(true);
      if (out + left.size < max) return 0;
      if (left.size === 0) return undefined;
      return Math.max(1, Math.ceil(Math.min(...left.values()) - now()));
    },
    left(lease, isAnswered) {
      forget(false);
      left.set(lease, now() + ARRIVALS_MS + (isAnswered ? 0 : LATE_ARRIVAL_MS_MAX));
    },
    counted() {
      forget(true);
      const nowMs = now();
      return [...left].map(([lease, untilMs]) => [lease, Math.ceil(untilMs - nowMs)]);
    },
  };
}

/** What a second holds at the most: of `0.1` a second and no burst beside the first, one. */
export function arrivalsMax({
  perSecond,
  burst,
}: {
  readonly perSecond: number;
  readonly burst: number;
}): number {
  return Math.max(1, Math.floor(perSecond + burst));
}
