// Bounds what a connection may cost before a request is whole: its headers, their number, and time.
import type { ServerOptions } from 'node:http';
import { HubError } from '@weft/core/errors';
import type { FastifyInstance } from 'fastify';
import type { HttpLimits } from './limits.ts';
import type { Refusals } from './refusals.ts';

/** Node looks for connections that are late at an interval of its own, half a minute unless told. */
export function nodeServerOptions(limits: HttpLimits): ServerOptions {
  return {
    maxHeaderSize: limits.headerBytesMax,
    headersTimeout: limits.headersTimeoutMs,
    connectionsCheckingInterval: limits.connectionsCheckIntervalMs,
    // Never the lenient parser: it takes what two servers on a request's way may read differently.
    insecureHTTPParser: false,
    requireHostHeader: true,
  };
}

/** Answers 431 to more headers than the limit; Node would drop those beyond its own without a word. */
export function limitConnections(app: FastifyInstance, limits: HttpLimits, refuse: Refusals['refuse']): void {
  app.server.maxHeadersCount = limits.headersMax + 1;
  app.server.maxConnections = limits.connectionsMax;
  const entriesMax = limits.headersMax * 2;
  app.addHook('onRequest', (request, reply, done) => {
    if (request.raw.rawHeaders.length <= entriesMax) return done();
    refuse(request, reply.header('connection', 'close'), 431, tooMany(limits.headersMax));
  });
}

function tooMany(max: number): HubError {
  const details = { limit: 'headersMax', max };
  return new HubError('LIMIT_EXCEEDED', `A request has at most ${max} headers.`, { details });
}

/** What Node's parser refuses, by its code: https://nodejs.org/api/http.html#event-clienterror */
export function clientRefusal(code: string | undefined): {
  readonly status: number;
  readonly hubError: HubError;
} {
  switch (code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return {
        status: 408,
        hubError: new HubError('DEADLINE_EXCEEDED', 'The request did not come in time.'),
      };
    case 'HPE_HEADER_OVERFLOW':
      return { status: 431, hubError: new HubError('LIMIT_EXCEEDED', 'The headers have too many bytes.') };
    default:
      return { status: 400, hubError: new HubError('BAD_USER_INPUT', 'This is not HTTP/1.1.') };
  }
}
