// Starts the relay with the engine of the settings.
import type { Logger } from '@weft/core/logger';
import type { Started } from '@weft/core/process';
import { openLiveEngine } from './open.ts';
import { openPool } from './postgres/pool.ts';
import { startRelay } from './relay/relay.ts';
import type { RetentionOf } from './relay/retention.ts';

export interface EventsOptions {
  readonly databaseUrl: string;
  readonly eventLog: string;
  readonly retentionOf: RetentionOf;
  readonly logger: Logger;
}

/**
 * Neither PostgreSQL nor the engine need answer yet.
 * @throws OperatorError when the engine answers and is set up in a way that loses events
 */
export async function startEvents({
  databaseUrl,
  eventLog,
  retentionOf,
  logger,
}: EventsOptions): Promise<Started> {
  if (eventLog === 'postgres') {
    const relay = startRelay({ databaseUrl, retentionOf, logger });
    return { urls: {}, close: relay.close };
  }
  const pool = openPool(databaseUrl, logger, 'weft events relay');
  const engine = await openLiveEngine(eventLog, pool, logger);
  const closeEngine = async () => {
    await engine.close();
    await pool.end();
  };
  try {
    await engine.check();
  } catch (thrown) {
    await closeEngine();
    throw thrown;
  }
  const relay = startRelay({ databaseUrl, engine, retentionOf, logger });
  return {
    urls: {},
    async close() {
      await relay.close();
      await closeEngine();
    },
  };
}
