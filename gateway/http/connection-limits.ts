// Bounds what a connection may cost before a request is whole: its headers, their number, and time.
import { type ServerOptions, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { HubError } from '@weft/core/errors';
import type { FastifyInstance } from 'fastify';
import type { HttpLimits } from './limits.ts';

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
export function limitConnections(app: FastifyInstance, limits: HttpLimits): void {
  app.server.maxHeadersCount = limits.headersMax + 1;
  app.server.maxConnections = limits.connectionsMax;
  const entriesMax = limits.headersMax * 2;
  app.addHook('onRequest', (request, reply, done) => {
    if (request.raw.rawHeaders.length <= entriesMax) return done();
    reply
      .code(431)
      .header('connection', 'close')
      .send(refusalBody(tooMany(limits.headersMax)));
  });
}

function tooMany(max: number): HubError {
  const details = { limit: 'headersMax', max };
  return new HubError('LIMIT_EXCEEDED', `A request has at most ${max} headers.`, { details });
}

/** What Node's parser refuses: there is no request yet, and the connection cannot be used any more. */
export function answerClientError(error: Error & { readonly code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  const { status, hubError } = clientRefusal(error.code);
  const body = JSON.stringify(refusalBody(hubError));
  if (socket.writable) {
    const head = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Type: application/json\r\n`;
    socket.write(`${head}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
  }
  socket.destroy(error);
}

function clientRefusal(code: string | undefined): { readonly status: number; readonly hubError: HubError } {
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

/** The one shape of every refusal, where no operation was run. */
export function refusalBody(error: HubError): { readonly errors: readonly unknown[] } {
  return { errors: [{ message: error.message, extensions: error.toExtensions() }] };
}
