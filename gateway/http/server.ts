// The gateway's HTTP server: GraphQL, health and pages, with one shape for every refusal.
import type { Socket } from 'node:net';
import type { Logger } from '@weft/core/logger';
import Fastify, { type FastifyInstance, LogController } from 'fastify';
import { ATTACHMENT_PATHS, type AttachmentRoutes, registerAttachmentRoutes } from '../attachments/routes.ts';
import { createDocuments, type Documents } from '../documents/documents.ts';
import type { Engine } from '../engine.ts';
import { type Identity, WITHOUT_IDENTITY } from '../identity/identity.ts';
import { ENGINE_LIMITS, type EngineLimits } from '../limits.ts';
import { LIVE_HTTP_LIMITS, type LiveHttpLimits } from '../live-http/limits.ts';
import { createLiveHttp, type OpenLive } from '../live-http/serve-live.ts';
import { type MetricsText, registerMetrics } from '../observe/metrics-route.ts';
import { createObserver, type Observer } from '../observe/observer.ts';
import { limitConnections, nodeServerOptions } from './connection-limits.ts';
import { registerCors } from './cors.ts';
import { openDirectDoor } from './direct-door.ts';
import { registerDraining } from './draining.ts';
import { registerGraphQLRoute } from './graphql-route.ts';
import { type Readiness, registerHealth } from './health.ts';
import { HTTP_LIMITS, type HttpLimits } from './limits.ts';
import { registerPages, registerSecurityHeaders } from './pages.ts';
import { createRefusals, type Refusals } from './refusals.ts';
import { registerRegistryDoor } from './registry-door.ts';
import { HTTP_SETTINGS, type HttpSettings } from './settings.ts';

export interface HttpServerOptions {
  /** The engine of now. */
  engine(): Engine;
  /** Who asks; absent: nobody's credentials are taken. */
  readonly identity?: Pick<Identity, 'identify' | 'watchEnd'> | undefined;
  /** Opens live subscriptions; absent: they end with STORE_UNAVAILABLE. */
  readonly live?:
    | { readonly open: OpenLive | undefined; readonly limits?: Partial<LiveHttpLimits> | undefined }
    | undefined;
  readonly logger: Logger;
  readiness(): Promise<Readiness>;
  /** Whether the gateway is about to end; default never. */
  readonly isDraining?: () => boolean;
  readonly limits?: Partial<HttpLimits> | undefined;
  readonly settings?: HttpSettings | undefined;
  readonly engineLimits?: Partial<EngineLimits> | undefined;
  /** Default: documents are sent as text. */
  readonly documents?: Documents | undefined;
  /** Absent: each operation has its line in the log, and nothing else is told of it. */
  readonly observer?: Observer;
  /** Default true. */
  readonly isExplorerOn?: boolean;
  /** Closed with the server. Absent: there are none. */
  readonly attachments?: Pick<AttachmentRoutes, 'library' | 'limits'> | undefined;
  /** What is to be had at `/metrics`; absent: nothing. */
  readonly metrics?: MetricsText | undefined;
}

const GRAPHQL_PATH = '/graphql';

/** Routes are in place; the caller listens, and closes with `closeHttpServer`. */
export function createHttpServer(options: HttpServerOptions): FastifyInstance {
  const { engine, logger, observer = createObserver({ logger }) } = options;
  const limits = { ...HTTP_LIMITS, ...options.limits };
  const settings = options.settings ?? HTTP_SETTINGS;
  const refusals = createRefusals({ logger, observer, limits, path: GRAPHQL_PATH });
  const uploading = new WeakSet<Socket>();
  const app = createApp(logger, limits, refusals, uploading);
  limitConnections(app, limits, refusals.refuse);
  registerSecurityHeaders(app);
  const isDraining = options.isDraining ?? (() => false);
  registerDraining(app, isDraining);
  registerCors(app, [GRAPHQL_PATH, ...ATTACHMENT_PATHS], settings.corsOrigins);
  const identity = options.identity ?? WITHOUT_IDENTITY;
  const live = createLiveHttp({
    open: options.live?.open,
    identity,
    observer,
    logger,
    limits: { ...LIVE_HTTP_LIMITS, ...options.live?.limits },
  });
  let isClosing = false;
  // Before the server waits for its connections to end.
  app.addHook('preClose', (done) => {
    isClosing = true;
    live.leaveAll();
    done();
  });
  const answer = registerGraphQLRoute(app, {
    path: GRAPHQL_PATH,
    engine,
    identity,
    logger,
    observer,
    limits,
    settings,
    documents: options.documents ?? createDocuments(),
    batchLimits: { ...ENGINE_LIMITS, ...options.engineLimits },
    live,
  });
  openDirectDoor(app.server, {
    path: GRAPHQL_PATH,
    answer,
    onBroken: refusals.broken,
    isLeaving: () => isClosing || isDraining(),
    limits,
  });
  registerRegistryDoor(app, { engine, identity, logger, observer, limits });
  if (options.attachments !== undefined) {
    const { corsOrigins } = settings;
    registerAttachmentRoutes(app, { ...options.attachments, identity, corsOrigins, logger, uploading });
  }
  registerHealth(app, options.readiness);
  if (options.metrics !== undefined) registerMetrics(app, options.metrics);
  registerPages(app, options.isExplorerOn ?? true);
  app.setNotFoundHandler(refusals.notFound);
  app.setErrorHandler(refusals.failed);
  return app;
}

/** Without a route. @param uploading sockets on which bounds of an upload's own hold */
function createApp(
  logger: Logger,
  limits: HttpLimits,
  refusals: Refusals,
  uploading: WeakSet<Socket>,
): FastifyInstance {
  return Fastify({
    loggerInstance: withoutChildren(logger),
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: limits.bodyBytesMax,
    http: nodeServerOptions(limits),
    requestTimeout: limits.requestTimeoutMs,
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    forceCloseConnections: 'idle',
    // Whoever still comes on a connection that is open is answered, and told to close it.
    return503OnClosing: false,
    frameworkErrors: refusals.failed,
    clientErrorHandler: (error, socket) => {
      // Bounds of its own hold for an upload: the time for a whole request is too short for it.
      const isUpload = error.code === 'ERR_HTTP_REQUEST_TIMEOUT' && uploading.has(socket);
      if (!isUpload) refusals.malformed(error, socket);
    },
  }) as unknown as FastifyInstance;
}

/**
 * What is logged of a request carries its trace id: it needs no logger of its own. A `childLoggerFactory` would say the same,
 * and have what it gives looked at with every request.
 */
function withoutChildren(logger: Logger): Logger {
  const alone: Logger = Object.create(logger, { child: { value: () => alone } });
  return alone;
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
