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
  readonly guard: GuardState;
  /** Why the last probe failed; undefined when it did not. */
  readonly probeFailure: string | undefined;
}

export const SYSTEM_TOPIC = 'system';

const PROBE_EVERY_MS = 10_000;
/** A system that is down is looked for more often. */
const PROBE_DOWN_EVERY_MS = 1_000;
const LAST_SEEN_EVERY_MS = 10_000;
/** How long a failure of a call counts as a sign. */
const FAILURE_COUNTS_MS = 10_000;
const TICK_MS = 250;

export interface HealthWatch {
  /** A system was heard of: it pushed something. */
  seen(system: string): void;
  close(): Promise<void>;
}

export interface HealthOptions {
  readonly store: Store;
  readonly appender: EventAppender;
  readonly logger: Logger;
}

/** Starts watching; states are told within a second of being noticed, last-seen times at most every 10 s. */
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
    async close() {
      clearInterval(timer);
      await running;
    },
  };
}

interface WatchedSource {
  readonly target: ProbeTarget;
  readonly guard: { state(): GuardState };
  probeFailure: string | undefined;
  probedAtMs: number;
}

function watchSystem(system: RunningSystem) {
  const sources: WatchedSource[] = [...system.sources.values()].map(({ plan, guard }) => ({
    target: probeTarget(plan, { env: system.env, timezone: plan.timezone }),
    guard,
    probeFailure: undefined,
    probedAtMs: Number.NEGATIVE_INFINITY,
  }));
  let told:
    | { readonly health: Health; readonly atMs: number; readonly lastSeen: Date | undefined }
    | undefined;
  let pushedAt: Date | undefined;

  const probeDue = async () => {
    const everyMs = told?.health.state === 'DOWN' ? PROBE_DOWN_EVERY_MS : PROBE_EVERY_MS;
    const due = sources.filter(({ probedAtMs }) => performance.now() - probedAtMs >= everyMs);
    await Promise.all(
      due.map(async (source) => {
        source.probeFailure = await probe(source.target);
        source.probedAtMs = performance.now();
      }),
    );
  };
  const lastSeen = () => latest([pushedAt, ...sources.map(({ guard }) => guard.state().lastOkAt)]);

  return {
    seen: () => (pushedAt = new Date()),
    async tick({ store, appender }: HealthOptions) {
      await probeDue();
      const now = new Date();
      const health = judge(
        sources.map(({ guard, probeFailure }) => ({ guard: guard.state(), probeFailure })),
        now,
      );
      const seenAt = lastSeen();
      if (!isWorthTelling(told, health, seenAt)) return;
      const event = systemEvent(system, health, seenAt, now);
      await store.transaction((transaction) => appender.append(transaction, SYSTEM_TOPIC, [event]));
      told = { health, atMs: performance.now(), lastSeen: seenAt };
    },
  };
}

/** The worst of a system's sources; pure. A breaker that stays open while nothing fails any more says nothing. */
export function judge(sources: readonly SourceSigns[], now: Date): Health {
  let worst: Health = { state: 'UP', reason: undefined };
  for (const { guard, probeFailure } of sources) {
    if (probeFailure !== undefined) return { state: 'DOWN', reason: `cannot be reached (${probeFailure})` };
    const { lastFailure } = guard;
    if (lastFailure === undefined || now.getTime() - lastFailure.at.getTime() > FAILURE_COUNTS_MS) continue;
    const isBack =
      guard.lastOkAt !== undefined && guard.lastOkAt >= lastFailure.at && guard.breaker === 'CLOSED';
    const reason = `${lastFailure.error.code} at ${String(lastFailure.error.details.operation ?? 'a call')}`;
    if (guard.breaker !== 'CLOSED') worst = { state: 'DOWN', reason };
    else if (worst.state === 'UP' && !isBack) worst = { state: 'DEGRADED', reason };
  }
  return worst;
}

function isWorthTelling(
  told: { readonly health: Health; readonly atMs: number; readonly lastSeen: Date | undefined } | undefined,
  health: Health,
  lastSeen: Date | undefined,
): boolean {
  if (told === undefined || told.health.state !== health.state) return true;
  if (performance.now() - told.atMs < LAST_SEEN_EVERY_MS) return false;
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
