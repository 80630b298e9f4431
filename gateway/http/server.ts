// The gateway's HTTP server: GraphQL, health and pages, with one shape for every refusal.
import { HubError } from '@weft/core/errors';
import type { Logger } from '@weft/core/logger';
import Fastify, { type FastifyError, type FastifyInstance, LogController } from 'fastify';
import { createDocuments, type Documents } from '../documents/documents.ts';
import type { Engine } from '../engine.ts';
import { type Identity, WITHOUT_IDENTITY } from '../identity/identity.ts';
import { ENGINE_LIMITS, type EngineLimits } from '../limits.ts';
import { answerClientError, limitConnections, nodeServerOptions, refusalBody } from './connection-limits.ts';
import { registerCors } from './cors.ts';
import { registerDraining } from './draining.ts';
import { registerGraphQLRoute } from './graphql-route.ts';
import { type Readiness, registerHealth } from './health.ts';
import { HTTP_LIMITS, type HttpLimits } from './limits.ts';
import { registerPages, registerSecurityHeaders } from './pages.ts';
import { HTTP_SETTINGS, type HttpSettings } from './settings.ts';

export interface HttpServerOptions {
  /** The engine of now. */
  engine(): Engine;
  /** Who asks; absent: nobody's credentials are taken. */
  readonly identity?: Pick<Identity, 'identify'> | undefined;
  readonly logger: Logger;
  readiness(): Promise<Readiness>;
  /** Whether the gateway is about to end; default never. */
  readonly isDraining?: () => boolean;
  readonly limits?: Partial<HttpLimits> | undefined;
  readonly settings?: HttpSettings | undefined;
  readonly engineLimits?: Partial<EngineLimits> | undefined;
  /** Default: documents are sent as text. */
  readonly documents?: Documents | undefined;
}

const GRAPHQL_PATH = '/graphql';

/** Routes are in place; the caller listens, and closes with `closeHttpServer`. */
export function createHttpServer(options: HttpServerOptions): FastifyInstance {
  const limits = { ...HTTP_LIMITS, ...options.limits };
  const settings = options.settings ?? HTTP_SETTINGS;
  const app: FastifyInstance = Fastify({
    loggerInstance: options.logger,
    logController: new LogController({ disableRequestLogging: true }),
    // What is logged of a request carries its trace id, so that it needs no logger of its own.
    childLoggerFactory: (logger) => logger,
    bodyLimit: limits.bodyBytesMax,
    http: nodeServerOptions(limits),
    clientErrorHandler: answerClientError,
    requestTimeout: limits.requestTimeoutMs,
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    forceCloseConnections: 'idle',
    // Whoever still comes on a connection that is open is answered, and told to close it.
    return503OnClosing: false,
  }) as unknown as FastifyInstance;
  limitConnections(app, limits);
  registerSecurityHeaders(app);
  registerDraining(app, options.isDraining ?? (() => false));
  registerCors(app, GRAPHQL_PATH, settings.corsOrigins);
  const { engine, identity = WITHOUT_IDENTITY, logger, documents = createDocuments() } = options;
  const batchLimits = { ...ENGINE_LIMITS, ...options.engineLimits };
  registerGraphQLRoute(app, {
    path: GRAPHQL_PATH,
    engine,
    identity,
    logger,
    limits,
    settings,
    documents,
    batchLimits,
  });
  registerHealth(app, options.readiness);
  registerPages(app);
  app.setNotFoundHandler((request, reply) =>
    reply
      .code(404)
      .send(refusalBody(new HubError('NOT_FOUND', `There is nothing at ${request.url.slice(0, 200)}.`))),
  );
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const refusal = refusalOf(error, limits);
    if (refusal === undefined) request.log.error({ err: error }, 'a request failed in the hub itself');
    const { status, hubError } = refusal ?? { status: 500, hubError: HubError.from(undefined) };
    return reply.code(status).header('cache-control', 'no-store').send(refusalBody(hubError));
  });
  return app;
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

/** Stops listening, lets requests in flight end for `drainTimeoutMs`, then cuts them off. */
export async function closeHttpServer(
  app: FastifyInstance,
  limits: Pick<HttpLimits, 'drainTimeoutMs'> = HTTP_LIMITS,
): Promise<void> {
  const { drainTimeoutMs } = limits;
  const cutOff = () => {
    app.log.warn({ drainTimeoutMs }, 'requests in flight are cut off');
    app.server.closeAllConnections();
  };
  const timer = setTimeout(cutOff, drainTimeoutMs);
  try {
    await app.close();
  } finally {
    clearTimeout(timer);
  }
}
