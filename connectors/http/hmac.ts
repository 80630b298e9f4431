// Signs requests with a shared key: the canonical text that the source's owner lays down, HMAC over it, headers around it.
import { createHash, createHmac, randomBytes } from 'node:crypto';
import type { Secrets } from '@weft/core/secrets';
import type { HmacPlan } from '../plan.ts';
import type { HttpAuth } from './auth.ts';
import type { HttpRequest } from './exchange.ts';

/** What `canonical` and `signatureFormat` may hold in braces. */
export const CANONICAL_PARTS = [
  'method',
  'path',
  'query',
  'sortedQuery',
  'timestamp',
  'nonce',
  'bodyHash',
  'keyId',
] as const;
export const SIGNATURE_PARTS = ['signature', 'keyId'] as const;

const NONCE_BYTES = 16;

/** @throws OperatorError when a secret is missing */
export function openHmac(plan: HmacPlan, secrets: Secrets): HttpAuth {
  const key = secrets(plan.secret);
  const keyId = plan.keyId === undefined ? '' : secrets(plan.keyId);
  return {
    headers: async (request) =>
      signedHeaders(plan, { key, keyId }, request, {
        nonce: randomBytes(NONCE_BYTES).toString('hex'),
        nowMs: Date.now(),
      }),
    // A signature is made anew for each request: one that is refused is refused again.
    renew: () => false,
    close: async () => undefined,
  };
}

/**
 * The headers of one signed request. The timestamp, nonce and key id have a header when the canonical text holds them.
 * @see https://www.rfc-editor.org/rfc/rfc2104 and GM/T 0042-2015 (HMAC with SM3)
 */
export function signedHeaders(
  plan: HmacPlan,
  credentials: { readonly key: string; readonly keyId: string },
  request: HttpRequest,
  moment: { readonly nonce: string; readonly nowMs: number },
): Readonly<Record<string, string>> {
  const hash = plan.algorithm === 'SM3' ? 'sm3' : 'sha256';
  const mark = request.path.indexOf('?');
  const query = mark === -1 ? '' : request.path.slice(mark + 1);
  const parts = {
    method: request.method,
    path: mark === -1 ? request.path : request.path.slice(0, mark),
    query,
    sortedQuery: query.split('&').toSorted().join('&'),
    timestamp: timestampOf(plan.timestampFormat, moment.nowMs),
    nonce: moment.nonce,
    bodyHash: createHash(hash)
      .update(request.body ?? '')
      .digest('hex'),
    keyId: credentials.keyId,
  };
  const signature = createHmac(hash, credentials.key)
    .update(fill(plan.canonical, parts))
    .digest(plan.encoding === 'BASE64' ? 'base64' : 'hex');
  const holds = (part: string) => plan.canonical.includes(`{${part}}`);
  return {
    ...(holds('timestamp') ? { [plan.timestampHeader]: parts.timestamp } : {}),
    ...(holds('nonce') ? { [plan.nonceHeader]: parts.nonce } : {}),
    ...(plan.keyId === undefined ? {} : { [plan.keyIdHeader]: parts.keyId }),
    [plan.signatureHeader]: fill(plan.signatureFormat, { signature, keyId: parts.keyId }),
  };
}

/** Each part once, from left to right: what a part holds is not read again. */
function fill(template: string, parts: Readonly<Record<string, string>>): string {
  return template.replaceAll(/\{(\w+)\}/g, (whole, name: string) => parts[name] ?? whole);
}

function timestampOf(format: HmacPlan['timestampFormat'], nowMs: number): string {
  switch (format) {
    case 'SECONDS':
      return String(Math.floor(nowMs / 1_000));
    case 'MILLISECONDS':
      return String(nowMs);
    case 'ISO':
      return new Date(nowMs).toISOString();
    default:
      return format satisfies never;
  }
}
