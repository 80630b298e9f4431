// Opens the connection pool of an HTTP source.
import { OperatorError } from '@weft/core/errors';
import type { Mapping, MappingScope } from '@weft/schema/mapping/compile';
import { Pool } from 'undici';
import type { RestSource, SoapSource } from '../plan.ts';

/** A pool of at most `guard.concurrency` keep-alive connections, none made yet; the caller destroys it. */
export function openPool(source: RestSource | SoapSource, address: URL): Pool {
  const { concurrency, timeoutMs } = source.guard;
  return new Pool(address.origin, {
    connections: concurrency,
    connect: { timeout: timeoutMs },
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
  });
}

/**
 * The address of an HTTP source, from its template and the environment.
 * @throws OperatorError naming the template when it yields no http or https URL
 */
export function httpAddress(system: string, source: RestSource | SoapSource, scope: MappingScope): URL {
  const address: Mapping = source.protocol === 'rest' ? source.baseUrl : source.endpoint;
  const text = address.evaluate(scope);
  if (typeof text === 'string' && URL.canParse(text) && /^https?:/.test(text)) return new URL(text);
  throw new OperatorError(
    `system ${system}: the address of source ${source.name} (${address.text}) is not set or is not an http address`,
    { exitCode: 2 },
  );
}
