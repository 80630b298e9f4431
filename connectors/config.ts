// The settings of the connector host.
import { logLevel, port, readConfig } from '@weft/core/config';
import { z } from 'zod';
import { parseDurationMs } from './compile/duration.ts';
import { environmentNames, findSystemFolders, SUBGRAPHS_FOLDER } from './system-folders.ts';

const REPLICAS = 'expected a whole number from 1 to 64';
const replicas = z.coerce
  .number({ error: REPLICAS })
  .int(REPLICAS)
  .min(1, REPLICAS)
  .max(64, REPLICAS)
  .default(2);

const SHAPE = {
  DATABASE_URL: z.string({ error: 'expected postgresql://user:password@host:port/database' }).min(1),
  WEFT_HOST: z.string().default('127.0.0.1'),
  WEFT_CONNECTORS_PORT: port.default(0),
  WEFT_INGEST_PORT: port.default(0),
  WEFT_SECRETS_DIR: z.string().optional(),
  /** `{ "subgraphKeys": [{ "id", "secret" }] }`: only who signs with one of them is answered. */
  WEFT_KEYS_FILE: z.string().optional(),
  /** By which all connector hosts share budgets and fresh answers. */
  WEFT_GUARD_REDIS_URL: z
    .string()
    .regex(/^rediss?:\/\/[^/?#]+/, 'expected redis://user:password@host:port/database')
    .optional(),
  /** Connector hosts at the most: what one may take while Redis is away. */
  WEFT_GUARD_REPLICAS: replicas,
  /** A duration such as `6h`, from 1 minute to 7 days; each night when it is not set. */
  WEFT_DRIFT_EVERY: z
    .string()
    .transform((text, context) => {
      const ms = parseDurationMs(text);
      if (ms !== undefined && ms >= 60_000 && ms <= 604_800_000) return ms;
      context.addIssue({ code: 'custom', message: 'expected 1m to 7d' });
      return z.NEVER;
    })
    .optional(),
  /** `system=variant`, with commas between: which folder describes a system that has several. */
  WEFT_SYSTEM_VARIANTS: z.string().optional(),
  WEFT_LOG_LEVEL: logLevel,
};

export type ConnectorsConfig = Readonly<z.infer<z.ZodObject<typeof SHAPE>>> & {
  /** What mappings see as `$env`: addresses of sources; secrets have a store of their own. */
  readonly env: Readonly<Record<string, string | undefined>>;
};

/**
 * Reads the environment; addresses of sources (`WEFT_HOTLINE_URL` and the like) are checked when the source is opened.
 * @throws OperatorError naming every wrong setting
 */
export function readConnectorsConfig(
  env: Readonly<Record<string, string | undefined>> = process.env,
): ConnectorsConfig {
  const addressNames = findSystemFolders(SUBGRAPHS_FOLDER).flatMap(environmentNames);
  const visible = Object.entries(env).filter(
    ([name]) => !name.startsWith('SECRET_') && name !== 'DATABASE_URL' && name !== 'WEFT_GUARD_REDIS_URL',
  );
  return Object.freeze({
    ...readConfig(SHAPE, env, addressNames),
    env: Object.freeze(Object.fromEntries(visible)),
  });
}

/** The environment as the secret store reads it. */
export function secretEnvironment(): Readonly<Record<string, string | undefined>> {
  return process.env;
}
