// Serves every wrapped system, and the hub's own `connectors`, as a subgraph at its own path, `/<name>/graphql`, on one port.
import type { Logger } from '@weft/core/logger';
import { keysOf, type SubgraphKey } from '@weft/core/signatures/keys';
import { PRINCIPAL_HEADER } from '@weft/core/signatures/sign';
import { readTelling, TELL_HEADER } from '@weft/core/telling';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { GraphQLSchema } from 'graphql';
import mercurius from 'mercurius';
import { listen } from '../http/listen.ts';
import { createRequestContext, type RequestContext } from '../load/request-context.ts';
import type { RunningSystem } from '../load/system.ts';
import {
  buildOwnSchema,
  CONNECTORS_SUBGRAPH,
  createOwnContext,
  type OwnSubgraphParts,
} from '../subgraph/own-subgraph.ts';
import { createAnswerEntities } from './answer-entities.ts';
import { askerOf } from './asker.ts';
import { formatExecution } from './format-errors.ts';
import { parseJsonBodies } from './parse-json.ts';
import { principalOf } from './principal.ts';
import { requireSignature } from './require-signature.ts';
import { buildServedSchema } from './schema.ts';

/** Milliseconds that the caller still has; longer ones and none mean `DEADLINE_MS_MAX`. */
export const DEADLINE_HEADER = 'x-weft-deadline-ms';

const DEADLINE_MS_MAX = 5_000;
const REQUEST_BYTES_MAX = 4_000_000;
const CORRELATION_LENGTH_MAX = 200;

export interface ServeOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Of the gateways that may ask; undefined: whoever reaches the port may. */
  readonly subgraphKeys?: readonly SubgraphKey[] | undefined;
  /** What the hub's own subgraph `connectors` works on; undefined: it is not served. */
  readonly own?: OwnSubgraphParts | undefined;
  readonly logger: Logger;
}

export interface ServedSystems {
  /** Subgraph name, which is the system's, to its URL. */
  readonly urls: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

/** Starts the server; the systems stay the caller's to close, after this. */
export async function serveSystems(
  systems: readonly RunningSystem[],
  options: ServeOptions,
): Promise<ServedSystems> {
  const app = Fastify({ logger: false, bodyLimit: REQUEST_BYTES_MAX, forceCloseConnections: 'idle' });
  parseJsonBodies(app);
  const { subgraphKeys, logger } = options;
  const keys = keysOf([CONNECTORS_SUBGRAPH, ...systems.map(({ plan }) => plan.name)], subgraphKeys);
  requireSignature(app, { keys, bodyBytesMax: REQUEST_BYTES_MAX, logger });
  const isSigned = keys !== undefined;
  const served = systems.map((system) => servedSystem(system, options.own, isSigned));
  if (options.own !== undefined) served.push(servedOwn(options.own));
  for (const subgraph of served) await serveSubgraph(app, subgraph, logger);
  const address = await listen(app, options.host, options.port, 'WEFT_CONNECTORS_PORT');
  const urls = Object.fromEntries(served.map(({ name }) => [name, `${address}/${name}/graphql`]));
  return { urls, close: () => app.close() };
}

interface ServedSubgraph {
  readonly name: string;
  readonly schema: GraphQLSchema;
  context(request: FastifyRequest, reply: FastifyReply): object;
  /** What stands in `extensions.weft` of an answer. @param context as `context` made it */
  told?(context: object): Readonly<Record<string, unknown>> | undefined;
  /** The answer as JSON text to what is compiled; undefined for what is to be executed. */
  answer?(request: FastifyRequest, reply: FastifyReply): Promise<string | undefined>;
}

function servedSystem(
  system: RunningSystem,
  own: OwnSubgraphParts | undefined,
  isSigned: boolean,
): ServedSubgraph {
  const { name } = system.plan;
  const schema = buildServedSchema(system.plan);
  const answerEntities = createAnswerEntities(system.plan, schema);
  // What a compiled answer loaded before it left the rest to execution is in its context.
  const contexts = new WeakMap<FastifyRequest, RequestContext>();
  const context = (request: FastifyRequest, reply: FastifyReply) => {
    const known = contexts.get(request);
    if (known !== undefined) return known;
    return contextOf(system, own, { request, reply, isSigned });
  };
  return {
    name,
    schema,
    context,
    told: (of) => (of as RequestContext).origins.toExtensions(name),
    async answer(request, reply) {
      let made: RequestContext | undefined;
      const text = await answerEntities(request.body, () => (made = context(request, reply)));
      if (text === undefined && made !== undefined) contexts.set(request, made);
      return text;
    },
  };
}

function servedOwn(parts: OwnSubgraphParts): ServedSubgraph {
  return {
    name: CONNECTORS_SUBGRAPH,
    schema: buildOwnSchema(),
    context: (request) =>
      createOwnContext(parts, principalOf(request.headers[PRINCIPAL_HEADER]), correlationId(request)),
  };
}

/** Mercurius decorates the instance that it is registered on: each subgraph has an instance of its own. */
async function serveSubgraph(app: FastifyInstance, subgraph: ServedSubgraph, logger: Logger): Promise<void> {
  const { name, schema, context, told } = subgraph;
  await app.register(
    async (scope) => {
      // Mercurius' own answer schema would turn the indices of an error's path into text.
      scope.setSerializerCompiler(() => JSON.stringify);
      const { answer } = subgraph;
      // By callback: a promise of the reply would be one of the end of its stream.
      if (answer !== undefined) {
        scope.addHook('preHandler', (request, reply, done) => {
          if (request.method !== 'POST') return done();
          answer(request, reply).then((text) => (text === undefined ? done() : sendJson(reply, text)), done);
        });
      }
      await scope.register(mercurius, {
        schema,
        path: '/graphql',
        graphiql: false,
        context: (request, reply) => context(request, reply) as Record<string, unknown>,
        errorFormatter: (execution) => formatExecution(execution, name, logger),
      });
      scope.graphql.addHook('onResolution', async (execution, context) => {
        const weft = told?.(context);
        if (weft !== undefined) execution.extensions = { ...execution.extensions, weft };
      });
    },
    { prefix: `/${name}` },
  );
}

/** As bytes: Node writes a text of so many characters to a socket much slower than it turns it into these. */
function sendJson(reply: FastifyReply, text: string): void {
  void reply.type('application/json; charset=utf-8').send(Buffer.from(text));
}

interface Received {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  /** Whether it was checked that the gateway sends it. */
  readonly isSigned: boolean;
}

function contextOf(
  system: RunningSystem,
  own: OwnSubgraphParts | undefined,
  { request, reply, isSigned }: Received,
): RequestContext {
  const leftMs = deadlineMs(request.headers[DEADLINE_HEADER]);
  const answerByMs = performance.now() + leftMs;
  const signal = untilClosed(reply, leftMs);
  const correlation = correlationId(request);
  const principal = principalOf(request.headers[PRINCIPAL_HEADER]);
  const circumstances = { principal, correlationId: correlation, answerByMs, signal };
  const submitWrite: RequestContext['submitWrite'] =
    own && ((field, args) => own.commands.submit(system, { field, args, ...circumstances }));
  const asker = isSigned ? askerOf(request.headers[PRINCIPAL_HEADER]) : undefined;
  const telling = readTelling(request.headers[TELL_HEADER]);
  return createRequestContext(system, signal, correlation, { submitWrite, asker, telling });
}

/** Aborts when the deadline passes, with a `TimeoutError`, and when the client leaves: one signal and one timer, which ends with the answer. */
function untilClosed(reply: FastifyReply, leftMs: number): AbortSignal {
  const controller = new AbortController();
  const timeout = () => controller.abort(new DOMException('The deadline has passed.', 'TimeoutError'));
  const timer = setTimeout(timeout, leftMs).unref();
  reply.raw.once('close', () => {
    clearTimeout(timer);
    if (!reply.raw.writableFinished) controller.abort();
  });
  return controller.signal;
}

function deadlineMs(header: string | string[] | undefined): number {
  const asked = Number(header);
  return Number.isFinite(asked) && asked > 0 ? Math.min(Math.ceil(asked), DEADLINE_MS_MAX) : DEADLINE_MS_MAX;
}

/** The trace of the gateway's own request, so that an old system's log can be laid beside ours. */
function correlationId(request: FastifyRequest): string {
  const given = request.headers.traceparent ?? request.headers['x-correlation-id'];
  const text = Array.isArray(given) ? given[0] : given;
  // What goes into a header of ours must be fit for one.
  const isFit = text !== undefined && text.length <= CORRELATION_LENGTH_MAX && /^[\x21-\x7e]+$/.test(text);
  return isFit ? text : crypto.randomUUID();
}
