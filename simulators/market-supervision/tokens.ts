// The token endpoint of market supervision: OAuth 2.0 client credentials (RFC 6749, 4.4), tokens that live a minute.
import { randomBytes } from 'node:crypto';
import { json, type WebAnswer, type WebRequest } from '../web-server.ts';

export interface TokenDesk {
  /** Answers `POST /oauth/token`. */
  issue(request: WebRequest): WebAnswer;
  /** Whether the request carries a token that still lives. */
  isKnown(request: WebRequest): boolean;
}

const TOKENS_MAX = 1_000;

/** @param client `id:secret`, shown in the header `Authorization: Basic` */
export function openTokenDesk(client: string, lifetimeS: number): TokenDesk {
  const endsAtMs = new Map<string, number>();
  const expected = `Basic ${Buffer.from(client).toString('base64')}`;
  return {
    issue(request) {
      if (request.headers.authorization !== expected) return json(401, { error: 'invalid_client' });
      const grant = new URLSearchParams(request.body.toString('utf8')).get('grant_type');
      if (request.method !== 'POST' || grant !== 'client_credentials')
        return json(400, { error: 'unsupported_grant_type' });
      const token = randomBytes(24).toString('base64url');
      endsAtMs.set(token, Date.now() + lifetimeS * 1_000);
      const oldest = endsAtMs.size > TOKENS_MAX ? endsAtMs.keys().next().value : undefined;
      if (oldest !== undefined) endsAtMs.delete(oldest);
      return json(200, { access_token: token, token_type: 'Bearer', expires_in: lifetimeS });
    },
    isKnown(request) {
      const token = /^Bearer (\S+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
      return (endsAtMs.get(token) ?? 0) > Date.now();
    },
  };
}
