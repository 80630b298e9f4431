// One system's circuit breaker: after a row of failures the system is asked once in a while, and everyone else is told at once.

// Not cockatiel's: there, whoever comes while a probe is under way waits for it, so that one hanging probe makes a
// refusal that is promised at once last a time-out; and it reads the wall clock, which may jump.

export type BreakerState = 'CLOSED' | 'OPEN' | 'HALF_OPEN';

export interface Breaker {
  readonly state: BreakerState;
  /** Whether a call may go out now. While open, one call in each interval may, as a probe, whether or not the last one is back. */
  admits(): boolean;
  recordSuccess(): void;
  recordFailure(): void;
}

export interface BreakerOptions {
  /** Failures in a row that open it. */
  readonly failuresMax: number;
  /** From its opening, and from one probe, to the next probe. */
  readonly probeIntervalMs: number;
  readonly onChange?: ((state: BreakerState) => void) | undefined;
  /** Monotonic. */
  readonly now?: () => number;
}

/**
 * A success, of a probe or of a call that went out before, closes it; a failure keeps it open. A call without a verdict
 * (its client left) says nothing, and as no probe blocks the next one, none has to be given back.
 */
export function createBreaker({
  failuresMax,
  probeIntervalMs,
  onChange,
  now = () => performance.now(),
}: BreakerOptions): Breaker {
  let state: BreakerState = 'CLOSED';
  let failures = 0;
  let probeAtMs = 0;
  const change = (next: BreakerState) => {
    if (state === next) return;
    state = next;
    onChange?.(next);
  };
  return {
    get state() {
      return state;
    },
    admits() {
      if (state === 'CLOSED') return true;
      if (now() < probeAtMs) return false;
      probeAtMs = now() + probeIntervalMs;
      change('HALF_OPEN');
      return true;
    },
    recordSuccess() {
      failures = 0;
      change('CLOSED');
    },
    recordFailure() {
      failures += 1;
      if (state === 'CLOSED' && failures < failuresMax) return;
      if (state === 'CLOSED') probeAtMs = now() + probeIntervalMs;
      change('OPEN');
    },
  };
}
