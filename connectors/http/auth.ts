// The headers by which the hub shows a source who it is.

import type { Secrets } from '@weft/core/secrets';
import type { AuthPlan } from '../plan.ts';

/**
 * @returns lower-case header names to values
 * @throws OperatorError when the secret is missing
 */
export function authHeaders(auth: AuthPlan | undefined, secrets: Secrets): Readonly<Record<string, string>> {
  if (auth === undefined) return {};
  switch (auth.kind) {
    case 'apiKey':
      return { [auth.header.toLowerCase()]: secrets(auth.secret) };
    case 'bearer':
      return { authorization: `Bearer ${secrets(auth.secret)}` };
    case 'basic':
      return { authorization: `Basic ${Buffer.from(secrets(auth.secret)).toString('base64')}` };
    default:
      return auth satisfies never;
  }
}
