// The settings of the process that delivers webhooks.
import { logLevel, readConfig } from '@weft/core/config';
import { z } from 'zod';

const SHAPE = {
  DATABASE_URL: z.string({ error: 'expected postgresql://user:password@host:port/database' }).min(1),
  /** `{ "webhooks": [{ "name", "url", "subscription", "secrets", … }] }`: docs/webhooks.md. */
  WEFT_WEBHOOKS_FILE: z.string({ error: 'expected the path of a JSON file' }).min(1),
  /** The gateway's WebSocket. */
  WEFT_WEBHOOKS_GATEWAY_URL: z
    .url({ protocol: /^wss?$/, error: 'expected a ws or wss URL' })
    .default('ws://127.0.0.1:4000/graphql'),
  /** `host` or `host:port`, with commas between them. */
  WEFT_WEBHOOKS_ALLOWED_HOSTS: z.string().optional(),
  WEFT_SECRETS_DIR: z.string().optional(),
  WEFT_LOG_LEVEL: logLevel,
};

export interface WebhooksConfig {
  readonly databaseUrl: string;
  readonly webhooksFile: string;
  readonly gatewayUrl: string;
  readonly allowedHosts: ReadonlySet<string>;
  readonly secretsDirectory: string | undefined;
  readonly logLevel: string;
}

/** @throws OperatorError naming every wrong setting */
export function readWebhooksConfig(env: Readonly<Record<string, string | undefined>>): WebhooksConfig {
  const settings = readConfig(SHAPE, env);
  const hosts = settings.WEFT_WEBHOOKS_ALLOWED_HOSTS?.split(',').map((host) => host.trim().toLowerCase());
  return Object.freeze({
    databaseUrl: settings.DATABASE_URL,
    webhooksFile: settings.WEFT_WEBHOOKS_FILE,
    gatewayUrl: settings.WEFT_WEBHOOKS_GATEWAY_URL,
    allowedHosts: new Set(hosts?.filter((host) => host !== '')),
    secretsDirectory: settings.WEFT_SECRETS_DIR,
    logLevel: settings.WEFT_LOG_LEVEL,
  });
}
