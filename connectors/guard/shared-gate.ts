// The gate that all replicas share through Redis; while Redis is away, this process's part of it.
import { createHash } from 'node:crypto';
import { arrivalsMax } from './arrivals.ts';
import type { BreakerState, Entry, Gate, GatePlan, Outcome } from './gate.ts';
import {
  ARRIVALS_MS,
  FORGET_MS,
  GATE_POLL_MS,
  HEARD_MS,
  LATE_ARRIVAL_MS_MAX,
  LEASE_SLACK_MS,
  SAMPLE_MS,
  STATE_TTL_MS,
} from './limits.ts';
import { createLocalGate, type LocalGate } from './local-gate.ts';
import { KEY_PREFIX, type Replica } from './replica.ts';
import { ADOPT, ENTER, LEAVE } from './scripts.ts';

interface Keys {
  readonly state: string;
  readonly leases: string;
  readonly arrivals: string;
}

/** The names of systems and sources are never part of a key as they are. */
export function gateKeys(system: string, source: string): Keys {
  const hash = createHash('sha256')
    .update(JSON.stringify([system, source]))
    .digest('hex')
    .slice(0, 32);
  const key = (part: keyof Keys) => `${KEY_PREFIX}gate:${hash}:${part}`;
  return { state: key('state'), leases: key('leases'), arrivals: key('arrivals') };
}

export function createSharedGate(system: string, source: string, plan: GatePlan, replica: Replica): Gate {
  const keys = gateKeys(system, source);
  const local = createLocalGate(plan);
  const leaseMs = plan.timeoutMs + LEASE_SLACK_MS;
  let seen: BreakerState = 'CLOSED';
  const { failureRatio, minCalls, openForMs } = plan.breaker;
  replica.watch({
    restrict: local.restrict,
    async adopt() {
      const { leases } = local;
      const counted = local.counted();
      if (leases.size + counted.length === 0) return;
      const args = [leaseMs, STATE_TTL_MS, ARRIVALS_MS, leases.size, ...leases, ...counted.flat()];
      await replica.run(ADOPT, [keys.leases, keys.arrivals], args);
    },
  });
  const release = async (lease: string, outcome: Outcome) => {
    const args = [
      ...[lease, outcome, failureRatio, minCalls, openForMs, SAMPLE_MS, STATE_TTL_MS],
      ARRIVALS_MS + (outcome === 'answered' ? 0 : LATE_ARRIVAL_MS_MAX),
    ];
    // A lease that cannot be given back ends by itself.
    const state = await replica
      .run(LEAVE, [keys.state, keys.leases, keys.arrivals], args)
      .catch(() => undefined);
    if (state === 'CLOSED' || state === 'OPEN' || state === 'HALF_OPEN') seen = state;
  };
  return {
    async enter(lease) {
      switch (replica.mode()) {
        case 'shared': {
          const entry = await enterShared(keys, plan, replica, lease);
          // Whether it was admitted is not known: if so, nobody uses the place.
          if (entry === undefined) void release(lease, 'unknown');
          else if (entry.kind === 'admitted') local.hold(lease);
          else if (entry.kind === 'open') seen = 'OPEN';
          return entry ?? LOOK_AGAIN;
        }
        case 'joining':
          return LOOK_AGAIN;
        case 'local':
          return enterLocal(local, plan, replica, lease);
      }
    },
    async leave(lease, outcome) {
      void local.leave(lease, outcome);
      if (replica.mode() !== 'local') await release(lease, outcome);
    },
    breaker: () => (replica.mode() === 'local' ? local.breaker() : seen),
  };
}

const LOOK_AGAIN: Entry = { kind: 'wait', gate: 'BULKHEAD', waitMs: GATE_POLL_MS };

/** Undefined when Redis did not answer in time. */
async function enterShared(
  keys: Keys,
  plan: GatePlan,
  replica: Replica,
  lease: string,
): Promise<Entry | undefined> {
  const { rate, concurrency, timeoutMs } = plan;
  const args = [
    ...[lease, timeoutMs + LEASE_SLACK_MS, concurrency, rate?.perSecond ?? 0, rate?.burst ?? 1],
    ...[HEARD_MS, FORGET_MS, STATE_TTL_MS, rate === undefined ? 0 : arrivalsMax(rate), ARRIVALS_MS],
  ];
  const names = [keys.state, keys.leases, `${KEY_PREFIX}replicas`, `${KEY_PREFIX}sharing`, keys.arrivals];
  const reply = await replica.run(ENTER, names, args).catch(() => undefined);
  if (!Array.isArray(reply)) return undefined;
  const ms = Number(reply[1]);
  switch (reply[0]) {
    case 'ADMITTED':
      return { kind: 'admitted' };
    case 'OPEN':
      return { kind: 'open', retryAfterMs: ms };
    case 'RATE':
      return { kind: 'wait', gate: 'RATE', waitMs: ms };
    default:
      return { kind: 'wait', gate: 'BULKHEAD', waitMs: GATE_POLL_MS };
  }
}

/** What others were let through before is over, and they leave this process its share, before it takes that. */
async function enterLocal(
  local: LocalGate,
  { timeoutMs }: GatePlan,
  replica: Replica,
  lease: string,
): Promise<Entry> {
  const waitMs = replica.aloneSinceMs() + HEARD_MS + timeoutMs - performance.now();
  return waitMs > 0 ? { kind: 'wait', gate: 'BULKHEAD', waitMs: Math.ceil(waitMs) } : local.enter(lease);
}
