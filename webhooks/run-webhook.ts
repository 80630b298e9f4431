// The life of one webhook: waits for its lease, delivers result after result in order, keeps how far it came.
import { delay } from '@weft/core/deadline';
import { HubError } from '@weft/core/errors';
import type { Logger } from '@weft/core/logger';
import { deliver } from './deliver.ts';
import { toDelivery } from './envelope.ts';
import { WEBHOOK_LIMITS } from './limits.ts';
import { type LiveResult, openLiveResults } from './live-results.ts';
import type { Poster } from './post.ts';
import { type Lease, takeLease } from './store.ts';
import type { Webhook } from './webhooks-file.ts';

export interface WebhookContext {
  readonly databaseUrl: string;
  readonly gatewayUrl: string;
  readonly poster: Poster;
  readonly logger: Logger;
}

/** Runs until the signal aborts: an attempt that is under way then ends first. Never rejects. */
export async function runWebhook(
  context: WebhookContext,
  webhook: Webhook,
  stopping: AbortSignal,
): Promise<void> {
  const logger = context.logger.child({ webhook: webhook.name });
  while (!stopping.aborted) {
    try {
      const lease = await takeLease(context.databaseUrl, webhook.name, logger);
      if (lease !== undefined) await deliverUnder(lease, { ...context, logger }, webhook, stopping);
    } catch (thrown) {
      if (stopping.aborted) return;
      logger.warn({ err: thrown }, 'a webhook is not delivered; it is tried again');
    }
    // An abort ends the pause with a rejection, and the loop with it.
    await delay(WEBHOOK_LIMITS.leasePollMs, stopping).catch(() => undefined);
  }
}

async function deliverUnder(
  lease: Lease,
  context: WebhookContext,
  webhook: Webhook,
  stopping: AbortSignal,
): Promise<void> {
  const { logger } = context;
  const ended = AbortSignal.any([lease.lost, stopping]);
  let results: ReturnType<typeof openLiveResults> | undefined;
  try {
    const after = await lease.readPosition();
    logger.info({ isResuming: after !== undefined }, 'a webhook is delivered by this process');
    results = openLiveResults({
      gatewayUrl: context.gatewayUrl,
      apiKey: webhook.apiKey,
      subscription: webhook.subscription,
      after,
      logger,
      onLost(reason) {
        logger.warn({ reason }, 'the subscription of a webhook has ended; it is begun again');
        // Who lost the lease writes nothing, and the loop has noticed it by itself.
        lease.saveFailure(reason).catch(() => undefined);
      },
    });
    while (!ended.aborted) {
      await redrive(lease, context, webhook, ended);
      const result = await results.take(WEBHOOK_LIMITS.redrivePollMs, ended);
      if (result !== undefined) await settle(lease, context, webhook, result, stopping);
    }
  } finally {
    await results?.close();
    await lease.release();
  }
}

/** Delivers a result, or puts it aside; while there is no room for that, it is tried on. */
async function settle(
  lease: Lease,
  { poster, logger }: WebhookContext,
  webhook: Webhook,
  result: LiveResult,
  stopping: AbortSignal,
): Promise<void> {
  const delivery = toDelivery(webhook, result);
  const signals = { lost: lease.lost, stopping };
  for (;;) {
    const outcome = await deliver(poster, webhook, delivery, signals, async (failure, attempt) => {
      logger.info({ id: delivery.id, attempt, failure }, 'a delivery failed');
      await lease.saveFailure(failure);
    });
    if (outcome.kind === 'accepted') return lease.saveDelivered(result.cursor);
    const { attempts, failure } = outcome;
    if (await lease.bury(delivery, result.cursor, attempts, failure)) {
      logger.error({ id: delivery.id, attempts, failure }, 'a delivery is a dead letter');
      return;
    }
    const limit = WEBHOOK_LIMITS.deadLettersMax;
    logger.error({ limit }, 'a webhook has too many dead letters: it stands still until some are gone');
    await delay(webhook.retryDelayMsMax, AbortSignal.any([lease.lost, stopping]));
  }
}

/** Sends once what somebody wants sent again. */
async function redrive(
  lease: Lease,
  { poster, logger }: WebhookContext,
  webhook: Webhook,
  ended: AbortSignal,
): Promise<void> {
  for (const letter of await lease.readRedrives()) {
    if (ended.aborted) throw HubError.from(ended.reason);
    const tried = await poster.post(webhook, letter, lease.lost);
    logger.info({ id: letter.id, outcome: tried.kind }, 'a dead letter was sent again');
    if (tried.kind === 'accepted') await lease.resurrect(letter.id);
    else await lease.failAgain(letter.id, tried.failure);
  }
}
