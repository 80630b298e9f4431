// The secrets of `tls` as the options that Node's TLS takes.
import type { Secrets } from '@weft/core/secrets';
import type { TlsPlan } from './plan.ts';

/** PEM texts. */
export interface TlsOptions {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/**
 * Reads the secrets that a `tls` names.
 * @throws OperatorError when one is missing
 */
export function tlsOptions(plan: TlsPlan | undefined, secrets: Secrets): TlsOptions {
  const read = (name: string | undefined) => (name === undefined ? undefined : secrets(name));
  const [ca, cert, key] = [read(plan?.ca), read(plan?.cert), read(plan?.key)];
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
}
