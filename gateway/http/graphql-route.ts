// GraphQL over HTTP (https://graphql.github.io/graphql-over-http/draft/): POST and GET on one path, answers of two media types.

import { randomUUID } from 'node:crypto';
import { ERROR_CODES, type ErrorCode, HubError } from '@weft/core/errors';
import type { Logger } from '@weft/core/logger';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type ExecutionResult, GraphQLError } from 'graphql';
import type { Documents } from '../documents/documents.ts';
import type { Engine, OperationContext, Preparation, PreparedOperation } from '../engine.ts';
import { toGraphQLError } from '../execute/error-list.ts';
import type { Identity } from '../identity/identity.ts';
import type { Principal } from '../identity/principal.ts';
import { answerBatch, type BatchEntry, type BatchLimits, isBatch } from './batch.ts';
import { compress, negotiateCoding } from './compression.ts';
import { answerPreflight } from './cors.ts';
import { requireGetHeaders, requirePostType } from './csrf.ts';
import { type IncrementalType, negotiateIncremental, sendParts } from './incremental-delivery.ts';
import type { HttpLimits } from './limits.ts';
import { GRAPHQL_RESPONSE, JSON_RESPONSE, negotiate, type ResponseType } from './media-type.ts';
import { HttpRefusal } from './refusal.ts';
import { tellRefusal } from './refused-credentials.ts';
import { type Decoded, decodeBody, decodeQueryString, type GraphQLRequest } from './request.ts';
import type { HttpSettings } from './settings.ts';

export interface GraphQLRouteOptions {
  readonly path: string;
  /** The engine of now; an operation ends on the one that it began on. */
  engine(): Engine;
  readonly identity: Pick<Identity, 'identify'>;
  readonly logger: Logger;
  readonly limits: Pick<HttpLimits, 'partDrainTimeoutMs' | 'compressedCharsMin' | 'batchRequestsMax'>;
  readonly settings: HttpSettings;
  readonly documents: Documents;
  readonly batchLimits: BatchLimits;
}

interface Route extends GraphQLRouteOptions {
  /** For the line of each operation, which holds nothing to redact: looking for it is most of what a line costs. */
  readonly operationLogger: Logger;
  /** The request headers that an answer depends on. */
  readonly vary: string;
}

export function registerGraphQLRoute(app: FastifyInstance, options: GraphQLRouteOptions): void {
  const { path, logger, settings } = options;
  const route: Route = {
    ...options,
    operationLogger: logger.child({}, { redact: [] }),
    vary: settings.corsOrigins.size === 0 ? 'accept, accept-encoding' : 'accept, accept-encoding, origin',
  };
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body));
  app.post(path, (request, reply) => handle(route, request, reply, () => decodePost(route, request)));
  app.get(path, (request, reply) => handle(route, request, reply, () => decodeGet(route, request)));
  app.route({
    method: ['PUT', 'PATCH', 'DELETE', 'OPTIONS'],
    url: path,
    handler: (request, reply) =>
      (request.method === 'OPTIONS' && answerPreflight(request, reply, settings.corsOrigins)) ||
      refuseMethod(route, reply),
  });
}

function refuseMethod(route: Route, reply: FastifyReply): Sent {
  return send(route, reply.header('allow', 'GET, POST'), 405, JSON_RESPONSE, {
    errors: [toGraphQLError(new HubError('BAD_USER_INPUT', 'Use POST or GET.'), newTraceId())],
  });
}

function decodePost({ limits, settings }: Route, request: FastifyRequest): Decoded {
  requirePostType(request.headers);
  const batchRequestsMax = settings.batching ? limits.batchRequestsMax : 0;
  return decodeBody(typeof request.body === 'string' ? request.body : '', batchRequestsMax);
}

function decodeGet({ settings }: Route, request: FastifyRequest): GraphQLRequest {
  requireGetHeaders(request.headers, settings.csrf);
  return decodeQueryString(new URL(request.url, 'http://gateway').searchParams);
}

async function handle(
  route: Route,
  request: FastifyRequest,
  reply: FastifyReply,
  decode: () => Decoded,
): Promise<FastifyReply> {
  const traceId = traceIdOf(request.headers.traceparent);
  const { accept } = request.headers;
  const type = negotiate(accept);
  try {
    if (type === undefined && negotiateIncremental(accept) === undefined) throw notAcceptable();
    const identified = route.identity.identify(request.headers);
    // Who is anonymous or known does not wait for a turn of the event loop; nor does a known operation.
    const principal = identified instanceof Promise ? await identified : identified;
    const graphqlRequest = decode();
    const engine = route.engine();
    const asker: Asker = { principal, headers: request.headers, traceId };
    if (isBatch(graphqlRequest)) {
      if (type === undefined) throw notAcceptable();
      const results = await answerBatch(graphqlRequest, route.batchLimits, {
        prepare: (one) => prepare(route, engine, one, asker),
        answer: (entry) => answerPrepared(route, engine, entry, asker, reply),
      });
      return send(route, reply, 200, type, results);
    }
    const preparation = prepare(route, engine, graphqlRequest, asker);
    const prepared = preparation instanceof Promise ? await preparation : preparation;
    const isWhole = type !== undefined && ('errors' in prepared || prepared.isDeferred !== true);
    const partsType = isWhole ? undefined : negotiateIncremental(accept);
    if ('errors' in prepared)
      return sendEither(route, reply, type, partsType, withTraceId(prepared.errors, traceId));
    requireMethod(request.method, prepared);
    const operation: RunningOperation = { ...asker, engine, prepared, request: graphqlRequest };
    if (partsType !== undefined) return await answerInParts(route, operation, reply, partsType);
    const result = await answerWhole(route, operation, reply);
    return sendResult(route, reply, type ?? JSON_RESPONSE, result);
  } catch (thrown) {
    const error = HubError.from(thrown);
    if (error.code === 'INTERNAL_SERVER_ERROR')
      route.logger.error({ err: thrown, traceId }, 'a request failed');
    tellRefusal(error, reply, route.logger, traceId);
    const isRefusal = error instanceof HttpRefusal;
    if (isRefusal) reply.headers(error.headers);
    const status = isRefusal ? error.status : ERROR_CODES[error.code].httpStatus;
    return send(route, reply, status, type ?? JSON_RESPONSE, { errors: [toGraphQLError(error, traceId)] });
  }
}

/** A document that is not known is an answer, not a bad request: clients then send its text. */
function prepare(
  { documents }: Route,
  engine: Engine,
  request: GraphQLRequest,
  { principal, traceId }: Asker,
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

/** An operation of a batch, or why there is none. */
function answerPrepared(
  route: Route,
  engine: Engine,
  { request, prepared }: BatchEntry,
  asker: Asker,
  reply: FastifyReply,
): Promise<ExecutionResult> | ExecutionResult {
  if ('errors' in prepared) return withTraceId(prepared.errors, asker.traceId);
  // A batch comes with POST, and the others of it may have run.
  if (prepared.kind === 'subscription')
    return { errors: [toGraphQLError(subscriptionRefused(), asker.traceId)] };
  return answerWhole(route, { ...asker, engine, prepared, request }, reply);
}

function notAcceptable(): HttpRefusal {
  return new HttpRefusal(406, `Accept ${GRAPHQL_RESPONSE} or ${JSON_RESPONSE}.`);
}

/** For one who takes parts only, whatever is whole is the first and last of them. */
function sendEither(
  route: Route,
  reply: FastifyReply,
  type: ResponseType | undefined,
  partsType: IncrementalType | undefined,
  result: ExecutionResult,
): Sent {
  return partsType === undefined
    ? sendResult(route, reply, type ?? JSON_RESPONSE, result)
    : sendParts(
        reply.header('vary', route.vary),
        partsType,
        result,
        route.limits.partDrainTimeoutMs,
        () => undefined,
      );
}

function subscriptionRefused(): HttpRefusal {
  return new HttpRefusal(400, 'Subscriptions go over WebSocket (graphql-transport-ws) on this path.');
}

function requireMethod(method: string, prepared: PreparedOperation): void {
  if (prepared.kind === 'subscription') {
    throw subscriptionRefused();
  }
  if (prepared.kind === 'mutation' && method !== 'POST') {
    throw new HttpRefusal(405, 'A mutation needs POST: GET may be repeated and stored on its way.', {
      allow: 'POST',
    });
  }
}

/** What all operations of one request have in common. */
interface Asker {
  readonly principal: Principal;
  readonly headers: FastifyRequest['headers'];
  readonly traceId: string;
}

interface RunningOperation extends Asker {
  readonly engine: Engine;
  readonly prepared: PreparedOperation;
  readonly request: GraphQLRequest;
}

async function answerWhole(
  route: Route,
  operation: RunningOperation,
  reply: FastifyReply,
): Promise<ExecutionResult> {
  const { engine, prepared, request } = operation;
  const { context, end } = begin(route, operation, reply);
  let errors = 0;
  try {
    const result = await engine.execute(prepared, request.variables, context);
    errors = result.errors?.length ?? 0;
    return result;
  } finally {
    end(errors);
  }
}

async function answerInParts(
  route: Route,
  operation: RunningOperation,
  reply: FastifyReply,
  type: IncrementalType,
): Promise<FastifyReply> {
  const { engine, prepared, request } = operation;
  const { context, end } = begin(route, operation, reply);
  try {
    const execute = (prepared.isDeferred === true && engine.executeIncrementally) || engine.execute;
    const result = await execute(prepared, request.variables, context);
    const { errors } = 'initial' in result ? result.initial : result;
    const { partDrainTimeoutMs } = route.limits;
    return sendParts(reply.header('vary', route.vary), type, result, partDrainTimeoutMs, () =>
      end(errors?.length ?? 0),
    );
  } catch (thrown) {
    end(1);
    throw thrown;
  }
}

/** Cancels what is under way when the client goes, and logs the operation at its end. */
function begin(
  { operationLogger }: Route,
  { prepared, request: { operationName }, principal, headers, traceId }: RunningOperation,
  reply: FastifyReply,
): { readonly context: OperationContext; end(errors: number): void } {
  const controller = new AbortController();
  const onClose = () => controller.abort();
  reply.raw.once('close', onClose);
  const startedAt = performance.now();
  return {
    context: { signal: controller.signal, traceId, principal, headers },
    end(errors) {
      reply.raw.off('close', onClose);
      const durationMs = Math.round(performance.now() - startedAt);
      operationLogger.info({ traceId, kind: prepared.kind, operationName, durationMs, errors }, 'operation');
    },
  };
}

/**
 * `application/json` answers 200 whenever the request itself was well-formed, as the specification asks for clients that
 * take any other status for a broken network, and a request above a limit was not; `application/graphql-response+json` tells the truth in the status too.
 */
function sendResult(route: Route, reply: FastifyReply, type: ResponseType, result: ExecutionResult): Sent {
  const isRequestError = result.data === undefined;
  const code = isRequestError ? result.errors?.[0]?.extensions.code : undefined;
  const isTold = type === GRAPHQL_RESPONSE || code === 'LIMIT_EXCEEDED';
  const status = isRequestError && isTold ? statusOf(code) : 200;
  return send(route, reply, status, type, result);
}

function statusOf(code: unknown): number {
  return typeof code === 'string' && Object.hasOwn(ERROR_CODES, code)
    ? ERROR_CODES[code as ErrorCode].httpStatus
    : 500;
}

/** A promise only while the answer is being compressed. */
type Sent = FastifyReply | Promise<FastifyReply>;

function send(
  { vary, limits, settings }: Route,
  reply: FastifyReply,
  status: number,
  type: ResponseType,
  result: ExecutionResult | readonly ExecutionResult[],
): Sent {
  const body = JSON.stringify(result);
  reply
    .code(status)
    .header('content-type', `${type}; charset=utf-8`)
    .header('cache-control', 'no-store')
    .header('vary', vary);
  if (!settings.compression || body.length < limits.compressedCharsMin) return reply.send(body);
  return sendCompressed(reply, body);
}

function sendCompressed(reply: FastifyReply, body: string): Sent {
  const coding = negotiateCoding(reply.request.headers['accept-encoding']);
  if (coding === undefined) return reply.send(body);
  return compress(body, coding).then((bytes) => reply.header('content-encoding', coding).send(bytes));
}

/** Prepared errors are made before there is a request to trace. */
function withTraceId(errors: readonly GraphQLError[], traceId: string): ExecutionResult {
  return {
    errors: errors.map((error) => {
      const { nodes = null, source = null, positions = null, path = null } = error;
      return new GraphQLError(error.message, {
        nodes,
        source,
        positions,
        path,
        extensions: { ...error.extensions, traceId },
      });
    }),
  };
}

/** https://www.w3.org/TR/trace-context/#trace-id: an id of zeros is none. */
function traceIdOf(traceparent: string | string[] | undefined): string {
  const given =
    typeof traceparent === 'string'
      ? /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-/.exec(traceparent)?.[1]
      : undefined;
  return given === undefined || /^0+$/.test(given) ? newTraceId() : given;
}

function newTraceId(): string {
  // Unlike `randomBytes` it takes its random bits from a store that is filled for many ids at once.
  return randomUUID().replaceAll('-', '');
}
