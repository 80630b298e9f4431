// Signs requests to one address, so that the server there knows who sends them.
import { createHmac, createSecretKey, hash, type KeyObject, randomUUID } from 'node:crypto';
import { createPrefixedHmac } from './hmac.ts';
import type { SubgraphKey } from './keys.ts';
import { createSignatureBase } from './signature-base.ts';

/** Says who asks; signed always, and never forwarded from a client. */
export const PRINCIPAL_HEADER = 'weft-principal';

/** What a signature must cover. */
export const COVERED_COMPONENTS = [
  '@method',
  '@authority',
  '@path',
  '@query',
  'content-type',
  'content-digest',
  PRINCIPAL_HEADER,
] as const;

/** The name of the one signature of a request. */
export const SIGNATURE_LABEL = 'weft';

export interface RequestSigner {
  /**
   * The headers that make the request a signed one, names and values in turn. For one sending: another needs a nonce of its own.
   * @param principal value of `weft-principal`
   */
  sign(body: string | Buffer, principal: string): readonly string[];
}

export interface SignerOptions {
  readonly key: SubgraphKey;
  readonly method: string;
  /** As the `Host` header will have it. */
  readonly authority: string;
  /** Path and query. */
  readonly target: string;
  readonly contentType: string;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

export function createRequestSigner(options: SignerOptions): RequestSigner {
  const { key, now = Date.now } = options;
  const list = COVERED_COMPONENTS.map((name) => `"${name}"`).join(' ');
  const sign = createPrefixedHmac(key, `${fixedBase(options)}"content-digest": `);
  const keyId = `";keyid="${key.id}"`;
  return {
    sign(body, principal) {
      const digest = contentDigest(body);
      const parameters = `(${list});created=${Math.floor(now() / 1_000)};nonce="${randomUUID()}${keyId}`;
      const code = sign(`${digest}\n"${PRINCIPAL_HEADER}": ${principal}\n"@signature-params": ${parameters}`);
      return [
        PRINCIPAL_HEADER,
        principal,
        'content-digest',
        digest,
        'signature-input',
        `${SIGNATURE_LABEL}=${parameters}`,
        'signature',
        `${SIGNATURE_LABEL}=:${code}:`,
      ];
    },
  };
}

/** The lines of the components that are the same in every request: all but the last two. */
function fixedBase(options: SignerOptions): string {
  const components = COVERED_COMPONENTS.slice(0, -2);
  const message = { ...options, fields: () => [options.contentType] };
  const base = createSignatureBase(components, message, '') ?? '';
  return base.slice(0, base.lastIndexOf('"@signature-params"'));
}

/** https://www.rfc-editor.org/rfc/rfc9530#section-2 */
export function contentDigest(body: string | Buffer): string {
  return `sha-256=:${hash('sha256', body, 'base64')}:`;
}

export function createHmacKey({ secret }: Pick<SubgraphKey, 'secret'>): KeyObject {
  return createSecretKey(secret, 'utf8');
}

/** https://www.rfc-editor.org/rfc/rfc9421#section-3.3.3 */
export function hmac(key: KeyObject, base: string): Buffer {
  return createHmac('sha256', key).update(base).digest();
}
