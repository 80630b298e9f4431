// The way to an HTTP source that REST and SOAP share: its pool, its certificates, its log-in, one exchange at a time.
import type { Secrets } from '@weft/core/secrets';
import type { MappingScope } from '@weft/schema/mapping/compile';
import type { RestSource, SoapSource } from '../plan.ts';
import type { CallOptions } from '../source-client.ts';
import type { CallContext } from '../upstream-error.ts';
import { openAuth } from './auth.ts';
import { exchange, type HttpAnswer, type HttpRequest } from './exchange.ts';
import { httpAddress, openPool } from './pool.ts';
import { readTls } from './tls.ts';

export interface HttpChannel {
  /** The source's base URL or endpoint. */
  readonly address: URL;
  /**
   * Sends a request with its credentials and correlation id. A read that is answered with 401 is sent once more where
   * other credentials can be had.
   * @throws HubError as `exchange` does, and for credentials that cannot be had
   */
  send(request: HttpRequest, options: CallOptions, context: CallContext): Promise<HttpAnswer>;
  close(): Promise<void>;
}

/**
 * Opens the channel; connects to nothing yet.
 * @throws OperatorError when the address, a secret or a certificate is missing or cannot be used
 */
export function openChannel(
  system: string,
  source: RestSource | SoapSource,
  scope: MappingScope,
  secrets: Secrets,
): HttpChannel {
  const address = httpAddress(system, source, scope);
  const tls = readTls(system, source.name, source.tls, secrets);
  const auth = openAuth(system, source, tls, scope, secrets);
  const pool = openPool(source, address, tls);
  const { responseBytesMax } = source.guard;
  return {
    address,
    async send(request, { signal, correlationId, isRead = true }, context) {
      const limits = { signal, responseBytesMax };
      for (let isFirst = true; ; isFirst = false) {
        const had = auth.headers(request, signal, context);
        const credentials = had instanceof Promise ? await had : had;
        const headers = { ...request.headers, ...credentials, 'x-correlation-id': correlationId };
        const answer = await exchange(pool, { ...request, headers }, limits, context);
        // What is refused was not done; even so only reads are ever sent twice.
        const isRenewed = answer.status === 401 && isFirst && auth.renew(credentials);
        if (!isRenewed || !isRead) return answer;
      }
    },
    async close() {
      await Promise.all([pool.destroy(), auth.close()]);
    },
  };
}
