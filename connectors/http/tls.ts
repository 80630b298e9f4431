// The certificates of an HTTP source: whom the hub trusts, and by what it shows who it is (mutual TLS).
import { X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { OperatorError } from '@weft/core/errors';
import type { Secrets } from '@weft/core/secrets';
import type { TlsPlan } from '../plan.ts';

/** PEM text, as `node:tls` takes it. */
export interface TlsMaterial {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/**
 * Reads what `tls` names from the secret store.
 * @throws OperatorError when a secret is missing, is no PEM, or the key is not that of the certificate
 */
export function readTls(
  system: string,
  source: string,
  tls: TlsPlan | undefined,
  secrets: Secrets,
): TlsMaterial | undefined {
  if (tls === undefined) return undefined;
  const material: TlsMaterial = {
    ...(tls.ca === undefined ? {} : { ca: secrets(tls.ca) }),
    ...(tls.cert === undefined ? {} : { cert: secrets(tls.cert) }),
    ...(tls.key === undefined ? {} : { key: secrets(tls.key) }),
  };
  try {
    for (const pem of [material.ca, material.cert]) if (pem !== undefined) new X509Certificate(pem);
    createSecureContext(material);
  } catch (thrown) {
    const names = [tls.ca, tls.cert, tls.key].filter((name) => name !== undefined).join(', ');
    throw new OperatorError(
      `system ${system}: tls of source ${source} (secrets ${names}) cannot be used: expected PEM, and the key of that certificate (${reasonOf(thrown)})`,
      { cause: thrown, exitCode: 2 },
    );
  }
  return material;
}

/** OpenSSL's code; its message may hold more than belongs into a line. */
function reasonOf(thrown: unknown): string {
  const { code } = thrown as { readonly code?: unknown };
  return typeof code === 'string' ? code : 'not readable';
}
