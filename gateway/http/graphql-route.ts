// GraphQL over HTTP (https://graphql.github.io/graphql-over-http/draft/): POST and GET on one path, answers of two media types.
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { ERROR_CODES, HubError } from '@weft/core/errors';
import type { Logger } from '@weft/core/logger';
import { TELL_HEADER, whyNoTelling } from '@weft/core/telling';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ExecutionResult } from 'graphql';
import type { Documents } from '../documents/documents.ts';
import type { Engine, Preparation, PreparedOperation } from '../engine.ts';
import { toGraphQLError } from '../execute/error-list.ts';
import type { Identity } from '../identity/identity.ts';
import type { Principal } from '../identity/principal.ts';
import { negotiateLive } from '../live-http/formats.ts';
import type { LiveHttp } from '../live-http/serve-live.ts';
import { logCauses } from '../observe/causes.ts';
import type { Observer } from '../observe/observer.ts';
import {
  noteErrors,
  noteFailure,
  notePrepared,
  noteUnprepared,
  type OperationWatch,
} from '../observe/operation-watch.ts';
import { answerBatch, type BatchEntry, type BatchLimits, isBatch } from './batch.ts';
import { answerPreflight } from './cors.ts';
import { requireGetHeaders, requirePostType } from './csrf.ts';
import { type IncrementalType, negotiateIncremental, sendParts } from './incremental-delivery.ts';
import type { HttpLimits } from './limits.ts';
import { GRAPHQL_RESPONSE, JSON_RESPONSE, negotiate, type ResponseType } from './media-type.ts';
import { SECURITY_HEADERS } from './pages.ts';
import { HttpRefusal } from './refusal.ts';
import { tellRefusal } from './refusal-headers.ts';
import type { Reply } from './reply.ts';
import { type Decoded, decodeBody, decodeQueryString, type GraphQLRequest } from './request.ts';
import { answerInParts, answerWhole, type RunningOperation } from './run-operation.ts';
import { type Sent, send, sendResult, withTraceId } from './send.ts';
import type { HttpSettings } from './settings.ts';

export interface GraphQLRouteOptions {
  readonly path: string;
  /** The engine of now; an operation ends on the one that it began on. */
  engine(): Engine;
  readonly identity: Pick<Identity, 'identify'>;
  readonly logger: Logger;
  readonly observer: Observer;
  readonly limits: Pick<HttpLimits, 'partDrainTimeoutMs' | 'compressedCharsMin' | 'batchRequestsMax'>;
  readonly settings: HttpSettings;
  readonly documents: Documents;
  readonly batchLimits: BatchLimits;
  readonly live: LiveHttp;
}

interface Route extends GraphQLRouteOptions {
  /** The request headers that an answer depends on. */
  readonly vary: string;
}

/** Answers a POST whose body is read already; never rejects. The client takes answers in one piece only. */
export type AnswerPost = (request: IncomingMessage, reply: Reply, body: string) => Promise<unknown>;

/** Gives what answers a POST past Fastify's routes. */
export function registerGraphQLRoute(app: FastifyInstance, options: GraphQLRouteOptions): AnswerPost {
  const { path, settings, observer } = options;
  const vary =
    settings.corsOrigins.size === 0 ? 'accept, accept-encoding' : 'accept, accept-encoding, origin';
  const route: Route = { ...options, vary };
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body));
  app.post(path, (request, reply) =>
    handle(route, request, reply, reply, () => decodePost(route, request.headers, request.body)),
  );
  app.get(path, (request, reply) => handle(route, request, reply, reply, () => decodeGet(route, request)));
  app.route({
    method: ['PUT', 'PATCH', 'DELETE', 'OPTIONS'],
    url: path,
    handler(request, reply) {
      const isPreflight = request.method === 'OPTIONS';
      const preflight = isPreflight ? answerPreflight(request, reply, settings.corsOrigins) : undefined;
      const error = new HttpRefusal(405, 'Use POST or GET.', { allow: 'GET, POST' });
      return preflight ?? refuse(route, observer.open('http', request.headers), reply, JSON_RESPONSE, error);
    },
  });
  return (request, reply, body) =>
    handle(route, { method: 'POST', headers: request.headers }, reply, undefined, () =>
      decodePost(route, request.headers, body),
    );
}

function decodePost({ limits, settings }: Route, headers: IncomingHttpHeaders, body: unknown): Decoded {
  requirePostType(headers);
  const batchRequestsMax = settings.batching ? limits.batchRequestsMax : 0;
  return decodeBody(typeof body === 'string' ? body : '', batchRequestsMax);
}

function decodeGet({ settings }: Route, request: FastifyRequest): GraphQLRequest {
  requireGetHeaders(request.headers, settings);
  return decodeQueryString(new URL(request.url, 'http://gateway').searchParams);
}

/** @param streams the same reply where it can answer in parts; undefined for a client that asks for none */
async function handle(
  route: Route,
  request: Pick<FastifyRequest, 'method' | 'headers'>,
  reply: Reply,
  streams: FastifyReply | undefined,
  decode: () => Decoded,
): Promise<Reply> {
  const { headers } = request;
  const watch = route.observer.open('http', headers);
  const type = negotiate(headers.accept);
  try {
    if (type === undefined && !takesStreams(headers.accept)) throw notAcceptable();
    requireTellable(headers);
    const identified = route.identity.identify(headers);
    // Who is anonymous or known does not wait for a turn of the event loop; nor does a known operation.
    const principal = identified instanceof Promise ? await identified : identified;
    const decoded = decode();
    const asker: Asker = { engine: route.engine(), principal, headers };
    if (isBatch(decoded)) return await answerAll(route, decoded, asker, reply, type);
    const preparation = prepare(route, decoded, asker, watch);
    const prepared = preparation instanceof Promise ? await preparation : preparation;
    const isWhole = type !== undefined && ('errors' in prepared || prepared.isDeferred !== true);
    const partsType = isWhole || streams === undefined ? undefined : negotiateIncremental(headers.accept);
    if ('errors' in prepared)
      return await sendEither(
        route,
        reply,
        streams,
        type,
        partsType,
        unprepared(route, decoded, prepared, watch),
      );
    noteAs(route, watch, prepared, decoded);
    if (prepared.kind === 'subscription')
      return await answerLive(route, { ...asker, prepared, request: decoded, watch }, streams);
    requireMethod(request.method, prepared);
    const operation: RunningOperation = { ...asker, prepared, request: decoded, watch };
    if (partsType !== undefined && streams !== undefined)
      return await answerInParts(route, operation, streams, partsType);
    const result = await answerWhole(route, operation, reply);
    const sent = sendResult(route, reply, type ?? JSON_RESPONSE, result);
    route.observer.close(watch);
    return sent;
  } catch (thrown) {
    return refuse(route, watch, reply, type ?? JSON_RESPONSE, thrown);
  }
}

/** A word that nobody knows would be taken for no wish at all. @throws HttpRefusal 400 */
function requireTellable(headers: FastifyRequest['headers']): void {
  const problem = whyNoTelling(headers[TELL_HEADER]);
  if (problem !== undefined) throw new HttpRefusal(400, problem);
}

/** What all operations of one request have in common. */
type Asker = Pick<RunningOperation, 'engine' | 'headers'> & { readonly principal: Principal };

/** A document that is not known is an answer, not a bad request: clients then send its text. */
function prepare(
  { documents }: Route,
  request: GraphQLRequest,
  { engine, principal }: Asker,
  { traceId }: OperationWatch,
): Preparation | Promise<Preparation> {
  let query: string;
  try {
    query = documents.textOf(request);
  } catch (thrown) {
    const isAnswer = thrown instanceof HubError && thrown.code.startsWith('PERSISTED_QUERY_');
    if (!isAnswer) throw thrown;
    return { errors: [toGraphQLError(thrown, traceId)] };
  }
  return engine.prepare(query, request.operationName, principal);
}

function noteAs(
  { documents }: Route,
  watch: OperationWatch,
  prepared: PreparedOperation,
  request: GraphQLRequest,
): void {
  const { operationName, query } = request;
  notePrepared(watch, prepared, { operationName, query: query ?? documents.textOf(request) });
}

/** The answer when there is nothing to run. */
function unprepared(
  { observer, logger }: Route,
  request: GraphQLRequest,
  { errors }: Exclude<Preparation, PreparedOperation>,
  watch: OperationWatch,
): ExecutionResult {
  noteUnprepared(watch, request);
  noteErrors(watch, errors);
  logCauses(logger, errors, watch.traceId);
  observer.close(watch);
  return withTraceId(errors, watch.traceId);
}

/** Each operation of a batch is watched by itself. */
async function answerAll(
  route: Route,
  requests: readonly GraphQLRequest[],
  asker: Asker,
  reply: Reply,
  type: ResponseType | undefined,
): Promise<Reply> {
  if (type === undefined) throw notAcceptable();
  const watches = new Map(requests.map((one) => [one, route.observer.open('http', asker.headers)]));
  const watchOf = (one: GraphQLRequest) => watches.get(one) ?? route.observer.open('http', asker.headers);
  const results = await answerBatch(requests, route.batchLimits, {
    prepare: (one) => prepare(route, one, asker, watchOf(one)),
    answer: (entry) => answerEntry(route, entry, asker, watchOf(entry.request), reply),
  });
  return send(route, reply, 200, type, results);
}

async function answerEntry(
  route: Route,
  { request, prepared }: BatchEntry,
  asker: Asker,
  watch: OperationWatch,
  reply: Reply,
): Promise<ExecutionResult> {
  if ('errors' in prepared) return unprepared(route, request, prepared, watch);
  noteAs(route, watch, prepared, request);
  try {
    // A batch comes with POST, and the others of it may have run.
    if (prepared.kind === 'subscription') throw subscriptionRefused();
    return await answerWhole(route, { ...asker, prepared, request, watch }, reply);
  } catch (thrown) {
    if (!(thrown instanceof HttpRefusal)) throw thrown;
    noteFailure(watch, thrown);
    return { errors: [toGraphQLError(thrown, watch.traceId)] };
  } finally {
    route.observer.close(watch);
  }
}

/** Answers with whatever was thrown, as a client may see it; what it may not see is logged. */
function refuse(
  route: Route,
  watch: OperationWatch,
  reply: Reply,
  type: ResponseType,
  thrown: unknown,
): Sent {
  const error = HubError.from(thrown);
  const { traceId } = watch;
  if (error.code === 'INTERNAL_SERVER_ERROR')
    route.logger.error({ err: thrown, traceId }, 'a request failed');
  tellRefusal(error, reply, route.logger, traceId);
  noteFailure(watch, error);
  route.observer.close(watch);
  const isRefusal = error instanceof HttpRefusal;
  if (isRefusal) reply.headers(error.headers);
  const status = isRefusal ? error.status : ERROR_CODES[error.code].httpStatus;
  return send(route, reply, status, type, { errors: [toGraphQLError(error, traceId)] });
}

function notAcceptable(): HttpRefusal {
  return new HttpRefusal(406, `Accept ${GRAPHQL_RESPONSE} or ${JSON_RESPONSE}.`);
}

/** For one who takes parts only, whatever is whole is the first and last of them. */
function sendEither(
  route: Route,
  reply: Reply,
  streams: FastifyReply | undefined,
  type: ResponseType | undefined,
  partsType: IncrementalType | undefined,
  result: ExecutionResult,
): Sent {
  if (partsType === undefined || streams === undefined)
    return sendResult(route, reply, type ?? JSON_RESPONSE, result);
  const { partDrainTimeoutMs } = route.limits;
  return sendParts(
    streams.header('vary', route.vary),
    partsType,
    result,
    partDrainTimeoutMs,
    () => undefined,
  );
}

function subscriptionRefused(): HttpRefusal {
  return new HttpRefusal(400, `A subscription is no answer in one piece. ${LIVE_TYPES}`);
}

const LIVE_TYPES =
  'Accept text/event-stream or multipart/mixed;subscriptionSpec="1.0", or open a WebSocket (graphql-transport-ws) on this path.';

function takesStreams(accept: string | undefined): boolean {
  return negotiateIncremental(accept) !== undefined || negotiateLive(accept) !== undefined;
}

/** GET may begin one: it changes nothing, and a browser's EventSource knows no other method. */
function answerLive(
  route: Route,
  operation: RunningOperation,
  streams: FastifyReply | undefined,
): Promise<FastifyReply> {
  const format = negotiateLive(operation.headers.accept);
  if (format === undefined || streams === undefined) throw subscriptionRefused();
  return route.live.answer(operation, streams, format, { ...SECURITY_HEADERS, vary: route.vary });
}

function requireMethod(method: string, prepared: PreparedOperation): void {
  if (prepared.kind === 'mutation' && method !== 'POST') {
    throw new HttpRefusal(405, 'A mutation needs POST: GET may be repeated and stored on its way.', {
      allow: 'POST',
    });
  }
}
