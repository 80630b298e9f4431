// What stands between the queue of a source and the source: breaker, token bucket and bulkhead as one gate.
import type { GuardPlan } from '../plan.ts';

/** What of a guard's plan the gate keeps. */
export type GatePlan = Pick<GuardPlan, 'timeoutMs' | 'concurrency' | 'breaker' | 'rate'>;

export type BreakerState = 'CLOSED' | 'OPEN' | 'HALF_OPEN';

export type Entry =
  | { readonly kind: 'admitted' }
  /** `waitMs`: when to try again at the earliest; undefined: when somebody leaves. */
  | { readonly kind: 'wait'; readonly gate: 'RATE' | 'BULKHEAD'; readonly waitMs: number | undefined }
  | { readonly kind: 'open'; readonly retryAfterMs: number };

/** What one call says of the source's health; `unknown` when its caller left before the source could answer. */
export type Outcome = 'answered' | 'failed' | 'unknown';

export interface Gate {
  /**
   * Takes a token and a lease, or neither. Never rejects.
   * @param lease a name that no other call has
   */
  enter(lease: string): Promise<Entry>;
  /** As `enter`, in a gate that need ask nobody. */
  enterAtOnce?(lease: string): Entry;
  /** Gives the lease back, and tells the breaker. Never rejects. */
  leave(lease: string, outcome: Outcome): Promise<void>;
  /** As it was last seen. */
  breaker(): BreakerState;
}

/** The part of the budget that is one process's while Redis is away: `replicas` 1 and `rank` 0 is all of it. */
export interface Share {
  readonly replicas: number;
  /** Which of them it is, from 0; undefined when that is not known. */
  readonly rank: number | undefined;
}

export const WHOLE: Share = { replicas: 1, rank: 0 };

/** Of `whole` things, those of one replica: in sum never more than there are. Where there are fewer than replicas, the first have one each. */
export function shareOf(whole: number, { replicas, rank }: Share): number {
  const part = Math.floor(whole / replicas);
  return part > 0 || rank === undefined || rank >= Math.floor(whole) ? part : 1;
}
