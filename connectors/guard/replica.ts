// This process among the replicas that share budgets through Redis: whether it shares now, and what is its part when it does not.
import { randomUUID } from 'node:crypto';
import type { Logger } from '@weft/core/logger';
import type { Share } from './gate.ts';
import { FORGET_MS, HEARTBEAT_MS, LOST_AFTER_MS, NEW_REDIS_MS } from './limits.ts';
import { openScripts, type Scripts } from './redis.ts';
import { ANNOUNCE, GOODBYE } from './scripts.ts';

/**
 * `shared`: every call asks Redis. `local`: Redis is away, and this process keeps to its share. `joining`: calls that are
 * out are being told to Redis, and none goes out.
 */
export type ReplicaMode = 'shared' | 'joining' | 'local';

export interface Replica {
  mode(): ReplicaMode;
  /** What is this process's without Redis. */
  share(): Share;
  /** When the others began to take this process for one that does not share, at the earliest, by `performance.now()`. */
  aloneSinceMs(): number;
  readonly run: Scripts['run'];
  /** `adopt` tells Redis of calls that are out, before this process shares again; `restrict` is called when it no longer does. */
  watch(gate: { adopt(): Promise<void>; restrict(share: Share): void }): void;
  close(): Promise<void>;
}

export interface ReplicaOptions {
  readonly url: string;
  /** Connector hosts that there are at the most, as far as the operator says. */
  readonly replicasMax: number;
  readonly logger: Logger;
}

/** One hash tag for all: in a Redis Cluster a script's keys are in one slot. */
export const KEY_PREFIX = '{weft:guard}:';
const REPLICAS = `${KEY_PREFIX}replicas`;
const SHARING = `${KEY_PREFIX}sharing`;

/** Connects in the background; nothing waits for that. */
export function openReplica({ url, replicasMax, logger }: ReplicaOptions): Replica {
  const id = randomUUID();
  const scripts = openScripts(url, `weft-guard-${id}`, logger);
  const { run } = scripts;
  const gates: Parameters<Replica['watch']>[0][] = [];
  let mode: ReplicaMode = 'local';
  let share: Share = { replicas: replicasMax, rank: undefined };
  let heardAtMs = performance.now();
  let aloneSinceMs = heardAtMs;
  const announce = async (as: 'shared' | 'local') => {
    const keys = [REPLICAS, SHARING, `${KEY_PREFIX}started:${scripts.runId()}`];
    const [count, rank, ageMs] = (await run(ANNOUNCE, keys, [id, as, FORGET_MS])) as readonly number[];
    heardAtMs = performance.now();
    share = { replicas: Math.max(Number(count), replicasMax), rank: Number(rank) };
    return Number(ageMs);
  };
  const join = async () => {
    mode = 'joining';
    try {
      for (const gate of gates) await gate.adopt();
      await announce('shared');
      mode = 'shared';
      logger.info({ replicas: share.replicas }, 'the budgets of sources are shared through Redis');
    } catch (thrown) {
      // The others may have heard that this process shares, though it was not told so.
      mode = 'local';
      aloneSinceMs = performance.now();
      throw thrown;
    }
  };
  const lose = () => {
    mode = 'local';
    aloneSinceMs = heardAtMs;
    for (const gate of gates) gate.restrict(share);
    logger.warn({ share }, 'Redis is away: sources are asked within the share of this process');
  };
  const beat = async () => {
    try {
      const ageMs = await announce(mode === 'shared' ? 'shared' : 'local');
      if (mode === 'local' && ageMs >= NEW_REDIS_MS) await join();
    } catch {
      // The connection says in the log what is wrong with it.
      if (mode === 'shared' && performance.now() - heardAtMs > LOST_AFTER_MS) lose();
    }
  };
  const stop = everyBeat(beat);
  return {
    mode: () => mode,
    share: () => share,
    aloneSinceMs: () => aloneSinceMs,
    run,
    watch(gate) {
      gates.push(gate);
      gate.restrict(share);
    },
    async close() {
      await stop();
      // Who cannot say goodbye is forgotten after a while.
      await run(GOODBYE, [REPLICAS, SHARING], [id]).catch(() => undefined);
      await scripts.close();
    },
  };
}

/** One at a time; the returned function waits for the last. */
function everyBeat(beat: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  const tick = () => {
    running ??= beat().finally(() => (running = undefined));
  };
  const timer = setInterval(tick, HEARTBEAT_MS);
  timer.unref();
  tick();
  return async () => {
    clearInterval(timer);
    await running;
  };
}
