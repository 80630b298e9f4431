// Attempts at one delivery, further and further apart, until it is accepted or has had all that it may.
import { delay } from '@weft/core/deadline';
import { WEBHOOK_LIMITS } from './limits.ts';
import type { Poster } from './post.ts';
import type { Delivery } from './sign.ts';
import type { Webhook } from './webhooks-file.ts';

export type Outcome =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'exhausted'; readonly attempts: number; readonly failure: string };

/** @param onFailure called after each attempt that failed. Rejects with the signal's reason when it aborts between attempts */
export async function deliver(
  poster: Poster,
  webhook: Webhook,
  delivery: Delivery,
  signals: {
    /** Cuts an attempt off. */ readonly lost: AbortSignal /** Lets one end. */;
    readonly stopping: AbortSignal;
  },
  onFailure: (failure: string, attempt: number) => Promise<void>,
): Promise<Outcome> {
  for (let attempt = 1; ; attempt++) {
    const tried = await poster.post(webhook, delivery, signals.lost);
    if (tried.kind === 'accepted') return tried;
    signals.lost.throwIfAborted();
    await onFailure(tried.failure, attempt);
    if (attempt >= webhook.attemptsMax)
      return { kind: 'exhausted', attempts: attempt, failure: tried.failure };
    const pauseMs = retryDelayMs(webhook, attempt, tried.retryAfterMs, Math.random());
    await delay(pauseMs, AbortSignal.any([signals.lost, signals.stopping]));
  }
}

/**
 * Doubled after each attempt up to the longest, then anything from half of it to all, so that those who failed together do
 * not come back together; longer where the receiver asks for it, up to the longest.
 * @param random 0 to 1
 */
export function retryDelayMs(
  { retryDelayMsMin, retryDelayMsMax }: Pick<Webhook, 'retryDelayMsMin' | 'retryDelayMsMax'>,
  attempt: number,
  retryAfterMs: number,
  random: number,
): number {
  const full = Math.min(retryDelayMsMin * 2 ** (attempt - 1), retryDelayMsMax);
  return Math.min(Math.max(full * (0.5 + random / 2), retryAfterMs), WEBHOOK_LIMITS.retryDelayMsMax);
}
