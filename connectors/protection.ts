// What protects all sources of a host together: the budgets and the fresh answers that replicas share.
import type { Logger } from '@weft/core/logger';
import { createFreshAnswers, type FreshAnswers } from './freshness/fresh-answers.ts';
import { createMemoryStore } from './freshness/memory-store.ts';
import { openRedisStore } from './freshness/redis-store.ts';
import { openReplica, type Replica } from './guard/replica.ts';

export interface Protection {
  /** Undefined: this process has the budgets for itself. */
  readonly replica: Replica | undefined;
  readonly answers: FreshAnswers;
  close(): Promise<void>;
}

export interface ProtectionOptions {
  /** `redis[s]://[[user]:password@]host[:port][/database]`; undefined: nothing is shared. */
  readonly redisUrl?: string | undefined;
  /** Connector hosts at the most: what one may take while Redis is away. */
  readonly replicasMax: number;
  readonly logger: Logger;
}

/** Connects in the background: a Redis that is away keeps nobody from starting. */
export function openProtection({ redisUrl, replicasMax, logger }: ProtectionOptions): Protection {
  if (redisUrl === undefined) return ownProtection();
  const replica = openReplica({ url: redisUrl, replicasMax, logger });
  const store = openRedisStore(redisUrl, logger);
  return {
    replica,
    answers: createFreshAnswers(store),
    async close() {
      await replica.close();
      await store.close();
    },
  };
}

/** For one process alone. */
export function ownProtection(): Protection {
  const store = createMemoryStore();
  return { replica: undefined, answers: createFreshAnswers(store), close: () => store.close() };
}
