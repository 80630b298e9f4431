// Whether this gateway should be sent requests, and what of it does not work.
import type { EventLog } from '@weft/events/event-log';
import type { Readiness } from './http/health.ts';
import type { GraphSource } from './reload/graph-source.ts';
import type { Reloader } from './reload/reloader.ts';

/** Set once: a gateway that ends does not come back. */
export interface Draining {
  isDraining: boolean;
}

export interface ReadinessSources {
  readonly reloader: Reloader;
  readonly source: Pick<GraphSource, 'staleness' | 'publication'>;
  readonly log: EventLog | undefined;
  readonly draining: Draining;
}

const LOG_PROBE_TIMEOUT_MS = 1_000;

/** In bounded time. */
export async function readReadiness({
  reloader,
  source,
  log,
  draining,
}: ReadinessSources): Promise<Readiness> {
  const { generations, lastRefusal } = reloader;
  const { id, loadedAt, engine } = generations.current;
  const withoutLog = await whyNoSubscriptions(log);
  const stale = source.staleness();
  const blocking = [
    ...(draining.isDraining ? ['draining: the gateway is about to end'] : []),
    ...(engine.canPlan?.() === false ? ['planning: the planner does not run'] : []),
  ];
  // Neither keeps queries and mutations from being answered: the gateway stays in rotation and says what is missing.
  const missing = [
    ...(withoutLog === undefined ? [] : [withoutLog]),
    ...(stale === undefined ? [] : [stale]),
    ...(lastRefusal === undefined ? [] : ['graph: the last reload was refused']),
  ];
  return {
    ready: blocking.length === 0,
    reasons: [...blocking, ...missing],
    generation: { id, loadedAt, publication: source.publication },
    refusedReload: lastRefusal,
  };
}

async function whyNoSubscriptions(log: EventLog | undefined): Promise<string | undefined> {
  if (log === undefined) return 'subscriptions: DATABASE_URL is not set';
  const timeout = AbortSignal.timeout(LOG_PROBE_TIMEOUT_MS);
  const timedOut = new Promise<never>((_resolve, reject) => {
    timeout.addEventListener('abort', () => reject(timeout.reason), { once: true });
  });
  try {
    await Promise.race([log.head('incident', timeout), timedOut]);
    return undefined;
  } catch {
    // The reader logs the cause; a prober learns only which part is missing.
    return 'subscriptions: the event log does not answer';
  }
}
