// Says whether a delivery was signed by who holds the secret, within the time window, by the scheme of its source.
import { createHmac, timingSafeEqual } from 'node:crypto';
import { OperatorError } from '@weft/core/errors';
import type { WebhookSource } from '../plan.ts';

export const TIMESTAMP_HEADER = 'x-timestamp';
export const SIGNATURE_HEADER = 'x-signature';

const CLOCK_SKEW_S_MAX = 300;
const ID_LENGTH_MAX = 200;
/** Of one header: a sender that changes its key gives two, and each costs a comparison. */
const SIGNATURES_MAX = 10;
const KEY_BYTES_MIN = 24;
const KEY_BYTES_MAX = 64;

/** @param header gives a header by its name in lower case */
export type Verifier = (header: (name: string) => string | undefined, body: Buffer, nowMs: number) => boolean;

/** @throws OperatorError when the secret is not in the form of the scheme */
export function openVerifier(
  source: Pick<WebhookSource, 'scheme' | 'verifySecret'>,
  secret: string,
): Verifier {
  return source.scheme === 'STANDARD_WEBHOOKS'
    ? standardWebhooks(standardKey(source.verifySecret, secret))
    : timestampBody(secret);
}

/** HMAC-SHA256 over `timestamp.body` in hex. */
function timestampBody(secret: string): Verifier {
  return (header, body, nowMs) => {
    const timestamp = header(TIMESTAMP_HEADER);
    const signature = header(SIGNATURE_HEADER);
    if (signature === undefined || !isTimely(timestamp, nowMs)) return false;
    const expected = createHmac('sha256', secret).update(`${timestamp}.`).update(body).digest();
    return isSame(Buffer.from(signature, 'hex'), expected);
  };
}

/**
 * HMAC-SHA256 over `id.timestamp.body`; one of the given signatures must hold.
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md#verifying-signatures
 */
function standardWebhooks(key: Buffer): Verifier {
  return (header, body, nowMs) => {
    const id = header('webhook-id');
    const timestamp = header('webhook-timestamp');
    const signatures = header('webhook-signature')?.split(' ') ?? [];
    if (id === undefined || id === '' || id.length > ID_LENGTH_MAX || id.includes('.')) return false;
    if (signatures.length > SIGNATURES_MAX || !isTimely(timestamp, nowMs)) return false;
    const expected = createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest();
    return signatures.some(
      (signature) =>
        signature.startsWith('v1,') && isSame(Buffer.from(signature.slice(3), 'base64'), expected),
    );
  };
}

function standardKey(name: string, secret: string): Buffer {
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  if (secret.startsWith('whsec_') && key.length >= KEY_BYTES_MIN && key.length <= KEY_BYTES_MAX) return key;
  throw new OperatorError(
    `secret "${name}": expected whsec_ and ${KEY_BYTES_MIN} to ${KEY_BYTES_MAX} bytes in base64 (Standard Webhooks)`,
    { exitCode: 2 },
  );
}

/** In seconds, and neither old enough to be replayed nor ahead of us. */
function isTimely(timestamp: string | undefined, nowMs: number): boolean {
  if (timestamp === undefined || !/^\d{1,12}$/.test(timestamp)) return false;
  return Math.abs(nowMs / 1000 - Number(timestamp)) <= CLOCK_SKEW_S_MAX;
}

function isSame(given: Buffer, expected: Buffer): boolean {
  return given.length === expected.length && timingSafeEqual(given, expected);
}
