// The gate of one process: all of the budget, or its share of it while Redis is away.
import { type Arrivals, arrivalsMax, createArrivals } from './arrivals.ts';
import type { BreakerState, Entry, Gate, GatePlan, Outcome } from './gate.ts';
import { type Share, shareOf, WHOLE } from './gate.ts';
import { LEASE_SLACK_MS, SAMPLE_MS } from './limits.ts';
import { createSample } from './sample.ts';

export interface LocalGate extends Gate {
  enterAtOnce(lease: string): Entry;
  /** The leases that are out. */
  readonly leases: ReadonlySet<string>;
  /** Those that were given back and count still as calls of the last second, each with the milliseconds that it does. */
  counted(): ReturnType<Arrivals['counted']>;
  /** Counts a lease that was given elsewhere. */
  hold(lease: string): void;
  /** From now on this process has this share; the bucket begins empty, since others may just have emptied theirs. */
  restrict(share: Share): void;
}

/** @param now milliseconds of a monotonic clock */
export function createLocalGate(plan: GatePlan, now: () => number = () => performance.now()): LocalGate {
  const leases = new Set<string>();
  const breaker = createBreaker(plan, now);
  let bucket = createBucket(plan.rate, WHOLE, now);
  let share = WHOLE;
  const { rate } = plan;
  const arrivals = rate && createArrivals(() => shareOf(arrivalsMax(rate), share), now);
  const enterAtOnce = (lease: string): Entry => {
    const retryAfterMs = breaker.shutForMs();
    if (retryAfterMs > 0) return { kind: 'open', retryAfterMs };
    const waitMs = bucket.waitMs();
    if (waitMs > 0) return { kind: 'wait', gate: 'RATE', waitMs };
    const arrivalsWaitMs = arrivals === undefined ? 0 : arrivals.waitMs(leases.size);
    if (arrivalsWaitMs !== 0) return { kind: 'wait', gate: 'RATE', waitMs: arrivalsWaitMs };
    if (leases.size >= shareOf(plan.concurrency, share))
      return { kind: 'wait', gate: 'BULKHEAD', waitMs: undefined };
    bucket.take();
    leases.add(lease);
    breaker.entered(lease);
    return { kind: 'admitted' };
  };
  return {
    leases,
    counted: () => arrivals?.counted() ?? [],
    hold: (lease) => void leases.add(lease),
    restrict(next) {
      share = next;
      bucket = createBucket(plan.rate, share, now);
    },
    enter: async (lease) => enterAtOnce(lease),
    enterAtOnce,
    async leave(lease, outcome) {
      if (leases.delete(lease)) arrivals?.left(lease, outcome === 'answered');
      breaker.left(lease, outcome);
    },
    breaker: breaker.state,
  };
}

interface Bucket {
  /** 0: there is a token. */
  waitMs(): number;
  take(): void;
}

const SECOND_MS = 1_000;

function createBucket(rate: GatePlan['rate'], share: Share, now: () => number): Bucket {
  if (rate === undefined) return { waitMs: () => 0, take: () => undefined };
  const perMs = rate.perSecond / share.replicas / SECOND_MS;
  // A share of a small bucket cannot be less than one: that no second has more than its part is kept by `arrivals.ts`.
  const capacity = Math.max(1, rate.burst / share.replicas);
  let tokens = share === WHOLE ? capacity : 0;
  let atMs = now();
  const refill = () => {
    const nowMs = now();
    tokens = Math.min(capacity, tokens + (nowMs - atMs) * perMs);
    atMs = nowMs;
  };
  return {
    waitMs() {
      refill();
      return tokens < 1 ? Math.ceil((1 - tokens) / perMs) : 0;
    },
    take() {
      tokens -= 1;
    },
  };
}

interface Breaker {
  /** 0: a call may go. */
  shutForMs(): number;
  entered(lease: string): void;
  left(lease: string, outcome: Outcome): void;
  state(): BreakerState;
}

/** Outcomes that the breaker remembers: a ratio over more says nothing else. */
const OUTCOMES_MAX = 2_000;

function createBreaker({ breaker, timeoutMs }: GatePlan, now: () => number): Breaker {
  const sample = createSample(SAMPLE_MS, OUTCOMES_MAX);
  /** Undefined while closed. */
  let openUntilMs: number | undefined;
  let trial: { readonly lease: string; readonly untilMs: number } | undefined;
  const open = () => {
    openUntilMs = now() + breaker.openForMs;
    trial = undefined;
    sample.clear();
  };
  const count = (isFailure: boolean) => {
    sample.add(isFailure, now());
    const { calls, failures } = sample;
    if (isFailure && calls >= breaker.minCalls && failures / calls >= breaker.failureRatio) open();
  };
  return {
    shutForMs() {
      if (openUntilMs === undefined) return 0;
      return Math.max(0, openUntilMs - now(), (trial?.untilMs ?? 0) - now());
    },
    entered(lease) {
      // Half open: one call tries, the others wait for what it finds.
      if (openUntilMs !== undefined) trial = { lease, untilMs: now() + timeoutMs + LEASE_SLACK_MS };
    },
    left(lease, outcome) {
      if (openUntilMs === undefined) {
        if (outcome !== 'unknown') count(outcome === 'failed');
      } else if (trial?.lease === lease) {
        trial = undefined;
        if (outcome === 'failed') open();
        // Only an answer says that the source is back: not a caller who left.
        else if (outcome === 'answered') openUntilMs = undefined;
      }
    },
    state() {
      if (openUntilMs === undefined) return 'CLOSED';
      return openUntilMs > now() ? 'OPEN' : 'HALF_OPEN';
    },
  };
}
