// Measures every source's contract after the start and each night.
import type { Logger } from '@weft/core/logger';
import type { Secrets } from '@weft/core/secrets';
import type { EventAppender } from '@weft/events/event-log';
import type { Store } from '../ingest/store.ts';
import type { GuardedSource, RunningSystem } from '../load/system.ts';
import { saveDrift } from './drift-store.ts';
import { measureSource } from './measure.ts';

/** Late enough that a start is not one more burden on what it wakes. */
const START_AFTER_MS = 30_000;
const NIGHT_HOUR = 3;
const NIGHT_JITTER_MS = 1_800_000;
const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

export interface DriftWatchOptions {
  readonly store: Store;
  readonly appender: EventAppender;
  readonly secrets: Secrets;
  readonly logger: Logger;
  /** Milliseconds between two measurings; undefined: each night. */
  readonly everyMs?: number | undefined;
  /** Milliseconds to the first; default 30 s. */
  readonly firstAfterMs?: number | undefined;
}

/** Starts measuring; each source on its own, so that one that is slow holds up no other. */
export function watchDrift(
  systems: readonly RunningSystem[],
  options: DriftWatchOptions,
): { close(): Promise<void> } {
  const watches = systems.flatMap((system) =>
    [...system.sources.values()].map((source) => watchSource(system, source, options)),
  );
  return {
    async close() {
      await Promise.all(watches.map((watch) => watch.close()));
    },
  };
}

function watchSource(system: RunningSystem, source: GuardedSource, options: DriftWatchOptions) {
  let running = Promise.resolve();
  let timer: NodeJS.Timeout;
  let isClosed = false;
  const plan = (waitMs: number) => {
    timer = setTimeout(() => {
      running = measure(system, source, options).finally(() => {
        if (!isClosed) plan(options.everyMs ?? msUntilNight(new Date(), source.plan.timezone, Math.random()));
      });
    }, waitMs);
    timer.unref();
  };
  plan(options.firstAfterMs ?? START_AFTER_MS);
  return {
    async close() {
      isClosed = true;
      clearTimeout(timer);
      await running;
    },
  };
}

async function measure(
  system: RunningSystem,
  source: GuardedSource,
  options: DriftWatchOptions,
): Promise<void> {
  const { logger } = options;
  try {
    const drift = await measureSource(system, source, options.secrets);
    const { isTold } = await saveDrift(options, drift);
    const { verdict, changes, reason } = drift;
    const about = { system: drift.system, source: drift.source, verdict, changes, reason };
    if (verdict === 'CHANGED') logger.warn(about, 'a system is no longer what its contract says');
    else if (verdict === 'UNKNOWN')
      logger.warn(about, 'whether a system still is what its contract says is not known');
    else if (isTold) logger.info(about, 'a system is what its contract says again');
  } catch (thrown) {
    logger.warn(
      { err: thrown, system: system.plan.name, source: source.plan.name },
      'what was found of a contract could not be stored',
    );
  }
}

/**
 * Until 03:00 in a zone, and up to half an hour more so that not all are asked at once. In the nights in which clocks are
 * changed it is an hour off.
 * @param random from 0 to 1
 */
export function msUntilNight(now: Date, timezone: string, random: number): number {
  const parts = new Intl.DateTimeFormat('en', {
    timeZone: timezone,
    hourCycle: 'h23',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  }).formatToParts(now);
  const of = (type: string) => Number(parts.find((part) => part.type === type)?.value ?? 0);
  const sinceMidnightMs = of('hour') * HOUR_MS + of('minute') * 60_000 + of('second') * 1_000;
  const untilMs = (NIGHT_HOUR * HOUR_MS - sinceMidnightMs + DAY_MS) % DAY_MS;
  // Just after 03:00 it is tomorrow's turn.
  return (untilMs === 0 ? DAY_MS : untilMs) + Math.floor(random * NIGHT_JITTER_MS);
}
