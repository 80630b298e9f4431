// Watches the wrapped systems and tells their state as events of the topic `system`.
import type { Logger } from '@weft/core/logger';
import type { CloudEvent } from '@weft/events/envelope';
import type { EventAppender } from '@weft/events/event-log';
import type { GuardState } from './guard/guard.ts';
import type { Store } from './ingest/store.ts';
import type { RunningSystem } from './load/system.ts';
import { type ProbeTarget, probe, probeTarget } from './probe.ts';

export type SystemState = 'UP' | 'DEGRADED' | 'DOWN';

export interface Health {
  readonly state: SystemState;
  /** What was last seen to go wrong; never an upstream's own words. */
  readonly reason: string | undefined;
}

/** What is known of one source. */
export interface SourceSigns {
  readonly guard: Pick<GuardState, 'breaker' | 'lastOkAt' | 'lastFailure'>;
  /** Why the last probe failed; undefined when it did not. */
  readonly probeFailure: string | undefined;
}

export const SYSTEM_TOPIC = 'system';

const PROBE_EVERY_MS = 10_000;
/** A system that is down is looked for more often. */
const PROBE_DOWN_EVERY_MS = 1_000;
const LAST_SEEN_EVERY_MS = 10_000;
/** A state is told again after this long: who reads it takes a teller that is silent for a minute as gone. */
const RENEW_EVERY_MS = 15_000;
const TICK_MS = 250;
/** A system is told to be better only when nothing has failed for this long, */
const BETTER_AFTER_MS = 3_000;
/** or for this long when it was told to be better more than BETTER_TIMES_MAX times within BETTER_WINDOW_MS: it flaps. */
const BETTER_AFTER_FLAPPING_MS = 10_000;
const BETTER_TIMES_MAX = 3;
const BETTER_WINDOW_MS = 60_000;

export const STOPPED = 'connectors stopped';

export interface HealthWatch {
  /** A system was heard of: it pushed something. */
  seen(system: string): void;
  /** The polled changes of a type are not understood as a whole, and why; undefined when they are. */
  blind(system: string, type: string, reason: string | undefined): void;
  /** Tells every system DOWN, since nothing of it is told any more. */
  close(): Promise<void>;
}

export interface HealthOptions {
  readonly store: Store;
  readonly appender: EventAppender;
  readonly logger: Logger;
}

/** Starts watching; a worse state is told within a second of being noticed, every state again at least every 20 s. */
export function watchHealth(systems: readonly RunningSystem[], options: HealthOptions): HealthWatch {
  const watched = new Map(systems.map((system) => [system.plan.name, watchSystem(system)]));
  let running = Promise.resolve();
  let idle = true;
  let failing = false;
  const round = async () => {
    try {
      await Promise.all([...watched.values()].map((one) => one.tick(options)));
      failing = false;
    } catch (thrown) {
      // Told once, not four times a second, while the database is away.
      if (!failing)
        options.logger.warn({ err: thrown }, "a system's state could not be told and will be again");
      failing = true;
    } finally {
      idle = true;
    }
  };
  const tick = () => {
    if (!idle) return;
    idle = false;
    running = round();
  };
  const timer = setInterval(tick, TICK_MS);
  tick();
  return {
    seen: (system) => watched.get(system)?.seen(),
    blind: (system, type, reason) => watched.get(system)?.blind(type, reason),
    async close() {
      clearInterval(timer);
      await running;
      await tellStopped([...watched.values()], options);
    },
  };
}

/** A database that is away is not waited for: the silence says the same a minute later. */
async function tellStopped(
  watched: readonly ReturnType<typeof watchSystem>[],
  { store, appender, logger }: HealthOptions,
): Promise<void> {
  const events = watched.map((one) => one.stopped());
  await store
    .transaction((transaction) => appender.append(transaction, SYSTEM_TOPIC, events))
    .catch((thrown: unknown) => logger.warn({ err: thrown }, 'that the connectors stop could not be told'));
}

interface WatchedSource {
  readonly target: ProbeTarget;
  readonly guard: { state(): GuardState };
  probeFailure: string | undefined;
  probedAtMs: number;
}

/** What was told last, and when, by a monotonic clock. */
export interface Told {
  readonly health: Health;
  readonly atMs: number;
  readonly lastSeen: Date | undefined;
}

function watchSystem(system: RunningSystem) {
  const sources = watchSources(system);
  const blindTypes = new Map<string, string>();
  const steady = steadyHealth();
  let told: Told | undefined;
  let pushedAt: Date | undefined;
  const lastSeen = () => latest([pushedAt, ...sources.map(({ guard }) => guard.state().lastOkAt)]);

  return {
    seen: () => (pushedAt = new Date()),
    blind(type: string, reason: string | undefined) {
      if (reason === undefined) blindTypes.delete(type);
      else blindTypes.set(type, reason);
    },
    async tick({ store, appender }: HealthOptions) {
      await probeDue(sources, told?.health.state === 'DOWN' ? PROBE_DOWN_EVERY_MS : PROBE_EVERY_MS);
      const now = new Date();
      const signs = sources.map(({ guard, probeFailure }) => ({ guard: guard.state(), probeFailure }));
      const [blindness] = blindTypes.values();
      const health = steady.next(judge(signs, blindness), lastFailureAt(signs, now), now);
      const seenAt = lastSeen();
      if (!isWorthTelling(told, health, seenAt, performance.now())) return;
      const event = systemEvent(system, health, seenAt, now);
      await store.transaction((transaction) => appender.append(transaction, SYSTEM_TOPIC, [event]));
      told = { health, atMs: performance.now(), lastSeen: seenAt };
    },
    stopped: () => systemEvent(system, { state: 'DOWN', reason: STOPPED }, lastSeen(), new Date()),
  };
}

function watchSources(system: RunningSystem): readonly WatchedSource[] {
  return [...system.sources.values()].map(({ plan, guard }) => ({
    target: probeTarget(plan, { env: system.env, timezone: plan.timezone }),
    guard,
    probeFailure: undefined,
    probedAtMs: Number.NEGATIVE_INFINITY,
  }));
}

async function probeDue(sources: readonly WatchedSource[], everyMs: number): Promise<void> {
  const due = sources.filter(({ probedAtMs }) => performance.now() - probedAtMs >= everyMs);
  await Promise.all(
    due.map(async (source) => {
      source.probeFailure = await probe(source.target);
      source.probedAtMs = performance.now();
    }),
  );
}

/** A probe that fails goes on failing until the next one. */
function lastFailureAt(sources: readonly SourceSigns[], now: Date): Date | undefined {
  return latest(
    sources.map(({ guard, probeFailure }) => (probeFailure === undefined ? guard.lastFailure?.at : now)),
  );
}

const SEVERITY: Readonly<Record<SystemState, number>> = { UP: 0, DEGRADED: 1, DOWN: 2 };

/**
 * Keeps a system that fails now and then from being told to be up and not up many times a minute: worse at once, better
 * only after a while without a failure.
 */
export function steadyHealth(): {
  next(judged: Health, failedAt: Date | undefined, now: Date): Health;
} {
  let current: Health | undefined;
  let betterAt: readonly number[] = [];
  return {
    next(judged, failedAt, now) {
      const nowMs = now.getTime();
      if (current !== undefined && SEVERITY[judged.state] < SEVERITY[current.state]) {
        betterAt = betterAt.filter((atMs) => nowMs - atMs < BETTER_WINDOW_MS);
        const isFlapping = betterAt.length > BETTER_TIMES_MAX;
        const quietMs = failedAt === undefined ? Number.POSITIVE_INFINITY : nowMs - failedAt.getTime();
        if (quietMs < (isFlapping ? BETTER_AFTER_FLAPPING_MS : BETTER_AFTER_MS)) return current;
        betterAt = [...betterAt, nowMs];
      }
      current = judged;
      return judged;
    },
  };
}

/**
 * The worst of a system's sources; pure. A failure counts until an answer came after it, however long that takes: that
 * nobody asks any more does not make a system well.
 * @param blindness why polled changes are not understood, when they are not
 */
export function judge(sources: readonly SourceSigns[], blindness?: string): Health {
  let worst: Health =
    blindness === undefined ? { state: 'UP', reason: undefined } : { state: 'DEGRADED', reason: blindness };
  for (const { guard, probeFailure } of sources) {
    if (probeFailure !== undefined) return { state: 'DOWN', reason: `cannot be reached (${probeFailure})` };
    const { lastFailure, lastOkAt } = guard;
    if (lastFailure === undefined || (lastOkAt !== undefined && lastOkAt >= lastFailure.at)) continue;
    const reason = `${lastFailure.error.code} at ${String(lastFailure.error.details.operation ?? 'a call')}`;
    if (guard.breaker !== 'CLOSED') worst = { state: 'DOWN', reason };
    else if (worst.state === 'UP') worst = { state: 'DEGRADED', reason };
  }
  return worst;
}

/**
 * Whether the state must be told now; pure.
 * @param nowMs by the clock of `told.atMs`
 */
export function isWorthTelling(
  told: Told | undefined,
  health: Health,
  lastSeen: Date | undefined,
  nowMs: number,
): boolean {
  if (told === undefined || told.health.state !== health.state) return true;
  const sinceMs = nowMs - told.atMs;
  if (sinceMs >= RENEW_EVERY_MS) return true;
  if (sinceMs < LAST_SEEN_EVERY_MS) return false;
  return told.lastSeen?.getTime() !== lastSeen?.getTime() || told.health.reason !== health.reason;
}

function systemEvent(
  system: RunningSystem,
  health: Health,
  lastSeen: Date | undefined,
  now: Date,
): CloudEvent {
  const { name, title } = system.plan;
  const at = now.toISOString();
  const { state } = health;
  const reason = health.reason ?? null;
  return {
    specversion: '1.0',
    id: `${name}:${state}:${at}`,
    source: `/systems/${name}`,
    type: 'dev.weft.system.changed',
    subject: `System:${name}`,
    time: at,
    datacontenttype: 'application/json',
    partitionkey: name,
    data: {
      system: { name },
      name,
      title,
      kind: 'WRAPPED',
      change: { state, reason, at },
      state,
      reason,
      lastSeen: lastSeen?.toISOString() ?? null,
      at,
    },
  };
}

function latest(times: readonly (Date | undefined)[]): Date | undefined {
  return times.reduce((a, b) => (a === undefined || (b !== undefined && b > a) ? b : a), undefined);
}
