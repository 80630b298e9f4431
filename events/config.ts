// The settings of the process that relays and trims events.
import { logLevel, readConfig } from '@weft/core/config';
import { z } from 'zod';
import { parseRetention, RETENTION_DEFAULT, type RetentionOf } from './relay/retention.ts';
import { EVENT_LOG_SHAPE } from './setting.ts';

const SHAPE = {
  DATABASE_URL: z.string({ error: 'expected postgresql://user:password@host:port/database' }).min(1),
  EVENT_LOG: EVENT_LOG_SHAPE,
  WEFT_EVENT_RETENTION: z.string().default(RETENTION_DEFAULT),
  WEFT_LOG_LEVEL: logLevel,
};

export interface EventsConfig {
  readonly databaseUrl: string;
  readonly eventLog: string;
  readonly retentionOf: RetentionOf;
  readonly logLevel: string;
}

/** @throws OperatorError naming what is wrong */
export function readEventsConfig(env: Readonly<Record<string, string | undefined>>): EventsConfig {
  const config = readConfig(SHAPE, env);
  return Object.freeze({
    databaseUrl: config.DATABASE_URL,
    eventLog: config.EVENT_LOG,
    retentionOf: parseRetention(config.WEFT_EVENT_RETENTION),
    logLevel: config.WEFT_LOG_LEVEL,
  });
}
