// Opens the event log on the engine that the settings name; a client library is loaded when its engine is.
import type { Logger } from '@weft/core/logger';
import type { EventLog } from './event-log.ts';
import type { LiveEngine } from './live-engine.ts';
import { openPostgresLog } from './postgres/log.ts';
import { readLogId } from './postgres/outbox.ts';
import { openPool, type StorePool } from './postgres/pool.ts';
import { openRelayedLog } from './relayed-log.ts';

export interface EventLogOptions {
  /** `EVENT_LOG`: see `EVENT_LOG_SHAPE`. */
  readonly eventLog: string;
  /** Where events are appended, whatever the engine. */
  readonly databaseUrl: string;
  readonly logger: Logger;
}

/**
 * Neither PostgreSQL nor the engine need answer yet: readers wait.
 * @throws OperatorError when the engine answers and is set up in a way that loses events
 */
export async function openEventLog({ eventLog, databaseUrl, logger }: EventLogOptions): Promise<EventLog> {
  if (eventLog === 'postgres') return openPostgresLog({ databaseUrl, logger });
  const pool = openPool(databaseUrl, logger);
  const engine = await openLiveEngine(eventLog, pool, logger);
  const log = openRelayedLog({ engine, pool, logger });
  try {
    if (!(await engine.check()))
      logger.warn(`${engine.name} cannot be reached: the log is read from the outbox`);
    return log;
  } catch (thrown) {
    await log.close();
    throw thrown;
  }
}

/** @param eventLog the URL of the engine's server */
export async function openLiveEngine(eventLog: string, pool: StorePool, logger: Logger): Promise<LiveEngine> {
  const options = { url: eventLog, logId: rememberedLogId(pool), logger };
  if (/^rediss?:/.test(eventLog)) return (await import('./redis/engine.ts')).openRedisEngine(options);
  return (await import('./jetstream/engine.ts')).openJetStreamEngine(options);
}

/** Asked for until it is known, and never again. */
function rememberedLogId(pool: StorePool): () => Promise<string> {
  let known: string | undefined;
  return async () => {
    known ??= await readLogId(pool);
    return known;
  };
}
