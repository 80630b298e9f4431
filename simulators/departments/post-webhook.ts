// One webhook request of a department, on a connection of its own.
import { request } from 'node:http';

const ATTEMPT_MS_MAX = 10_000;

/** Posts JSON; resolves with whether it was answered with 2xx, and never rejects. */
export function postWebhook(
  url: string,
  body: string,
  headers: Readonly<Record<string, string>>,
): Promise<boolean> {
  return new Promise((resolve) => {
    const sent = request(url, {
      method: 'POST',
      // A connection that is kept open would hold up a receiver that wants to end.
      agent: false,
      timeout: ATTEMPT_MS_MAX,
      headers: {
        'content-type': 'application/json; charset=utf-8',
        'content-length': Buffer.byteLength(body),
        ...headers,
      },
    });
    sent.on('response', (response) => {
      const { statusCode = 0 } = response;
      response.on('end', () => resolve(statusCode >= 200 && statusCode < 300));
      response.on('close', () => resolve(false));
      response.resume();
    });
    // No answer: it is sent again.
    sent.on('timeout', () => sent.destroy());
    sent.on('error', () => resolve(false));
    sent.end(body);
  });
}
