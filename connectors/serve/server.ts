// Serves every wrapped system as a subgraph at its own path, `/<name>/graphql`, on one port.
import { deadlineSignal } from '@weft/core/deadline';
import type { Logger } from '@weft/core/logger';
import type { SubgraphKey } from '@weft/core/signatures/keys';
import { PRINCIPAL_HEADER } from '@weft/core/signatures/sign';
import { readTelling, TELL_HEADER } from '@weft/core/telling';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import mercurius from 'mercurius';
import { listen } from '../http/listen.ts';
import { createRequestContext, type RequestContext } from '../load/request-context.ts';
import type { RunningSystem } from '../load/system.ts';
import { askerOf } from './asker.ts';
import { formatExecution } from './format-errors.ts';
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
  readonly logger: Logger;
}

export interface ServedSystems {
  /** System name to the URL of its subgraph. */
  readonly urls: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

/** Starts the server; the systems stay the caller's to close, after this. */
export async function serveSystems(
  systems: readonly RunningSystem[],
  options: ServeOptions,
): Promise<ServedSystems> {
  const app = Fastify({ logger: false, bodyLimit: REQUEST_BYTES_MAX, forceCloseConnections: 'idle' });
  const { subgraphKeys: keys, logger } = options;
  requireSignature(app, { keys, bodyBytesMax: REQUEST_BYTES_MAX, logger });
  for (const system of systems) await serveSystem(app, system, logger, keys !== undefined);
  const address = await listen(app, options.host, options.port, 'WEFT_CONNECTORS_PORT');
  const urls = Object.fromEntries(systems.map(({ plan }) => [plan.name, `${address}/${plan.name}/graphql`]));
  return { urls, close: () => app.close() };
}

/** Mercurius decorates the instance that it is registered on: each system has an instance of its own. */
async function serveSystem(
  app: FastifyInstance,
  system: RunningSystem,
  logger: Logger,
  isSigned: boolean,
): Promise<void> {
  const { name } = system.plan;
  await app.register(
    async (scope) => {
      // Mercurius' own answer schema would turn the indices of an error's path into text.
      scope.setSerializerCompiler(() => JSON.stringify);
      await scope.register(mercurius, {
        schema: buildServedSchema(system.plan),
        path: '/graphql',
        graphiql: false,
        context: (request, reply) =>
          contextOf(system, request, reply, isSigned) as unknown as Record<string, unknown>,
        errorFormatter: (execution) => formatExecution(execution, name, logger),
      });
      scope.graphql.addHook('onResolution', async (execution, context) => {
        const weft = (context as unknown as RequestContext).origins.toExtensions(name);
        if (weft !== undefined) execution.extensions = { ...execution.extensions, weft };
      });
    },
    { prefix: `/${name}` },
  );
}

function contextOf(
  system: RunningSystem,
  request: FastifyRequest,
  reply: FastifyReply,
  isSigned: boolean,
): RequestContext {
  const left = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) left.abort();
  });
  const signal = deadlineSignal(deadlineMs(request.headers[DEADLINE_HEADER]), left.signal);
  return createRequestContext(system, signal, correlationId(request), {
    asker: isSigned ? askerOf(request.headers[PRINCIPAL_HEADER]) : undefined,
    telling: readTelling(request.headers[TELL_HEADER]),
  });
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
