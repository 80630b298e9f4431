// Reloads the graph: builds a new generation beside the old, warms it, switches; a graph that cannot be served changes nothing.
import { OperatorError } from '@weft/core/errors';
import type { Logger } from '@weft/core/logger';
import type { GatewayConfig } from '../config.ts';
import type { EngineLimits } from '../limits.ts';
import { loadSupergraph } from '../load-supergraph.ts';
import type { Metrics } from '../observe/metrics.ts';
import { buildEngine } from './build-engine.ts';
import { createGenerations, type Generations } from './generations.ts';
import { RELOAD_LIMITS, type ReloadLimits } from './limits.ts';
import { createUsage } from './usage.ts';
import { watchFiles } from './watch-files.ts';

export interface ReloaderOptions {
  readonly config: GatewayConfig;
  readonly logger: Logger;
  readonly limits: Partial<EngineLimits>;
  readonly reloadLimits?: Partial<ReloadLimits>;
  /** Counts reloads, and what happens in the engines. */
  readonly metrics?: Metrics | undefined;
}

export type ReloadOutcome =
  /** `warmed`: operations that were planned before the switch. */
  | { readonly kind: 'switched'; readonly generation: string; readonly warmed: number }
  | { readonly kind: 'unchanged'; readonly generation: string }
  | { readonly kind: 'refused'; readonly reason: string };

export interface Reloader {
  readonly generations: Generations;
  /** The last reload, until another was tried. */
  readonly lastRefusal: { readonly at: Date; readonly reason: string } | undefined;
  /** Reads the files again. Reloads run one after the other; calls that come while one runs share the next. Never rejects. */
  reload(): Promise<ReloadOutcome>;
  /** Watches no more, and closes every generation: called when nothing runs on them. */
  close(): Promise<void>;
}

/**
 * Loads the graph, and again whenever its files change.
 * @throws OperatorError when the graph cannot be served now
 */
export async function openReloader(options: ReloaderOptions): Promise<Reloader> {
  const { config, logger } = options;
  const limits = { ...RELOAD_LIMITS, ...options.reloadLimits };
  const usage = createUsage(limits.usageWindowMs, limits.usageEntriesMax);
  const closing = new AbortController();
  // The files may change while the first graph is still being built.
  let onChange = () => {
    isLate = true;
  };
  let isLate = false;
  const watch = watchFiles({ limits, logger, onChange: () => onChange() });
  const load = () => loadSupergraph({ config, logger, limits, onFiles: watch.setFiles });
  let lastRefusal: Reloader['lastRefusal'];
  const openFirst = async () => {
    try {
      const first = await buildEngine(await load(), options);
      return createGenerations({
        first,
        usage,
        limits,
        onClosed: (old, cutOff) => logClosed(logger, old.id, cutOff),
      });
    } catch (thrown) {
      watch.close();
      throw thrown;
    }
  };
  const generations = await openFirst();
  const attempt = async (): Promise<ReloadOutcome> => {
    const loaded = await load();
    if (loaded.hash === generations.current.id) return { kind: 'unchanged', generation: loaded.hash };
    await generations.retired(limits.retiredGenerationsMax);
    const next = generations.create(await buildEngine(loaded, options));
    const signal = AbortSignal.any([closing.signal, AbortSignal.timeout(limits.warmTimeoutMs)]);
    const warmed = await next.warm(usage.top(limits.warmOperationsMax), signal);
    if (closing.signal.aborted) {
      await next.close();
      return { kind: 'refused', reason: 'the gateway is closing' };
    }
    await generations.switchTo(next);
    return { kind: 'switched', generation: next.id, warmed };
  };
  const reload = createTurns(async () => {
    const startedAt = performance.now();
    const outcome = await refusing(attempt, logger);
    lastRefusal = outcome.kind === 'refused' ? { at: new Date(), reason: outcome.reason } : undefined;
    options.metrics?.reloaded(outcome.kind);
    logOutcome(logger, outcome, performance.now() - startedAt);
    return outcome;
  });
  onChange = () => void reload();
  if (isLate) onChange();
  return {
    generations,
    get lastRefusal() {
      return lastRefusal;
    },
    reload,
    async close() {
      closing.abort();
      watch.close();
      await reload.settled();
      await generations.close();
    },
  };
}

async function refusing(attempt: () => Promise<ReloadOutcome>, logger: Logger): Promise<ReloadOutcome> {
  try {
    return await attempt();
  } catch (thrown) {
    const known = thrown instanceof OperatorError;
    if (!known) logger.error({ err: thrown }, 'a reload failed in the hub itself');
    return { kind: 'refused', reason: known ? thrown.message : 'internal error: see the log' };
  }
}

interface Turns<Value> {
  (): Promise<Value>;
  /** Resolves when no turn runs or waits. */
  settled(): Promise<void>;
}

/** One run at a time; whoever calls during a run gets the one after it, since the present one may have read too early. */
function createTurns<Value>(run: () => Promise<Value>): Turns<Value> {
  let running: Promise<Value> | undefined;
  let waiting: Promise<Value> | undefined;
  const begin = (): Promise<Value> => {
    waiting = undefined;
    const turn = run().finally(() => {
      if (running === turn) running = undefined;
    });
    running = turn;
    return turn;
  };
  const take = () => {
    if (running === undefined) return begin();
    waiting ??= running.then(begin);
    return waiting;
  };
  const settled = async () => {
    while (running !== undefined) await (waiting ?? running);
  };
  return Object.assign(take, { settled });
}

function logOutcome(logger: Logger, outcome: ReloadOutcome, durationMs: number): void {
  const took = { durationMs: Math.round(durationMs) };
  switch (outcome.kind) {
    case 'switched':
      logger.info({ ...outcome, ...took }, 'the graph was reloaded');
      return;
    case 'unchanged':
      logger.info({ ...outcome, ...took }, 'the graph was read again and is the same');
      return;
    case 'refused':
      logger.error(took, `the new graph is refused, the old one serves on: ${outcome.reason}`);
      return;
    default:
      outcome satisfies never;
  }
}

function logClosed(logger: Logger, generation: string, cutOff: boolean): void {
  if (cutOff) logger.warn({ generation }, 'an old generation was closed with operations in flight');
  else logger.debug({ generation }, 'an old generation was closed');
}
