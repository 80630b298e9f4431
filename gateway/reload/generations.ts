// The generation of now and those that end: what transports and live subscriptions hold instead of an engine.
import { HubError, invariant } from '@weft/core/errors';
import { GraphQLError } from 'graphql';
import type { Engine, Preparation, PreparedOperation } from '../engine.ts';
import type { Principal } from '../identity/principal.ts';
import { noteUsed } from '../observe/used-operation.ts';
import type { Renewals, Renewed } from '../subscribe/renewals.ts';
import { type BuiltEngine, createGeneration, type Generation } from './generation.ts';
import type { ReloadLimits } from './limits.ts';
import type { OperationText, Usage } from './usage.ts';

export interface Generations extends Renewals {
  readonly current: Generation;
  /** Runs an event of a subscription on the engine that prepared it. */
  readonly executeEvent: Engine['executeEvent'];
  /** The same of what a subgraph brings that serves a subscription itself. */
  readonly executeResult: NonNullable<Engine['executeResult']>;
  /** A generation beside the others; it serves from `switchTo` on. */
  create(built: BuiltEngine): Generation;
  /**
   * New operations begin on `next` at once; the old one is closed when nothing runs on it. Resolves when the live
   * subscriptions were planned anew.
   */
  switchTo(next: Generation): Promise<void>;
  /** Resolves when fewer than `retiredMax` old generations are open, each of which ends in bounded time. */
  retired(retiredMax: number): Promise<void>;
  /** Old generations that are still open. */
  readonly retiredCount: number;
  /** Closes all; called when nothing uses them any more. */
  close(): Promise<void>;
}

export interface GenerationsOptions {
  readonly first: BuiltEngine;
  readonly usage: Usage;
  /** Whether what is prepared is noted for who counts use. */
  readonly notesUse: boolean;
  readonly limits: ReloadLimits;
  /** Told of an old generation that is closed. */
  onClosed(generation: Generation, cutOff: boolean): void;
}

/** Where an operation was prepared, and of what. */
interface Origin extends Pick<OperationText, 'query' | 'operationName'> {
  readonly generation: Generation;
}

interface Watch {
  origin: Origin;
  /** Who subscribed: others may have been prepared the same operation on one graph, and not on the next. */
  readonly principal: Principal;
  release: () => void;
  stopped: boolean;
  readonly onRenewed: (renewed: Renewed) => void;
}

export function createGenerations(options: GenerationsOptions): Generations {
  const { usage, limits } = options;
  const origins = new WeakMap<PreparedOperation, Origin>();
  const watches = new Set<Watch>();
  const retiring = new Set<Generation>();
  const ending = new Set<Promise<void>>();
  const create = (built: BuiltEngine): Generation => {
    const generation = createGeneration({
      built,
      limits,
      onPrepared(prepared, text) {
        usage.count(prepared, text);
        if (options.notesUse) noteUsed(prepared, text, built.engine.schema);
        if (prepared.kind !== 'subscription' || origins.has(prepared)) return;
        origins.set(prepared, { generation, ...text });
      },
    });
    return generation;
  };
  let current = create(options.first);
  const originOf = (operation: PreparedOperation): Origin => {
    const origin = origins.get(operation);
    invariant(origin !== undefined, 'a subscription runs that no generation prepared');
    return origin;
  };
  const retire = (generation: Generation) => {
    retiring.add(generation);
    const ended = generation.retire().then(({ cutOff }) => {
      retiring.delete(generation);
      ending.delete(ended);
      options.onClosed(generation, cutOff);
    });
    ending.add(ended);
  };
  return {
    get current() {
      return current;
    },
    ...executionOn((operation) => originOf(operation).generation.engine),
    create,
    switchTo(next) {
      const old = current;
      current = next;
      retire(old);
      return renewAll([...watches], () => current, limits.renewalsPerTurnMax);
    },
    watch(operation, principal, onRenewed) {
      const origin = originOf(operation);
      const release = origin.generation.hold();
      const watch: Watch = { origin, principal, release, stopped: false, onRenewed };
      watches.add(watch);
      if (origin.generation !== current) void renewAll([watch], () => current, 1);
      return () => {
        watch.stopped = true;
        watches.delete(watch);
        watch.release();
      };
    },
    async retired(retiredMax) {
      while (ending.size >= retiredMax && ending.size > 0) await Promise.race(ending);
    },
    get retiredCount() {
      return ending.size;
    },
    async close() {
      for (const generation of retiring) void generation.close();
      await Promise.all([...ending, current.close()]);
    },
  };
}

/** Runs what a subscription brings on the engine that prepared it. */
function executionOn(
  engineOf: (operation: PreparedOperation) => Engine,
): Pick<Generations, 'executeEvent' | 'executeResult'> {
  return {
    executeEvent: (operation, ...given) => engineOf(operation).executeEvent(operation, ...given),
    async executeResult(operation, ...given) {
      const { executeResult } = engineOf(operation);
      invariant(executeResult !== undefined, 'the engine executes results of subgraphs');
      return executeResult(operation, ...given);
    },
  };
}

async function renewAll(
  watches: readonly Watch[],
  current: () => Generation,
  perTurnMax: number,
): Promise<void> {
  const target = current();
  for (const [index, watch] of watches.entries()) {
    if (index % perTurnMax === perTurnMax - 1) await new Promise((resolve) => setImmediate(resolve));
    // A later switch renews the rest.
    if (target !== current()) return;
    await renew(watch, target, current);
  }
}

async function renew(watch: Watch, target: Generation, current: () => Generation): Promise<void> {
  const { query, operationName } = watch.origin;
  if (watch.stopped || watch.origin.generation === target) return;
  const release = target.hold();
  const prepared = await prepareAgain(target.engine, query, operationName, watch.principal);
  if (watch.stopped || target !== current()) return release();
  if ('errors' in prepared) {
    release();
    // Its old generation stays open for what was queued before: until it is stopped, or that one's time is up.
    watch.stopped = true;
    watch.onRenewed({ errors: prepared.errors });
    return;
  }
  const releaseOld = watch.release;
  watch.origin = { generation: target, query, operationName };
  watch.release = release;
  watch.onRenewed({ operation: prepared });
  releaseOld();
}

async function prepareAgain(
  engine: Engine,
  query: string,
  operationName: string | undefined,
  principal: Principal,
): Promise<Preparation> {
  try {
    return await engine.prepare(query, operationName, principal);
  } catch (thrown) {
    const error = HubError.from(thrown);
    return { errors: [new GraphQLError(error.message, { extensions: error.toExtensions() })] };
  }
}
