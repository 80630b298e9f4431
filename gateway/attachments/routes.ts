// The door of attachments: uploads and downloads, streamed through to the incident library and never held whole.
import type { Socket } from 'node:net';
import { ERROR_CODES, HubError } from '@weft/core/errors';
import type { Logger } from '@weft/core/logger';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { answerPreflight } from '../http/cors.ts';
import { HttpRefusal } from '../http/refusal.ts';
import { tellRefusal } from '../http/refusal-headers.ts';
import { errorBody } from '../http/refusals.ts';
import type { Identity } from '../identity/identity.ts';
import type { Principal } from '../identity/principal.ts';
import { readTraceParent } from '../observe/trace-parent.ts';
import { createFlow, type Flow, tooLong } from './flow.ts';
import { type Library, LibraryRefusal } from './library.ts';
import type { AttachmentLimits } from './limits.ts';

export const ATTACHMENTS_PATH = '/attachments';
const ATTACHMENT_PATH = `${ATTACHMENTS_PATH}/:id`;
/** The paths that pages of other origins may ask, where some may. */
export const ATTACHMENT_PATHS = [ATTACHMENTS_PATH, ATTACHMENT_PATH] as const;

export interface AttachmentRoutes {
  readonly library: Library;
  readonly identity: Pick<Identity, 'identify'>;
  readonly limits: AttachmentLimits;
  readonly corsOrigins: ReadonlySet<string>;
  readonly logger: Logger;
  /** Connections on which an upload comes: it may take longer than other requests. */
  readonly uploading: WeakSet<Socket>;
}

/** Nothing that is saved from here runs anything, whatever opens it. */
const CONTENT_SECURITY_POLICY = "default-src 'none'; sandbox";
const PASSED_ON = ['range', 'if-range', 'if-none-match'] as const;
const TOLD = [
  'content-type',
  'content-length',
  'content-range',
  'content-disposition',
  'accept-ranges',
  'cache-control',
  'etag',
] as const;
const ID = /^sha256:[0-9a-f]{64}$/;

export function registerAttachmentRoutes(app: FastifyInstance, routes: AttachmentRoutes): void {
  const underWay = { uploads: 0, downloads: 0 };
  app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
    scope.addHook('onClose', () => routes.library.close());
    scope.addHook('onSend', (_request, reply, _payload, done) => {
      reply.header('content-security-policy', CONTENT_SECURITY_POLICY);
      done();
    });
    scope.post(ATTACHMENTS_PATH, (request, reply) =>
      handle(routes, request, reply, (asked) =>
        counted(underWay, 'uploads', routes.limits.uploadsMax, () => upload(routes, asked, request, reply)),
      ),
    );
    scope.route<{ Params: { readonly id: string } }>({
      method: ['GET', 'HEAD'],
      url: ATTACHMENT_PATH,
      handler: (request, reply) =>
        handle(routes, request, reply, (asked) =>
          counted(underWay, 'downloads', routes.limits.downloadsMax, () =>
            download(routes, asked, request, reply),
          ),
        ),
    });
    for (const url of ATTACHMENT_PATHS)
      scope.options(
        url,
        (request, reply) => answerPreflight(request, reply, routes.corsOrigins) ?? reply.callNotFound(),
      );
  });
}

/** Who asks, and the trace of the request. */
interface Asked {
  readonly principal: Principal;
  readonly traceId: string;
  /** Aborts when the client has gone. */
  readonly signal: AbortSignal;
}

async function handle(
  routes: AttachmentRoutes,
  request: FastifyRequest,
  reply: FastifyReply,
  run: (asked: Asked) => Promise<number>,
): Promise<FastifyReply> {
  const { traceId } = readTraceParent(request.headers.traceparent);
  const startedAtMs = performance.now();
  const gone = new AbortController();
  reply.raw.once('close', () => gone.abort(new HubError('CANCELLED', 'The client has gone.')));
  try {
    const principal = await routes.identity.identify(request.headers);
    const bytes = await run({ principal, traceId, signal: gone.signal });
    const ms = Math.round(performance.now() - startedAtMs);
    const line = { traceId, method: request.method, status: reply.statusCode, bytes, ms };
    routes.logger.info(line, 'an attachment was passed on');
    return reply;
  } catch (thrown) {
    return refuse(routes, request, reply, thrown, traceId);
  }
}

/** @throws HubError RATE_LIMITED beyond so many at once */
async function counted<Kind extends 'uploads' | 'downloads'>(
  underWay: Record<Kind, number>,
  kind: Kind,
  max: number,
  run: () => Promise<number>,
): Promise<number> {
  if (underWay[kind] >= max)
    throw new HubError('RATE_LIMITED', `Too many ${kind} at once; try again later.`, {
      details: { limit: `${kind}Max`, max },
    });
  underWay[kind] += 1;
  try {
    return await run();
  } finally {
    underWay[kind] -= 1;
  }
}

/** @returns bytes that were taken */
async function upload(
  { library, limits, uploading }: AttachmentRoutes,
  { principal, traceId, signal }: Asked,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<number> {
  requireAcceptable(request, principal, limits);
  const { raw } = request;
  const { bytesMax, uploadIdleMs: idleMs, uploadMs: totalMs } = limits;
  const flow = createFlow({ idleMs, totalMs, bytesMax });
  // What the client has not sent whole must not look whole to the library.
  raw.once('close', () => {
    if (!raw.complete) flow.stream.destroy(new HubError('CANCELLED', 'The client has gone.'));
  });
  flow.stream.once('close', () => raw.unpipe(flow.stream));
  raw.pipe(flow.stream);
  uploading.add(raw.socket);
  try {
    const name = new URL(request.url, 'http://gateway').searchParams.get('name');
    const rest = name === null ? '' : `?name=${encodeURIComponent(name)}`;
    const asked = { method: 'POST', rest, principal, traceId, body: flow.stream, signal } as const;
    const answer = await library.ask(asked).catch((thrown: unknown) => {
      // The library may have read of the broken stream before this did.
      throw flow.stream.errored instanceof HubError ? flow.stream.errored : thrown;
    });
    const told = await answer.body.json();
    requireSame(told, flow);
    reply.code(answer.statusCode).header('cache-control', 'no-store').send(told);
    return flow.bytes();
  } finally {
    uploading.delete(raw.socket);
    flow.stream.destroy();
    linger(request, limits.lingerMs);
  }
}

function requireAcceptable(
  { headers }: FastifyRequest,
  { isAuthenticated }: Principal,
  { bytesMax }: AttachmentLimits,
): void {
  if (!isAuthenticated)
    throw new HubError('UNAUTHENTICATED', 'an upload belongs to who gives credentials: give some');
  // Its boundaries would be bytes of the file.
  if (/^multipart\//i.test(headers['content-type'] ?? ''))
    throw new HttpRefusal(
      415,
      'Send the bytes of the file as the body, not a form: curl --data-binary @FILE.',
      {
        accept: '*/*',
      },
    );
  const coding = headers['content-encoding'];
  if (coding !== undefined && coding.trim().toLowerCase() !== 'identity')
    throw new HttpRefusal(415, 'Send the bytes without a content coding.', { 'accept-encoding': 'identity' });
  if (Number(headers['content-length'] ?? 0) > bytesMax) throw tooLong(bytesMax);
}

/** Both have hashed what passed: another hash there is other bytes. */
function requireSame(told: unknown, flow: Flow): void {
  const { id } = (told ?? {}) as { readonly id?: unknown };
  if (id === `sha256:${flow.sha256()}`) return;
  throw new HubError('UPSTREAM_INVALID', 'incidents has kept other bytes than those that were sent', {
    system: 'incidents',
  });
}

/** Closed at once, the connection could take the answer with it. */
function linger({ raw }: FastifyRequest, lingerMs: number): void {
  if (raw.complete || raw.destroyed) return;
  raw.resume();
  const timer = setTimeout(() => raw.destroy(), lingerMs);
  raw.once('close', () => clearTimeout(timer));
}

/** @returns bytes that were passed on */
async function download(
  { library, limits }: AttachmentRoutes,
  { principal, traceId, signal }: Asked,
  request: FastifyRequest<{ Params: { readonly id: string } }>,
  reply: FastifyReply,
): Promise<number> {
  const { id } = request.params;
  if (!ID.test(id)) throw new HubError('NOT_FOUND', 'There is no such attachment.');
  const headers = Object.fromEntries(
    PASSED_ON.flatMap((name) => {
      const value = request.headers[name];
      return typeof value === 'string' ? [[name, value]] : [];
    }),
  );
  const method = request.method === 'HEAD' ? 'HEAD' : 'GET';
  const answer = await library.ask({ method, rest: `/${id}`, principal, traceId, headers, signal });
  for (const name of TOLD) {
    const value = answer.headers[name];
    if (typeof value === 'string') reply.header(name, value);
  }
  reply.code(answer.statusCode);
  if (method === 'HEAD' || answer.statusCode === 304 || answer.statusCode === 416) {
    await answer.body.dump();
    reply.send();
    return 0;
  }
  const flow = createFlow({ idleMs: limits.downloadIdleMs });
  answer.body.on('error', (cause) => flow.stream.destroy(cause));
  flow.stream.once('close', () => answer.body.destroy());
  const ended = new Promise<void>((resolve) => reply.raw.once('close', resolve));
  reply.send(answer.body.pipe(flow.stream));
  await ended;
  return flow.bytes();
}

/** The status that HTTP has for it: what comes too slowly is the client's, and what the library says is as it says it. */
function statusOf(error: HubError, request: FastifyRequest): number {
  if (error instanceof LibraryRefusal || error instanceof HttpRefusal) return error.status;
  if (error.code === 'DEADLINE_EXCEEDED' && request.method === 'POST') return 408;
  return ERROR_CODES[error.code].httpStatus;
}

function refuse(
  { logger, limits }: AttachmentRoutes,
  request: FastifyRequest,
  reply: FastifyReply,
  thrown: unknown,
  traceId: string,
): FastifyReply {
  const error = HubError.from(thrown);
  const status = statusOf(error, request);
  if (error.code === 'INTERNAL_SERVER_ERROR') logger.error({ err: thrown, traceId }, 'a request failed');
  else logger.info({ traceId, method: request.method, status, code: error.code }, 'a request was refused');
  tellRefusal(error, reply, logger, traceId);
  linger(request, limits.lingerMs);
  if (error instanceof HttpRefusal) reply.headers(error.headers);
  return reply.code(status).header('cache-control', 'no-store').send(errorBody(error, traceId));
}
