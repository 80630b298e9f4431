// Who may call urban management: requests signed with a shared key, each nonce once, within five minutes.
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { WebRequest } from '../web-server.ts';

export interface SignatureKey {
  readonly appId: string;
  readonly appSecret: string;
}

const AGE_S_MAX = 300;
const NONCES_MAX = 10_000;

/**
 * A check of `X-Sign`: HMAC-SHA256 in Base64 over method, path, query, `X-Sign-Time` in milliseconds, `X-Sign-Nonce` and the SHA-256
 * of the body in hex, line by line. It gives what is wrong, or undefined.
 */
export function openSignatureCheck(key: SignatureKey): (request: WebRequest) => string | undefined {
  const nonces = new Set<string>();
  return (request) => {
    const header = (name: string) => String(request.headers[name] ?? '');
    const [time, nonce] = [header('x-sign-time'), header('x-sign-nonce')];
    if (header('x-app-id') !== key.appId) return '应用标识错误';
    if (!(Math.abs(Date.now() - Number(time)) <= AGE_S_MAX * 1_000)) return '时间戳超出允许范围';
    if (nonce === '' || nonces.has(nonce)) return '随机数重复';
    const text = [
      request.method,
      request.path,
      request.search,
      time,
      nonce,
      createHash('sha256').update(request.body).digest('hex'),
    ].join('\n');
    const [given, expected] = [
      Buffer.from(header('x-sign'), 'base64'),
      createHmac('sha256', key.appSecret).update(text).digest(),
    ];
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) return '签名错误';
    nonces.add(nonce);
    if (nonces.size > NONCES_MAX) nonces.delete(nonces.values().next().value ?? '');
    return undefined;
  };
}
