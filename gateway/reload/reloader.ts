// Reloads the graph: builds a new generation beside the old, warms it, switches; a graph that cannot be served changes nothing.
import type { AddressGuard } from '@weft/core/address-guard';
import { OperatorError } from '@weft/core/errors';
import type { Logger } from '@weft/core/logger';
import type { GatewayConfig } from '../config.ts';
import type { EngineLimits } from '../limits.ts';
import type { LoadedSupergraph } from '../load-supergraph.ts';
import type { EngineMeter } from '../observe/meter.ts';
import type { Metrics } from '../observe/metrics.ts';
import { createPlannerSpares } from '../plan/planner-spares.ts';
import { type BuildOptions, buildEngine } from './build-engine.ts';
import type { BuiltEngine } from './generation.ts';
import { createGenerations, type Generations } from './generations.ts';
import type { GraphSource } from './graph-source.ts';
import { RELOAD_LIMITS, type ReloadLimits } from './limits.ts';
import { createUsage } from './usage.ts';

export interface ReloaderOptions {
  readonly config: GatewayConfig;
  readonly source: GraphSource;
  readonly logger: Logger;
  readonly limits: Partial<EngineLimits>;
  readonly reloadLimits?: Partial<ReloadLimits>;
  /** For the addresses of graphs that the registry gave. */
  readonly addressGuard?: AddressGuard | undefined;
  /** Counts reloads. */
  readonly metrics?: Pick<Metrics, 'reloaded'> | undefined;
  /** Told of what happens in the engines. */
  readonly meter?: EngineMeter | undefined;
  /** Whether what is prepared is noted for who counts use. */
  readonly notesUse?: boolean | undefined;
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
  /** Takes the graph of now from the source. Reloads run one after the other; calls that come while one runs share the next. Never rejects. */
  reload(): Promise<ReloadOutcome>;
  /** Closes the source, and every generation: called when nothing runs on them. */
  close(): Promise<void>;
}

/**
 * Loads the graph, and again whenever its source has another.
 * @throws OperatorError when there is none that can be served now
 */
export async function openReloader(options: ReloaderOptions): Promise<Reloader> {
  const { logger, source } = options;
  const limits = { ...RELOAD_LIMITS, ...options.reloadLimits };
  const usage = createUsage(limits.usageWindowMs, limits.usageEntriesMax);
  const closing = new AbortController();
  let lastRefusal: Reloader['lastRefusal'];
  const plannerSpares = createPlannerSpares();
  const buildOptions = { ...options, plannerSpares };
  const { first, loaded: firstLoaded } = await buildFirst(source, buildOptions);
  const generations = createGenerations({
    first,
    usage,
    notesUse: options.notesUse === true,
    limits,
    onClosed: (old, cutOff) => logClosed(logger, old.id, cutOff),
  });
  await source.concluded(firstLoaded, { kind: 'switched', generation: first.id, warmed: 0 });
  const serve = async (loaded: LoadedSupergraph | undefined): Promise<ReloadOutcome> => {
    const { id } = generations.current;
    if (loaded === undefined || loaded.hash === id) return { kind: 'unchanged', generation: id };
    await generations.retired(limits.retiredGenerationsMax);
    const next = generations.create(await buildEngine(loaded, buildOptions));
    const signal = AbortSignal.any([closing.signal, AbortSignal.timeout(limits.warmTimeoutMs)]);
    const warmed = await next.warm(usage.top(limits.warmOperationsMax, limits.warmUsesMin), signal);
    if (closing.signal.aborted) {
      await next.close();
      return { kind: 'refused', reason: 'the gateway is closing' };
    }
    await generations.switchTo(next);
    return { kind: 'switched', generation: next.id, warmed };
  };
  const attempt = async (): Promise<ReloadOutcome> => {
    let loaded: LoadedSupergraph | undefined;
    const outcome = await refusing(async () => {
      loaded = await source.load();
      return serve(loaded);
    }, logger);
    await source.concluded(loaded, outcome);
    return outcome;
  };
  const reload = createTurns(async () => {
    const startedAt = performance.now();
    const outcome = await attempt();
    lastRefusal = outcome.kind === 'refused' ? { at: new Date(), reason: outcome.reason } : undefined;
    options.metrics?.reloaded(outcome.kind);
    logOutcome(logger, outcome, performance.now() - startedAt);
    return outcome;
  });
  source.begin(reload);
  return {
    generations,
    get lastRefusal() {
      return lastRefusal;
    },
    reload,
    async close() {
      closing.abort();
      await source.close();
      await reload.settled();
      await generations.close();
      plannerSpares.close();
    },
  };
}

/** The first graph of the source that can be served; why the others cannot is in the log, or told together. */
async function buildFirst(
  source: GraphSource,
  options: ReloaderOptions & Pick<BuildOptions, 'plannerSpares'>,
): Promise<{ readonly first: BuiltEngine; readonly loaded: LoadedSupergraph }> {
  const failures: OperatorError[] = [];
  try {
    for (const { place, load } of source.firsts) {
      try {
        const loaded = await load();
        if (loaded !== undefined) return { first: await buildEngine(loaded, options), loaded };
      } catch (thrown) {
        if (!(thrown instanceof OperatorError)) throw thrown;
        failures.push(thrown);
        if (source.firsts.length > 1)
          options.logger.warn({ place, reason: thrown.message }, 'the first graph is not that of this place');
      }
    }
  } catch (thrown) {
    await source.close();
    throw thrown;
  }
  await source.close();
  throw noFirst(failures);
}

function noFirst(failures: readonly OperatorError[]): OperatorError {
  const [only, ...others] = failures;
  if (only !== undefined && others.length === 0) return only;
  return new OperatorError(
    `there is no graph to serve: ${failures.map(({ message }) => message).join('; ')}`,
  );
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
