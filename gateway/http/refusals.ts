// What the HTTP server refuses before any route sees it: one shape, one trace id in answer and log.
import { type IncomingHttpHeaders, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { HubError } from '@weft/core/errors';
import type { Logger } from '@weft/core/logger';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import type { Observer } from '../observe/observer.ts';
import { noteFailure } from '../observe/operation-watch.ts';
import { newTraceId, readTraceParent } from '../observe/trace-parent.ts';
import { clientRefusal } from './connection-limits.ts';
import type { HttpLimits } from './limits.ts';
import { untilSent } from './refused-body.ts';

export interface RefusalOptions {
  readonly logger: Logger;
  readonly observer: Observer;
  readonly limits: HttpLimits;
  /** Where operations are asked for: a request that is refused there has a line as every operation has. */
  readonly path: string;
}

export interface Refusals {
  /** Of a path where nothing is. */
  notFound(request: FastifyRequest, reply: FastifyReply): FastifyReply;
  /** Of whatever a parser, the router or a route throws. */
  failed(error: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply;
  /** Of a request that asks for too much before it is read. */
  refuse(request: FastifyRequest, reply: FastifyReply, status: number, error: HubError): FastifyReply;
  /** Of an operation whose client is gone before all of it came: it has its line, and nobody is answered. */
  broken(headers: IncomingHttpHeaders, error: HubError): void;
  /** Of bytes that are no HTTP request: there is a socket and nothing else. */
  malformed(error: NodeJS.ErrnoException, socket: Socket): void;
}

export function createRefusals(options: RefusalOptions): Refusals {
  return {
    notFound: (request, reply) =>
      refuse(options, request, reply, 404, new HubError('NOT_FOUND', nothingAt(request)), undefined),
    failed(error, request, reply) {
      const known = refusalOf(error, options.limits);
      const { status, hubError } = known ?? { status: 500, hubError: HubError.from(undefined) };
      return refuse(options, request, reply, status, hubError, known === undefined ? error : undefined);
    },
    refuse: (request, reply, status, error) => refuse(options, request, reply, status, error, undefined),
    broken(headers, error) {
      const watch = options.observer.open('http', headers);
      noteFailure(watch, error);
      options.observer.close(watch);
    },
    malformed: (error, socket) => refuseMalformed(options.logger, error, socket),
  };
}

const URL_CHARS_MAX = 200;

/** With the method: at the path there may be something for another one, as there is for a POST of an attachment. */
function nothingAt({ method, url }: FastifyRequest): string {
  return `There is nothing at ${url.split('?', 1)[0]?.slice(0, URL_CHARS_MAX)} for ${method}.`;
}

/** @param bug what a client must not see; undefined when it was the client's mistake */
function refuse(
  { observer, logger, path, limits }: RefusalOptions,
  request: FastifyRequest,
  reply: FastifyReply,
  status: number,
  error: HubError,
  bug: unknown,
): FastifyReply {
  const isOperation = request.url.split('?', 1)[0] === path;
  const watch = isOperation ? observer.open('http', request.headers) : undefined;
  const traceId = watch?.traceId ?? readTraceParent(request.headers.traceparent).traceId;
  if (bug !== undefined) logger.error({ err: bug, traceId }, 'a request failed in the hub itself');
  else if (watch === undefined)
    logger.info({ traceId, method: request.method, status, code: error.code }, 'a request was refused');
  if (watch !== undefined) {
    noteFailure(watch, error);
    observer.close(watch);
  }
  reply.code(status).header('cache-control', 'no-store');
  const body = errorBody(error, traceId);
  if (status !== 413 || request.raw.complete) return reply.send(body);
  const text = JSON.stringify(body);
  return reply
    .header('content-type', 'application/json; charset=utf-8')
    .header('content-length', Buffer.byteLength(text))
    .send(untilSent(request.raw, text, limits));
}

/** The answer's body when there is nothing but an error. */
export function errorBody(error: HubError, traceId: string): { readonly errors: readonly object[] } {
  return { errors: [{ message: error.message, extensions: { ...error.toExtensions(), traceId } }] };
}

interface Refusal {
  readonly status: number;
  readonly hubError: HubError;
}

/** What Fastify refuses before a route sees it. */
function refusalOf(error: FastifyError, limits: HttpLimits): Refusal | undefined {
  const status = error.statusCode ?? 500;
  if (status === 413) {
    const message = `The body has more than ${limits.bodyBytesMax} bytes.`;
    const details = { limit: 'bodyBytesMax', max: limits.bodyBytesMax };
    return { status, hubError: new HubError('LIMIT_EXCEEDED', message, { details }) };
  }
  if (status < 400 || status >= 500) return undefined;
  return { status, hubError: new HubError('BAD_USER_INPUT', error.message, { cause: error }) };
}

/** There is no request yet, and the connection cannot be used any more. */
function refuseMalformed(logger: Logger, error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const { status, hubError: refusal } = clientRefusal(error.code);
  const traceId = newTraceId();
  logger.info({ traceId, status, code: refusal.code, cause: error.code }, 'a request was refused');
  const body = JSON.stringify(errorBody(refusal, traceId));
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'content-type: application/json; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ];
  socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
  socket.destroy(error);
}
