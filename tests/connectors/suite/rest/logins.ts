// How callers log in to the REST systems of the suite: by tokens of OAuth 2.0, or by signed requests.
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { hmac, sha256 } from '../../http/hmac-by-hand.ts';
import type { Dialect, OldRequest, Reply } from '../http/old-system.ts';

type Login = Pick<Dialect, 'admits' | 'open' | 'expire'>;

/** An authorization server at `/token` for one client, whose tokens are let in until they expire. */
export function oauth2Login(id: string, secret: string): Login {
  const tokens = new Set<string>();
  const expected = `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`;
  return {
    open({ method, url, headers, body }) {
      if (method !== 'POST' || url !== '/token') return undefined;
      const isClient = headers.authorization === expected;
      if (!isClient || new URLSearchParams(body.toString()).get('grant_type') !== 'client_credentials')
        return json(401, { error: 'invalid_client' });
      const token = randomBytes(16).toString('hex');
      tokens.add(token);
      return json(200, { access_token: token, token_type: 'Bearer', expires_in: 600 });
    },
    admits: ({ headers }) => tokens.has(headers.authorization?.replace('Bearer ', '') ?? ''),
    expire: () => tokens.clear(),
  };
}

function json(status: number, value: unknown): Reply {
  return { status, contentType: 'application/json', text: JSON.stringify(value) };
}

const WINDOW_S = 60;

/** Requests signed over method, path, query, timestamp, nonce and body hash with lines between; a nonce counts once. */
export function hmacLogin(key: string): Login {
  const nonces = new Set<string>();
  return {
    admits({ method, url, headers, body }: OldRequest) {
      const [path = '', query = ''] = url.split('?');
      const { 'x-timestamp': timestamp, 'x-nonce': nonce, 'x-signature': signature } = headers;
      if (typeof nonce !== 'string' || nonces.has(nonce)) return false;
      if (!(Math.abs(Number(timestamp) - Date.now() / 1_000) < WINDOW_S)) return false;
      nonces.add(nonce);
      const text = [method, path, query, timestamp, nonce, sha256(body).toString('hex')].join('\n');
      const expected = hmac(sha256, Buffer.from(key), Buffer.from(text));
      const given = Buffer.from(String(signature), 'hex');
      return given.length === expected.length && timingSafeEqual(given, expected);
    },
  };
}
