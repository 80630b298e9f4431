// Starts the delivery of all webhooks of a file.
import type { Logger } from '@weft/core/logger';
import type { Started } from '@weft/core/process';
import type { AddressGuard } from './address-guard.ts';
import { createPoster } from './post.ts';
import { runWebhook } from './run-webhook.ts';
import type { Webhook } from './webhooks-file.ts';

export interface WebhooksOptions {
  readonly webhooks: readonly Webhook[];
  readonly databaseUrl: string;
  readonly gatewayUrl: string;
  readonly guard: AddressGuard;
  readonly logger: Logger;
}

/** Beyond the longest attempt. */
const STOP_MS_MARGIN = 5_000;

/** Waits neither for the gateway nor for the database: each webhook begins when both are there. */
export function startWebhooks(options: WebhooksOptions): Started {
  const poster = createPoster(options.guard);
  const stopping = new AbortController();
  const running = options.webhooks.map((webhook) =>
    runWebhook({ ...options, poster }, webhook, stopping.signal),
  );
  return {
    urls: {},
    stopMsMax: Math.max(...options.webhooks.map(({ timeoutMs }) => timeoutMs)) + STOP_MS_MARGIN,
    async close() {
      stopping.abort();
      await Promise.all(running);
      await poster.close();
    },
  };
}
