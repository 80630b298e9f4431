// The signature of a delivery (Standard Webhooks, symmetric): one for each secret, so that a receiver can change its own.
import { createHmac, type KeyObject } from 'node:crypto';

/** What is signed; `body` are the bytes that are sent. */
export interface Delivery {
  /** The same in every attempt. */
  readonly id: string;
  readonly body: string;
}

/**
 * The headers of one attempt: `webhook-id`, `webhook-timestamp` in seconds, `webhook-signature`.
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md#signature-scheme
 */
export function signatureHeaders(
  { id, body }: Delivery,
  secrets: readonly KeyObject[],
  nowMs: number,
): Readonly<Record<string, string>> {
  const timestamp = Math.floor(nowMs / 1_000);
  const signed = `${id}.${timestamp}.${body}`;
  const signatures = secrets.map(
    (secret) => `v1,${createHmac('sha256', secret).update(signed).digest('base64')}`,
  );
  return {
    'webhook-id': id,
    'webhook-timestamp': String(timestamp),
    'webhook-signature': signatures.join(' '),
  };
}
