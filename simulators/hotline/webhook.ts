// One signed webhook request of the hotline.
import { createHmac } from 'node:crypto';
import { type Agent, request } from 'node:http';

export interface WebhookTarget {
  readonly url: string;
  readonly secret: string;
  readonly agent: Agent;
}

const ATTEMPT_MS_MAX = 10_000;

/**
 * Sends the body once; resolves with the HTTP status, or with 0 when no answer came. Signed with the time of this
 * attempt: hex HMAC-SHA256 of `timestamp.body`.
 */
export function sendWebhook(
  target: WebhookTarget,
  eventId: string,
  body: string,
  signal: AbortSignal,
): Promise<number> {
  const timestamp = String(Math.floor(Date.now() / 1000));
  const headers = {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    'x-event-id': eventId,
    'x-timestamp': timestamp,
    'x-signature': createHmac('sha256', target.secret).update(`${timestamp}.${body}`).digest('hex'),
  };
  return new Promise((resolve) => {
    const sent = request(target.url, {
      method: 'POST',
      headers,
      agent: target.agent,
      signal,
      timeout: ATTEMPT_MS_MAX,
    });
    sent.on('response', (response) => {
      // The status counts only when the answer is complete; the body itself is of no use.
      response.on('end', () => resolve(response.statusCode ?? 0));
      response.on('error', () => resolve(0));
      response.on('close', () => resolve(0));
      response.resume();
    });
    sent.on('timeout', () => sent.destroy());
    sent.on('error', () => resolve(0));
    sent.on('close', () => resolve(0));
    sent.end(body);
  });
}
