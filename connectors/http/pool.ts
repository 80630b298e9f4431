// Opens the connection pool of an HTTP source.
import { OperatorError } from '@weft/core/errors';
import type { Mapping, MappingScope } from '@weft/schema/mapping/compile';
import { Pool } from 'undici';
import type { RestSource, SoapSource } from '../plan.ts';
import type { TlsMaterial } from './tls.ts';

/** A pool of at most `guard.concurrency` keep-alive connections, none made yet; the caller destroys it. */
export function openPool(source: RestSource | SoapSource, address: URL, tls?: TlsMaterial): Pool {
  const { concurrency, timeoutMs } = source.guard;
  return new Pool(address.origin, {
    connections: concurrency,
    connect: { timeout: timeoutMs, ...tls },
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
  });
}

/**
 * The address of an HTTP source, from its template and the environment.
 * @throws OperatorError naming the template when it yields no http or https URL, or http where certificates are given
 */
export function httpAddress(system: string, source: RestSource | SoapSource, scope: MappingScope): URL {
  const address: Mapping = source.protocol === 'rest' ? source.baseUrl : source.endpoint;
  const url = urlOf(system, source.name, 'the address', address, scope);
  if (source.tls !== undefined && url.protocol !== 'https:') {
    throw new OperatorError(
      `system ${system}: source ${source.name} has tls, and its address (${address.text}) is not https: correct one of them`,
      { exitCode: 2 },
    );
  }
  return url;
}

/**
 * @param what the part of the source whose address it is, for the message
 * @throws OperatorError naming the template when it yields no http or https URL
 */
export function urlOf(
  system: string,
  source: string,
  what: string,
  address: Mapping,
  scope: MappingScope,
): URL {
  const text = address.evaluate(scope);
  if (typeof text === 'string' && URL.canParse(text) && /^https?:/.test(text)) return new URL(text);
  const isSet = typeof text === 'string' && text !== '';
  const problem = isSet
    ? `is ${JSON.stringify(withoutLogin(text).slice(0, ADDRESS_CHARS_MAX))}: expected http://… or https://…`
    : 'is not set: set it in the environment, or in the file of --env';
  throw new OperatorError(`system ${system}: ${what} of source ${source} (${address.text}) ${problem}`, {
    exitCode: 2,
  });
}

const ADDRESS_CHARS_MAX = 100;

/** Addresses are told; what stands before an @ in one may be a password. */
function withoutLogin(address: string): string {
  return address.replace(/^(.*\/\/)?[^/]*@/, '$1…@');
}
