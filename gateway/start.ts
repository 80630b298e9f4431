// Puts a gateway together: generations of the engine, event log, HTTP and WebSocket on one port.
import { randomBytes } from 'node:crypto';
import type { AddressGuard } from '@weft/core/address-guard';
import { delay } from '@weft/core/deadline';
import { OperatorError } from '@weft/core/errors';
import type { Logger } from '@weft/core/logger';
import type { Started } from '@weft/core/process';
import type { EventLog } from '@weft/events/event-log';
import type { FastifyInstance } from 'fastify';
import { openLibrary } from './attachments/library.ts';
import { ATTACHMENT_LIMITS, type AttachmentLimits } from './attachments/limits.ts';
import type { GatewayConfig } from './config.ts';
import { checkTrustedDocuments } from './documents/check-trusted.ts';
import { createDocuments, type Documents } from './documents/documents.ts';
import { HTTP_LIMITS, type HttpLimits } from './http/limits.ts';
import { closeHttpServer, createHttpServer } from './http/server.ts';
import { type Identity, openIdentity } from './identity/identity.ts';
import type { IdentityLimits } from './identity/limits.ts';
import type { EngineLimits } from './limits.ts';
import type { LiveHttpLimits } from './live-http/limits.ts';
import { NO_EVENT_LOG } from './no-event-log.ts';
import { joinMeters } from './observe/meter.ts';
import type { Metrics } from './observe/metrics.ts';
import { type MetricsServer, startMetricsServer } from './observe/metrics-server.ts';
import { type Observation, openObservation } from './observe/observation.ts';
import { NOTHING_SHOWN } from './observe/settings.ts';
import { type Draining, readReadiness } from './readiness.ts';
import type { DriftLimits } from './registry/drift.ts';
import type { RegistryLimits } from './registry/limits.ts';
import { openRegistry } from './registry/open-registry.ts';
import type { UsageLimits } from './registry/usage-limits.ts';
import type { GraphSource } from './reload/graph-source.ts';
import type { ReloadLimits } from './reload/limits.ts';
import { openReloader, type Reloader, type ReloadOutcome } from './reload/reloader.ts';
import type { KeyRing } from './subscribe/cursor.ts';
import { createEventStreams, type EventStreams } from './subscribe/event-streams.ts';
import { createUpstreamSources } from './upstream/live-source.ts';
import { createUpstreamSubscriptions, type UpstreamSubscriptions } from './upstream/subscriptions.ts';
import { WEBSOCKET_LIMITS } from './websocket/limits.ts';
import { originGuard } from './websocket/origin.ts';
import { attachWebSocket, type WebSocketTransport } from './websocket/server.ts';

export interface GatewayOptions {
  readonly config: GatewayConfig;
  readonly logger: Logger;
  readonly limits?: Partial<EngineLimits>;
  readonly reloadLimits?: Partial<ReloadLimits>;
  readonly registryLimits?: Partial<RegistryLimits>;
  readonly usageLimits?: Partial<UsageLimits>;
  readonly driftLimits?: Partial<DriftLimits>;
  readonly identityLimits?: Partial<IdentityLimits>;
  readonly httpLimits?: Partial<HttpLimits>;
  readonly liveLimits?: Partial<LiveHttpLimits>;
  readonly attachmentLimits?: Partial<AttachmentLimits>;
}

export interface StartedGateway extends Started {
  /** Takes the graph of now from its files or its registry, as a change of it does. Never rejects. */
  reload(): Promise<ReloadOutcome>;
}

/**
 * Starts a gateway; it answers whether or not its subgraphs and its database do, and reloads its graph when its files
 * change. `close()` takes no more requests, lets those in flight end in bounded time, and frees sockets, log and server.
 * @throws OperatorError when the graph, a file of keys or the port cannot be used
 */
export async function startGateway(options: GatewayOptions): Promise<StartedGateway> {
  const { config, logger, reloadLimits = {} } = options;
  const limits = engineLimits(options);
  const { forwardedHeaders, identity: settings = {} } = config;
  const identity = await openIdentity({ settings, forwardedHeaders, logger, limits: options.identityLimits });
  const { observe = NOTHING_SHOWN } = config;
  const registry = openRegistry(options);
  const { source, addressGuard, usage } = registry;
  const observation = await openObservation(observe, logger, usage && [usage]);
  const { metrics } = observation;
  const reloader = await openReloader({
    config,
    source,
    logger,
    limits,
    reloadLimits,
    metrics,
    meter: joinMeters(metrics, usage?.meter),
    notesUse: usage !== undefined,
    addressGuard,
  });
  const log = await openLog(config, logger);
  registry.begin({ log });
  const { streams, upstreams } = openStreams({ log, reloader, config, logger, limits, addressGuard });
  const draining: Draining = { isDraining: false };
  const documents = createDocuments(config.documents);
  const drain = drainLimits(config);
  const { app, sockets } = openDoors(options, {
    identity,
    observation,
    source,
    reloader,
    log,
    streams,
    draining,
    documents,
  });
  metrics?.setReadings({
    ...readingsOf(reloader, sockets, streams, upstreams),
    drift: () => registry.drift,
  });
  let metricsServer: MetricsServer | undefined;
  const close = async () => {
    draining.isDraining = true;
    await registry.stopListening();
    await closeAll({ sockets, app, drainTimeoutMs: drain.requestsMs, identity, upstreams, reloader, log });
    // Last: what ends while the gateway closes is counted and sent too.
    await Promise.all([observation.close(), registry.close(), metricsServer?.close()]);
  };
  try {
    metricsServer = await openMetricsServer(metrics, config);
    const port = await listen(app, config);
    const engine = () => reloader.generations.current.engine;
    void checkTrustedDocuments(config.documents?.trusted, engine, logger, () => draining.isDraining);
    const urls = { ...urlsOf(config, port), ...(metricsServer && { metrics: metricsServer.url }) };
    tellWhatServes(config, reloader, log, logger);
    return {
      urls,
      reload: reloader.reload,
      drain: () => leaveRotation(draining, drain.graceMs, logger),
      stopMsMax: drain.graceMs + Math.max(drain.requestsMs, drain.socketsMs) + STOP_RESERVE_MS,
      close,
    };
  } catch (thrown) {
    await close();
    throw thrown;
  }
}

function tellWhatServes(
  { engine, planner, eventLog = 'postgres' }: GatewayConfig,
  { generations }: Reloader,
  log: EventLog | undefined,
  logger: Logger,
): void {
  // Without what follows: the address of a log may hold a password.
  const liveFields = log === undefined ? 'of subgraphs only: no DATABASE_URL' : eventLog.split(':', 1)[0];
  const graph = generations.current.id;
  logger.info({ engine, planner: planner ?? 'auto', graph, liveFields }, 'the gateway serves');
}

interface DoorParts {
  readonly identity: Identity;
  readonly observation: Observation;
  readonly source: GraphSource;
  readonly reloader: Reloader;
  readonly log: EventLog | undefined;
  readonly streams: EventStreams;
  readonly draining: Draining;
  readonly documents: Documents;
}

interface Doors {
  readonly app: FastifyInstance;
  readonly sockets: WebSocketTransport;
}

/** HTTP and WebSocket, not listening yet. */
function openDoors(options: GatewayOptions, parts: DoorParts): Doors {
  const { config, logger } = options;
  const { identity, observation, source, reloader, log, streams, draining, documents } = parts;
  const { observe = NOTHING_SHOWN, forwardedHeaders } = config;
  const { observer, metrics } = observation;
  const engine = () => reloader.generations.current.engine;
  const app = createHttpServer({
    engine,
    identity,
    logger,
    readiness: () => readReadiness({ reloader, source, log, draining }),
    isDraining: () => draining.isDraining,
    settings: config.http,
    limits: options.httpLimits,
    live: { open: streams.open, limits: { ...config.live, ...options.liveLimits } },
    engineLimits: engineLimits(options),
    documents,
    observer,
    attachments: openAttachments(options),
    isExplorerOn: observe.isExplorerOn,
    metrics: observe.metrics === 'main' ? metrics : undefined,
  });
  const sockets = attachWebSocket({
    server: app.server,
    path: '/graphql',
    engine,
    identity,
    streams,
    logger,
    observer,
    documents,
    allowsOrigin: originGuard(config.http),
    forwardedHeaders,
    limits: { ...config.sockets, drainTimeoutMs: drainLimits(config).socketsMs },
  });
  return { app, sockets };
}

/** What metrics are read from when they are asked for. */
function readingsOf(
  { generations }: Reloader,
  sockets: WebSocketTransport,
  streams: EventStreams,
  upstreams: UpstreamSubscriptions,
): Omit<Parameters<Metrics['setReadings']>[0], 'drift'> {
  return {
    engine: () => generations.current.engine.status?.(),
    generation: () => generations.current,
    sockets: () => sockets.connections(),
    live: () => ({
      ...streams.figures(),
      streams: streams.liveSubscribers(),
      topics: streams.topics().length,
    }),
    upstreams: () => upstreams.readings(),
  };
}

/** Undefined where there are none. */
function openAttachments({ config, attachmentLimits }: GatewayOptions) {
  const { attachments, subgraphKeys } = config;
  if (attachments === undefined) return undefined;
  const limits = { ...ATTACHMENT_LIMITS, bytesMax: attachments.bytesMax, ...attachmentLimits };
  return { library: openLibrary(attachments.url, subgraphKeys, limits), limits };
}

function engineLimits({ config: { costMax }, limits }: GatewayOptions): Partial<EngineLimits> {
  return { ...(costMax === undefined ? {} : { costMax }), ...limits };
}

function openUpstreams(
  { subgraphKeys, tellsOwnWords }: GatewayConfig,
  logger: Logger,
  engineLimits: Partial<EngineLimits>,
  addressGuard: AddressGuard | undefined,
): UpstreamSubscriptions {
  const keepsBackOwnWords = tellsOwnWords === false;
  return createUpstreamSubscriptions({ logger, engineLimits, subgraphKeys, addressGuard, keepsBackOwnWords });
}

interface StreamParts {
  readonly log: EventLog | undefined;
  readonly reloader: Reloader;
  readonly config: GatewayConfig;
  readonly logger: Logger;
  readonly limits: Partial<EngineLimits>;
  readonly addressGuard: AddressGuard | undefined;
}

interface OpenStreams {
  readonly streams: EventStreams;
  readonly upstreams: UpstreamSubscriptions;
}

/** Without a log too: subscriptions that subgraphs serve need none. */
function openStreams({ log, reloader, config, logger, limits, addressGuard }: StreamParts): OpenStreams {
  const { generations } = reloader;
  const upstreams = openUpstreams(config, logger, limits, addressGuard);
  const { forwardedHeaders } = config;
  const streams = createEventStreams({
    log: log ?? NO_EVENT_LOG,
    engine: generations,
    queries: () => generations.current.engine,
    renewals: generations,
    sources: createUpstreamSources(upstreams, forwardedHeaders),
    forwardedHeaders,
    keyRing: keyRingOf(config, logger, log !== undefined),
    logger,
  });
  return { streams, upstreams };
}

/** Undefined unless metrics have a port of their own. */
async function openMetricsServer(
  metrics: Metrics | undefined,
  { host, observe }: GatewayConfig,
): Promise<MetricsServer | undefined> {
  const place = observe?.metrics;
  if (metrics === undefined || typeof place !== 'object') return undefined;
  return startMetricsServer(metrics, { host: place.host ?? host, port: place.port });
}

/** Loaded when it is needed: a gateway without a database does without its driver. */
async function openLog(
  { databaseUrl, eventLog = 'postgres' }: GatewayConfig,
  logger: Logger,
): Promise<EventLog | undefined> {
  if (databaseUrl === undefined) return undefined;
  const { openEventLog } = await import('@weft/events/open');
  return openEventLog({ eventLog, databaseUrl, logger });
}

/** For sockets to answer their closing handshake, and for planners, pools and the log to end. */
const STOP_RESERVE_MS = WEBSOCKET_LIMITS.closeTimeoutMs + 3_000;

interface DrainLimits {
  readonly graceMs: number;
  /** For requests in flight. */
  readonly requestsMs: number;
  /** For operations in flight on WebSockets. */
  readonly socketsMs: number;
}

function drainLimits({ drainGraceMs = 0, drainTimeoutMs }: GatewayConfig): DrainLimits {
  return {
    graceMs: drainGraceMs,
    requestsMs: drainTimeoutMs ?? HTTP_LIMITS.drainTimeoutMs,
    socketsMs: drainTimeoutMs ?? WEBSOCKET_LIMITS.drainTimeoutMs,
  };
}

async function leaveRotation(draining: Draining, graceMs: number, logger: Logger): Promise<void> {
  draining.isDraining = true;
  logger.info({ graceMs }, 'draining: not ready any more, and requests are taken until the grace is over');
  await delay(graceMs);
}

interface Parts {
  readonly sockets: WebSocketTransport;
  readonly app: FastifyInstance;
  readonly drainTimeoutMs: number;
  readonly identity: Identity;
  readonly upstreams: UpstreamSubscriptions;
  readonly reloader: Reloader;
  readonly log: EventLog | undefined;
}

async function closeAll(parts: Parts): Promise<void> {
  const { sockets, app, drainTimeoutMs } = parts;
  // Together: the server ends only when its upgraded sockets do, and must take nothing new while they drain.
  await Promise.all([sockets.close(1012), closeHttpServer(app, { drainTimeoutMs })]);
  await parts.upstreams.close();
  parts.identity.close();
  await parts.reloader.close();
  await parts.log?.close();
}

function keyRingOf(config: GatewayConfig, logger: Logger, hasLog: boolean): KeyRing {
  const [first, ...others] = config.cursorKeys ?? [];
  if (first !== undefined) return [first, ...others];
  if (hasLog) logger.warn('WEFT_KEYS_FILE is not set: cursors end with this process');
  return [{ id: 'process', secret: randomBytes(32) }];
}

async function listen(app: FastifyInstance, { host, port }: GatewayConfig): Promise<number> {
  try {
    await app.listen({ host, port });
  } catch (thrown) {
    throw listenError(thrown, host, port);
  }
  const address = app.server.address();
  return typeof address === 'object' && address !== null ? address.port : port;
}

function listenError(thrown: unknown, host: string, port: number): unknown {
  switch ((thrown as { readonly code?: string }).code) {
    case 'EADDRINUSE':
      return new OperatorError(
        `port ${port} is in use: stop what listens there, or give another with PORT or --port`,
        { cause: thrown },
      );
    case 'EACCES':
      return new OperatorError(`port ${port} may not be opened by this user: set PORT to 1024 or above`, {
        cause: thrown,
      });
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new OperatorError(`${host} is not an address of this machine: set WEFT_HOST`, { cause: thrown });
    default:
      return thrown;
  }
}

/** An address that a browser on this machine can open. */
function urlsOf(
  { host, observe = NOTHING_SHOWN }: GatewayConfig,
  port: number,
): Readonly<Record<string, string>> {
  const shown = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  const origin = `${shown.includes(':') ? `[${shown}]` : shown}:${port}`;
  return {
    graphql: `http://${origin}/graphql`,
    ws: `ws://${origin}/graphql`,
    dashboard: `http://${origin}/`,
    ...(observe.isExplorerOn ? { explorer: `http://${origin}/explorer` } : {}),
    ...(observe.metrics === 'main' ? { metrics: `http://${origin}/metrics` } : {}),
  };
}
