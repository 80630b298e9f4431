// The gateway's settings, read once from the environment.
import { collectProblems, logLevel, milliseconds, type Problems, port, readConfig } from '@weft/core/config';
import { OperatorError } from '@weft/core/errors';
import type { SubgraphKey } from '@weft/core/signatures/keys';
import { EVENT_LOG_SHAPE } from '@weft/events/setting';
import { z } from 'zod';
import { ATTACHMENT_LIMITS } from './attachments/limits.ts';
import type { OnUnauthorized } from './authority/authority.ts';
import type { Policy } from './authority/requirement.ts';
import { type ManifestEntry, readKeys, readManifest, readPolicies, requireFile } from './config-files.ts';
import {
  DOCUMENT_SETTINGS,
  DOCUMENTS_SHAPE,
  type DocumentSettings,
  readDocumentSettings,
} from './documents/settings.ts';
import { createHeaderPicker } from './fetch/forwarded-headers.ts';
import { type HttpSettings, readOrigins } from './http/settings.ts';
import { IDENTITY_SHAPE, type IdentitySettings, readIdentitySettings } from './identity/settings.ts';
import { ENGINE_LIMITS } from './limits.ts';
import { LIVE_HTTP_LIMITS, type LiveHttpLimits } from './live-http/limits.ts';
import { OBSERVE_SHAPE, type ObserveSettings, observeSettings } from './observe/settings.ts';
import { REGISTRY_SHAPE, type RegistrySettings, readRegistrySettings } from './registry/settings.ts';
import { WEBSOCKET_LIMITS, type WebSocketLimits } from './websocket/limits.ts';

const SOCKETS_MAX = 1_000_000;
const streamsMax = z.coerce
  .number()
  .int('expected a whole number')
  .min(0, 'expected 0 or more')
  .default(LIVE_HTTP_LIMITS.streamsPerAddressMax);
const socketsMax = (byDefault: number) =>
  z.coerce
    .number()
    .int('expected a whole number')
    .min(0, 'expected 0 or more')
    .max(SOCKETS_MAX, `expected at most ${SOCKETS_MAX}`)
    .default(byDefault);
const onOrOff = z.enum(['true', 'false']);

/** Of the environment, each by its name. */
export const GATEWAY_SETTINGS = {
  PORT: port.default(4000),
  WEFT_HOST: z.string().default('127.0.0.1'),
  WEFT_LOG_LEVEL: logLevel,
  /** Where the event log is; without it live fields of the log are refused and all else works. */
  DATABASE_URL: z.string().optional(),
  /** What carries the log live: `postgres`, or the URL of a Redis or a NATS. */
  EVENT_LOG: EVENT_LOG_SHAPE,
  /** `{ "subgraphs": [{ "name", "url", "sdlFile", "subscriptions": { "url", "protocol" } }] }`, files relative to the manifest. */
  WEFT_SUBGRAPHS_FILE: z.string().optional(),
  /** A composed supergraph; with a manifest beside it, the manifest's addresses hold. */
  WEFT_SUPERGRAPH_FILE: z.string().optional(),
  ...REGISTRY_SHAPE,
  /** `{ "cursorKeys": [{ "id", "secret" }], "subgraphKeys": [{ "id", "secret", "subgraphs" }] }`: the first signs, all verify. */
  WEFT_KEYS_FILE: z.string().optional(),
  /** After SIGTERM the gateway is not ready and takes requests all the same, until a load balancer has noticed. */
  WEFT_DRAIN_GRACE_MS: milliseconds(600_000).default(10_000),
  /** What is in flight after that is waited for; then it is cut off. Longer than an operation may take. */
  WEFT_DRAIN_TIMEOUT_MS: milliseconds(600_000).default(16_000),
  /** `apollo` runs the executor of `@apollo/gateway`, the reference that ours is compared with. */
  WEFT_ENGINE: z.enum(['weft', 'apollo']).default('weft'),
  /** The planner that is asked first; `auto`: the one that is right most often. */
  WEFT_PLANNER: z.enum(['auto', 'apollo', 'hive']).default('auto'),
  /** Whether equal fetches of equal authority that are under way at the same moment share one answer. */
  WEFT_SHARE_IN_FLIGHT: z.enum(['true', 'false']).default('false'),
  /** `{ "policies": [{ "name", "roles", "scopes" }] }`: who meets which `@policy`; one that is not named is met by nobody. */
  WEFT_POLICIES_FILE: z.string().optional(),
  /** What becomes of an operation that asks for what its asker may not have: null where it would be, or no answer at all. */
  WEFT_UNAUTHORIZED: z.enum(['null', 'reject']).default('null'),
  /** Names of labels of progressive `@override` that are switched on, with commas between them. */
  WEFT_OVERRIDE_LABELS: z.string().optional(),
  /** Names of client headers that are sent on to every subgraph, with commas between them. */
  WEFT_FORWARDED_HEADERS: z.string().optional(),
  ...IDENTITY_SHAPE,
  /** Whether a GET needs a header that no other site's page can have a browser send unasked. */
  WEFT_CSRF: onOrOff.default('true'),
  /** Exact origins whose pages may ask, with commas between them. */
  WEFT_CORS_ORIGINS: z.string().optional(),
  /** Whether answers are compressed for clients that take it. */
  WEFT_COMPRESSION: onOrOff.default('true'),
  /** Whether a body may be a list of requests. */
  WEFT_BATCHING: onOrOff.default('false'),
  /** Live streams over HTTP that one principal may hold open; 0: as many as there are. */
  WEFT_STREAMS_PER_PRINCIPAL_MAX: streamsMax,
  /** The same of one client address: 0 behind a load balancer, whose address is that of all. */
  WEFT_STREAMS_PER_ADDRESS_MAX: streamsMax,
  /** WebSockets that a gateway holds open; the next upgrade is answered 503. */
  WEFT_SOCKETS_MAX: socketsMax(WEBSOCKET_LIMITS.connectionsMax),
  /** WebSockets that one who gave credentials may hold open; the next closes with 4429. */
  WEFT_SOCKETS_PER_PRINCIPAL_MAX: socketsMax(WEBSOCKET_LIMITS.connectionsPerPrincipalMax),
  /** The same of one client address; the next upgrade is answered 429. 0 behind a load balancer: as many as there are. */
  WEFT_SOCKETS_PER_ADDRESS_MAX: socketsMax(WEBSOCKET_LIMITS.connectionsPerAddressMax),
  ...DOCUMENTS_SHAPE,
  /** Whether clients are told the messages of subgraphs' errors that have no code of ours. */
  WEFT_SUBGRAPH_MESSAGES: z.enum(['coded', 'all']).default('coded'),
  /** How long single subgraphs may take, in milliseconds: `registry=15000,police=8000`. */
  WEFT_SUBGRAPH_TIMEOUTS_MS: z.string().optional(),
  /** The most that one operation may be estimated to cost. */
  WEFT_COST_MAX: z.coerce.number().int('expected a whole number').min(1, 'expected 1 or more').optional(),
  /** Whether clients may ask for the schema; unset: not in production. */
  WEFT_INTROSPECTION: onOrOff.optional(),
  /** The incident library's endpoint of attachments; unset: there are none. */
  WEFT_ATTACHMENTS_URL: z.url({ protocol: /^https?$/, error: 'expected http://… or https://…' }).optional(),
  /** Bytes of one attachment. */
  WEFT_ATTACHMENT_BYTES_MAX: z.coerce
    .number()
    .int('expected whole bytes')
    .min(1, 'expected 1 or more')
    .max(2_000_000_000, 'expected at most 2000000000')
    .default(ATTACHMENT_LIMITS.bytesMax),
  ...OBSERVE_SHAPE,
};

export interface GatewayConfig {
  readonly port: number;
  readonly host: string;
  readonly logLevel: string;
  readonly databaseUrl: string | undefined;
  /** Default `postgres`. */
  readonly eventLog?: string;
  readonly supergraphFile: string | undefined;
  /** Where `manifest` was read; when it changes it is read again. */
  readonly manifestFile?: string | undefined;
  /** Undefined when only a supergraph is given. */
  readonly manifest: readonly ManifestEntry[] | undefined;
  /** Undefined: the graph is that of the files; else they are served when nothing else can be had at the start. */
  readonly registry?: RegistrySettings | undefined;
  /** Default `weft`. */
  readonly engine?: 'weft' | 'apollo' | undefined;
  /** Undefined: the engine's choice. */
  readonly planner?: 'apollo' | 'hive' | undefined;
  /** Default false. */
  readonly shareInFlight?: boolean | undefined;
  /** Names of client headers that are sent on to every subgraph; default none. Checked by `createHeaderPicker`. */
  readonly forwardedHeaders?: readonly string[] | undefined;
  /** Names of labels of progressive `@override` that are switched on; default none. */
  readonly overrideLabels?: readonly string[] | undefined;
  /** Who meets which `@policy`; default: nobody any. */
  readonly policies?: readonly Policy[] | undefined;
  /** Default `null`. */
  readonly onUnauthorized?: OnUnauthorized | undefined;
  /** Whose credentials are taken; default nobody's. */
  readonly identity?: IdentitySettings | undefined;
  /** Whether clients are told the messages of subgraphs' errors that have no code of ours; default true. */
  readonly tellsOwnWords?: boolean | undefined;
  /** How long single subgraphs may take, in milliseconds, by name; undefined: as `ENGINE_LIMITS` says for all. */
  readonly subgraphTimeouts?: ReadonlyMap<string, number> | undefined;
  /** Undefined: that of `ENGINE_LIMITS`. */
  readonly costMax?: number | undefined;
  /** Whether clients may ask for the schema, and are told names that are like a wrong one; default true. */
  readonly introspection?: boolean | undefined;
  /** Default `DOCUMENT_SETTINGS`. */
  readonly documents?: DocumentSettings | undefined;
  /** Default `HTTP_SETTINGS`. */
  readonly http?: HttpSettings | undefined;
  /** Default those of `LIVE_HTTP_LIMITS`. */
  readonly live?: Pick<LiveHttpLimits, 'streamsPerPrincipalMax' | 'streamsPerAddressMax'> | undefined;
  /** Default those of `WEBSOCKET_LIMITS`. */
  readonly sockets?: SocketLimits | undefined;
  /** Where attachments are; undefined: there are none. */
  readonly attachments?: AttachmentSettings | undefined;
  /** What shows itself, and to whom; undefined: nothing. */
  readonly observe?: ObserveSettings | undefined;
  /** Undefined: cursors are signed with a key of this process and die with it. */
  readonly cursorKeys: readonly { readonly id: string; readonly secret: string }[] | undefined;
  /** Undefined: what is sent to subgraphs is not signed. */
  readonly subgraphKeys?: readonly SubgraphKey[] | undefined;
  /** From SIGTERM until nothing more is taken; default 0. */
  readonly drainGraceMs?: number | undefined;
  /** For what is in flight then; default the limits of the transports. */
  readonly drainTimeoutMs?: number | undefined;
}

/** The incident library's endpoint, and the bytes of one. */
export interface AttachmentSettings {
  readonly url: URL;
  readonly bytesMax: number;
}

type SocketLimits = Pick<
  WebSocketLimits,
  'connectionsMax' | 'connectionsPerPrincipalMax' | 'connectionsPerAddressMax'
>;

/** 0 in a setting means as many as there are. */
function orNone(max: number): number {
  return max === 0 ? Number.POSITIVE_INFINITY : max;
}

/** @throws OperatorError naming every setting that is wrong, and everything that is wrong in the files they name */
export function readGatewayConfig(env: Readonly<Record<string, string | undefined>>): GatewayConfig {
  const problems = collectProblems();
  const settings = problems.attempt(() => readConfig(GATEWAY_SETTINGS, env));
  const { manifestFile, supergraphFile, manifest, keys, policies } = readFiles(env, problems);
  const forwardedHeaders = problems.attempt(() => headerNames(env.WEFT_FORWARDED_HEADERS));
  const corsOrigins = problems.attempt(() => readOrigins(env.WEFT_CORS_ORIGINS || undefined));
  const documents =
    settings === undefined ? undefined : problems.attempt(() => readDocumentSettings(settings));
  const identity =
    settings === undefined ? undefined : problems.attempt(() => readIdentitySettings(settings));
  const observe = settings === undefined ? undefined : problems.attempt(() => observeSettings(settings));
  const registry =
    settings === undefined ? undefined : problems.attempt(() => readRegistrySettings(settings));
  if (registry !== undefined) problems.attempt(() => requireGuardedEngine(settings?.WEFT_ENGINE));
  const subgraphTimeouts = problems.attempt(() => readTimeouts(settings?.WEFT_SUBGRAPH_TIMEOUTS_MS));
  if (settings === undefined || problems.found.length > 0) throw problems.toError();
  return Object.freeze({
    port: settings.PORT,
    host: settings.WEFT_HOST,
    logLevel: settings.WEFT_LOG_LEVEL,
    databaseUrl: settings.DATABASE_URL,
    eventLog: settings.EVENT_LOG,
    supergraphFile,
    manifestFile,
    registry,
    engine: settings.WEFT_ENGINE,
    planner: settings.WEFT_PLANNER === 'auto' ? undefined : settings.WEFT_PLANNER,
    shareInFlight: settings.WEFT_SHARE_IN_FLIGHT === 'true',
    forwardedHeaders,
    overrideLabels: namesIn(settings.WEFT_OVERRIDE_LABELS),
    policies: policies ?? [],
    onUnauthorized: settings.WEFT_UNAUTHORIZED,
    identity,
    manifest,
    cursorKeys: keys?.cursorKeys,
    subgraphKeys: keys?.subgraphKeys,
    drainGraceMs: settings.WEFT_DRAIN_GRACE_MS,
    drainTimeoutMs: settings.WEFT_DRAIN_TIMEOUT_MS,
    tellsOwnWords: settings.WEFT_SUBGRAPH_MESSAGES === 'all',
    subgraphTimeouts,
    costMax: settings.WEFT_COST_MAX,
    introspection: isOn(settings.WEFT_INTROSPECTION, settings.NODE_ENV !== 'production'),
    http: Object.freeze({
      csrf: settings.WEFT_CSRF === 'true',
      corsOrigins: corsOrigins ?? new Set(),
      compression: settings.WEFT_COMPRESSION === 'true',
      batching: settings.WEFT_BATCHING === 'true',
    }),
    live: Object.freeze({
      streamsPerPrincipalMax: settings.WEFT_STREAMS_PER_PRINCIPAL_MAX,
      streamsPerAddressMax: settings.WEFT_STREAMS_PER_ADDRESS_MAX,
    }),
    sockets: Object.freeze({
      connectionsMax: orNone(settings.WEFT_SOCKETS_MAX),
      connectionsPerPrincipalMax: orNone(settings.WEFT_SOCKETS_PER_PRINCIPAL_MAX),
      connectionsPerAddressMax: orNone(settings.WEFT_SOCKETS_PER_ADDRESS_MAX),
    }),
    attachments: attachmentSettings(settings),
    documents: documents ?? DOCUMENT_SETTINGS,
    observe,
  });
}

/** What is in the files that settings name, whether or not the other settings are right. */
function readFiles(env: Readonly<Record<string, string | undefined>>, problems: Problems) {
  const manifestFile = env.WEFT_SUBGRAPHS_FILE || undefined;
  const supergraphFile = env.WEFT_SUPERGRAPH_FILE || undefined;
  const keysFile = env.WEFT_KEYS_FILE || undefined;
  problems.attempt(() => requireGraph(manifestFile, supergraphFile, env.WEFT_REGISTRY_URL || undefined));
  const manifest =
    manifestFile === undefined ? undefined : problems.attempt(() => readManifest(manifestFile));
  if (supergraphFile === undefined) {
    for (const { sdlFile } of manifest ?? [])
      if (sdlFile !== undefined) problems.attempt(() => requireFile('WEFT_SUBGRAPHS_FILE', sdlFile));
  }
  const keys = keysFile === undefined ? undefined : problems.attempt(() => readKeys(keysFile));
  const policiesFile = env.WEFT_POLICIES_FILE || undefined;
  const policies = policiesFile === undefined ? [] : problems.attempt(() => readPolicies(policiesFile));
  return { manifestFile, supergraphFile, manifest, keys, policies };
}

function attachmentSettings(settings: {
  readonly WEFT_ATTACHMENTS_URL?: string | undefined;
  readonly WEFT_ATTACHMENT_BYTES_MAX: number;
}): AttachmentSettings | undefined {
  const { WEFT_ATTACHMENTS_URL: url, WEFT_ATTACHMENT_BYTES_MAX: bytesMax } = settings;
  return url === undefined ? undefined : { url: new URL(url), bytesMax };
}

/** What stands between commas. */
function namesIn(list: string | undefined): readonly string[] {
  const names = (list ?? '').split(',').map((name) => name.trim());
  return names.filter((name) => name !== '');
}

/** @throws OperatorError for what is no name with whole milliseconds that an operation can have */
function readTimeouts(list: string | undefined): ReadonlyMap<string, number> | undefined {
  const entries = namesIn(list).map((entry) => {
    const [name = '', ms = '', ...more] = entry.split('=').map((part) => part.trim());
    const isRight = name !== '' && more.length === 0 && /^[1-9]\d{0,8}$/.test(ms);
    if (isRight && Number(ms) <= ENGINE_LIMITS.operationTimeoutMs) return [name, Number(ms)] as const;
    throw new OperatorError(
      `WEFT_SUBGRAPH_TIMEOUTS_MS: expected NAME=MILLISECONDS up to ${ENGINE_LIMITS.operationTimeoutMs}, with commas, got '${entry}'`,
      { exitCode: 2 },
    );
  });
  return entries.length === 0 ? undefined : new Map(entries);
}

function isOn(setting: 'true' | 'false' | undefined, byDefault: boolean): boolean {
  return setting === undefined ? byDefault : setting === 'true';
}

function requireGraph(
  manifestFile: string | undefined,
  supergraphFile: string | undefined,
  registryUrl: string | undefined,
): void {
  if (supergraphFile !== undefined) requireFile('WEFT_SUPERGRAPH_FILE', supergraphFile);
  else if (manifestFile === undefined && registryUrl === undefined) throw noGraph();
}

function noGraph(): OperatorError {
  return new OperatorError(
    'settings: no graph is given: set WEFT_SUPERGRAPH_FILE to a supergraph, WEFT_SUBGRAPHS_FILE to a manifest or WEFT_REGISTRY_URL to a registry',
    { exitCode: 2 },
  );
}

/** The reference engine connects as its library does, which no guard of addresses sees. */
function requireGuardedEngine(engine: string | undefined): void {
  if (engine === 'apollo')
    throw new OperatorError('WEFT_ENGINE: apollo takes its graph from files, not from WEFT_REGISTRY_URL', {
      exitCode: 2,
    });
}

/** @throws OperatorError naming a header that may not be forwarded */
function headerNames(list: string | undefined): readonly string[] {
  const given = namesIn(list);
  try {
    createHeaderPicker(given);
  } catch (thrown) {
    throw new OperatorError(`WEFT_FORWARDED_HEADERS: ${(thrown as OperatorError).message}`, { exitCode: 2 });
  }
  return given;
}
