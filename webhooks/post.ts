// One attempt to deliver: a signed POST that follows no redirect, waits no longer than it may, and reads no more than it must.
import { HubError } from '@weft/core/errors';
import { Agent, request } from 'undici';
import type { AddressGuard } from './address-guard.ts';
import { CONTENT_TYPE } from './envelope.ts';
import { WEBHOOK_LIMITS } from './limits.ts';
import { type Delivery, signatureHeaders } from './sign.ts';
import type { Webhook } from './webhooks-file.ts';

/** Accepted is any status from 200 to 299. */
export type Attempt =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'refused'; readonly failure: string; readonly retryAfterMs: number };

export interface Poster {
  /** Never rejects: what goes wrong is a refusal. */
  post(webhook: Webhook, delivery: Delivery, signal: AbortSignal): Promise<Attempt>;
  close(): Promise<void>;
}

const CONNECTIONS_MAX = 2;
const HEADERS_BYTES_MAX = 16_384;

export function createPoster(guard: AddressGuard): Poster {
  const options = { connections: CONNECTIONS_MAX, pipelining: 1, maxHeaderSize: HEADERS_BYTES_MAX };
  // Also for a connection that is kept: it is one to an address that was checked.
  const guarded = new Agent({ ...options, connect: { lookup: guard.lookup } });
  const free = new Agent(options);
  return {
    async post(webhook, delivery, signal) {
      try {
        return await attempt(webhook, delivery, guard.isAllowed(webhook.url) ? free : guarded, signal);
      } catch (thrown) {
        return { kind: 'refused', failure: describe(thrown), retryAfterMs: 0 };
      }
    },
    async close() {
      await Promise.all([guarded.destroy(), free.destroy()]);
    },
  };
}

async function attempt(
  { url, secrets, timeoutMs }: Webhook,
  delivery: Delivery,
  dispatcher: Agent,
  signal: AbortSignal,
): Promise<Attempt> {
  const { statusCode, headers, body } = await request(url, {
    method: 'POST',
    headers: {
      'content-type': CONTENT_TYPE,
      'user-agent': 'weft-webhooks',
      ...signatureHeaders(delivery, secrets, Date.now()),
    },
    body: delivery.body,
    dispatcher,
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
  });
  // What it says beside its status nobody reads; a body without an end is cut off.
  await body.dump({ limit: WEBHOOK_LIMITS.responseBytesMax }).catch(() => undefined);
  if (statusCode >= 200 && statusCode < 300) return { kind: 'accepted' };
  const retryAfter = Number(headers['retry-after']);
  return {
    kind: 'refused',
    failure: `it answered with status ${statusCode}`,
    retryAfterMs: Number.isFinite(retryAfter) ? Math.max(0, retryAfter * 1_000) : 0,
  };
}

function describe(thrown: unknown): string {
  const { code, message } = thrown as { readonly code?: string; readonly message?: string };
  if (thrown instanceof HubError) return message ?? thrown.code;
  return `it could not be asked: ${message || code || HubError.from(thrown).message}`;
}
