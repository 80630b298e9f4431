// How the hub shows a source who it is: headers that are always the same, a token that is fetched, or a signature.
import type { Secrets } from '@weft/core/secrets';
import type { MappingScope } from '@weft/schema/mapping/compile';
import type { AuthPlan, RestSource, SoapSource } from '../plan.ts';
import type { CallContext } from '../upstream-error.ts';
import type { HttpRequest } from './exchange.ts';
import { openHmac } from './hmac.ts';
import { openOAuth2 } from './oauth2.ts';
import type { TlsMaterial } from './tls.ts';

export interface HttpAuth {
  /**
   * The headers, names in lower case, by which `request` is let in; at once where nothing must be fetched.
   * @throws HubError when they cannot be had, or the signal's reason
   */
  headers(
    request: HttpRequest,
    signal: AbortSignal,
    context: CallContext,
  ): Readonly<Record<string, string>> | Promise<Readonly<Record<string, string>>>;
  /** Told that these headers were refused; true when others can be had now. */
  renew(refused: Readonly<Record<string, string>>): boolean;
  close(): Promise<void>;
}

/**
 * Opens what `auth` of a source says; fetches nothing yet.
 * @throws OperatorError when a secret or an address is missing
 */
export function openAuth(
  system: string,
  source: RestSource | SoapSource,
  tls: TlsMaterial | undefined,
  scope: MappingScope,
  secrets: Secrets,
): HttpAuth {
  const { auth } = source;
  if (auth?.kind === 'oauth2') return openOAuth2({ system, source, auth, tls, scope, secrets });
  if (auth?.kind === 'hmac') return openHmac(auth, secrets);
  const headers = fixedHeaders(auth, secrets);
  return { headers: () => headers, renew: () => false, close: async () => undefined };
}

type FixedAuth = Exclude<AuthPlan, { readonly kind: 'oauth2' | 'hmac' }>;

function fixedHeaders(auth: FixedAuth | undefined, secrets: Secrets): Readonly<Record<string, string>> {
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
