// The door for scripts (docs/registry.md): JSON over plain HTTP in front of the registry's own mutations, with the same credentials.
import { ERROR_CODES, type ErrorCode, HubError, isErrorCode } from '@weft/core/errors';
import type { Logger } from '@weft/core/logger';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ExecutionResult, GraphQLError } from 'graphql';
import { z } from 'zod';
import type { Engine } from '../engine.ts';
import { toGraphQLError } from '../execute/error-list.ts';
import type { Identity } from '../identity/identity.ts';
import type { Principal } from '../identity/principal.ts';
import type { Observer } from '../observe/observer.ts';
import { noteFailure, notePrepared, type OperationWatch } from '../observe/operation-watch.ts';
import { requirePostType } from './csrf.ts';
import type { HttpLimits } from './limits.ts';
import { HttpRefusal } from './refusal.ts';
import { tellRefusal } from './refusal-headers.ts';
import { answerWhole } from './run-operation.ts';

export interface RegistryDoorOptions {
  /** The engine of now. */
  engine(): Engine;
  readonly identity: Pick<Identity, 'identify'>;
  readonly logger: Logger;
  readonly observer: Observer;
  readonly limits: Pick<HttpLimits, 'partDrainTimeoutMs'>;
}

const FILE = z.object({ path: z.string(), text: z.string() });

/** A version as a script gives it; `name` is its system. */
const VERSION = z.object({
  name: z.string(),
  url: z.string(),
  sdl: z.string(),
  subscriptions: z.object({ url: z.string().optional(), protocol: z.string().optional() }).optional(),
  folder: z.array(FILE).optional(),
  commit: z.string().optional(),
  expectedVersion: z.union([z.string(), z.number().int()]).transform(String).optional(),
});

const PUBLISH = VERSION.extend({
  title: z.string().optional(),
  owner: z.string().optional(),
  contact: z.string().optional(),
  dataSharingBasis: z.string().optional(),
  requiresApproval: z.boolean().optional(),
  reason: z.string().optional(),
  expectedPublication: z.number().int().optional(),
  requestId: z.string().optional(),
});

const CHECK = z.union([z.object({ changes: z.array(VERSION).min(1) }), VERSION]);
const HEARTBEAT = z.object({
  name: z.string(),
  instance: z.string(),
  seconds: z.number().int().optional(),
});

const CHECK_FIELDS = `id verdict code approvedBy
  problems { code level message systems coordinate file line }
  hints { code level message systems coordinate file line }
  operations { coordinate message operation { name hash clientName clientVersion count lastSeen } }`;

const DOCUMENTS = {
  publish: `mutation RegistryPublish($input: PublishInput!) {
    publishVersions(input: $input) {
      changed publication { number } versions { id number } hints { code level message systems coordinate file line }
    }
  }`,
  check: `query RegistryCheck($changes: [VersionInput!]!) { checkVersions(changes: $changes) { ${CHECK_FIELDS} } }`,
  heartbeat: `mutation RegistryHeartbeat($name: ID!, $instance: ID!, $seconds: Int) {
    heartbeat(name: $name, instance: $instance, seconds: $seconds) { state instance seenAt expiresAt }
  }`,
  systems: `query RegistrySystems {
    systems(first: 500) {
      name title kind state reason lastSeen owner errorRate latency { p50Ms p99Ms }
      version { id number } lease { state expiresAt } quarantine { mode reason since } drift { since differences }
    }
  }`,
} as const;

/** What a request asks the registry, and the status of an answer without errors. */
interface Asked {
  readonly document: string;
  readonly variables: Readonly<Record<string, unknown>>;
  readonly status: number;
}

/** `POST /registry`, `/registry/check` and `/registry/heartbeat`, and `GET /registry/systems`. */
export function registerRegistryDoor(app: FastifyInstance, options: RegistryDoorOptions): void {
  app.post('/registry', (request, reply) => handle(options, request, reply, readPublish));
  app.post('/registry/check', (request, reply) => handle(options, request, reply, readCheck));
  app.post('/registry/heartbeat', (request, reply) => handle(options, request, reply, readHeartbeat));
  app.get('/registry/systems', (request, reply) =>
    handle(options, request, reply, () => ({ document: DOCUMENTS.systems, variables: {}, status: 200 })),
  );
}

function readPublish(request: FastifyRequest): Asked {
  const body = decode(request, PUBLISH);
  const { title, owner, contact, dataSharingBasis, requiresApproval, ...others } = body;
  const { reason, expectedPublication, requestId, ...version } = others;
  const register = { name: body.name, title, owner, contact, dataSharingBasis, requiresApproval };
  const input = {
    register: [register],
    versions: [toVersionInput(version)],
    reason,
    expectedPublication,
    requestId,
  };
  return { document: DOCUMENTS.publish, variables: { input }, status: 201 };
}

function readCheck(request: FastifyRequest): Asked {
  const body = decode(request, CHECK);
  const changes = 'changes' in body ? body.changes : [body];
  return { document: DOCUMENTS.check, variables: { changes: changes.map(toVersionInput) }, status: 200 };
}

function readHeartbeat(request: FastifyRequest): Asked {
  return { document: DOCUMENTS.heartbeat, variables: decode(request, HEARTBEAT), status: 200 };
}

function toVersionInput({ name, ...version }: z.infer<typeof VERSION>): Readonly<Record<string, unknown>> {
  return { system: name, ...version };
}

/** @throws HubError BAD_USER_INPUT naming each member that is wrong */
function decode<Schema extends z.ZodType>(
  { headers, body }: FastifyRequest,
  schema: Schema,
): z.infer<Schema> {
  requirePostType(headers);
  let value: unknown;
  try {
    value = JSON.parse(typeof body === 'string' ? body : '');
  } catch (cause) {
    throw new HubError('BAD_USER_INPUT', 'The body is not JSON.', { cause });
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(
    ({ path, message }) => `${path.join('.') || 'the body'}: ${message}`,
  );
  throw new HubError('BAD_USER_INPUT', problems.join('; '));
}

async function handle(
  options: RegistryDoorOptions,
  request: FastifyRequest,
  reply: FastifyReply,
  read: (request: FastifyRequest) => Asked,
): Promise<FastifyReply> {
  const watch = options.observer.open('http', request.headers);
  reply.header('cache-control', 'no-store');
  try {
    const principal = await options.identity.identify(request.headers);
    const asked = read(request);
    const result = await run(options, asked, { request, reply, principal, watch });
    const [error] = result.errors ?? [];
    if (error === undefined) return reply.code(asked.status).send(dataOf(result));
    const found = await problemsOf(options, asked, error, { request, reply, principal, watch });
    return reply.code(statusOf(error.extensions.code)).send({ errors: result.errors, ...found });
  } catch (thrown) {
    return refuse(options, reply, watch, thrown);
  } finally {
    options.observer.close(watch);
  }
}

interface Call {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly principal: Principal;
  readonly watch: OperationWatch;
}

/** @throws HubError NOT_FOUND when the graph has no registry */
async function run(
  options: RegistryDoorOptions,
  { document, variables }: Pick<Asked, 'document' | 'variables'>,
  { request, reply, principal, watch }: Call,
): Promise<ExecutionResult> {
  const { observer, limits } = options;
  const engine = options.engine();
  const prepared = await engine.prepare(document, undefined, principal);
  if ('errors' in prepared) {
    const isMissing = prepared.errors.some(
      ({ extensions: { code } }) => code === 'GRAPHQL_VALIDATION_FAILED',
    );
    if (isMissing) throw new HubError('NOT_FOUND', 'The graph of this gateway has no registry.');
    return { errors: prepared.errors };
  }
  notePrepared(watch, prepared, { operationName: undefined, query: document });
  const asked = { query: document, operationName: undefined, variables };
  const { headers } = request;
  const operation = { engine, prepared, request: asked, principal, headers, watch };
  return await answerWhole({ observer, limits, vary: 'accept-encoding' }, operation, reply);
}

/** What exactly does not compose: an error has no room for it. */
async function problemsOf(
  options: RegistryDoorOptions,
  { document, variables }: Asked,
  { extensions: { code } }: GraphQLError,
  call: Call,
): Promise<Readonly<Record<string, unknown>>> {
  if (document !== DOCUMENTS.publish || (code !== 'COMPOSITION_FAILED' && code !== 'CHECK_FAILED')) return {};
  const { versions } = variables.input as { readonly versions: unknown };
  const { data } = await run(options, { document: DOCUMENTS.check, variables: { changes: versions } }, call);
  const { problems, operations } = (data?.checkVersions ?? {}) as Readonly<Record<string, unknown>>;
  return { ...(Array.isArray(problems) && { problems }), ...(Array.isArray(operations) && { operations }) };
}

/** Each of its documents has one field. */
function dataOf({ data }: ExecutionResult): unknown {
  const [value] = Object.values(data ?? {});
  return value;
}

/** A registry that cannot be reached is the hub's own part that is away. */
const AWAY: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['UPSTREAM_UNAVAILABLE', 'STORE_UNAVAILABLE']);

function statusOf(code: unknown): number {
  if (!isErrorCode(code)) return 500;
  return AWAY.has(code) ? ERROR_CODES.STORE_UNAVAILABLE.httpStatus : ERROR_CODES[code].httpStatus;
}

function refuse(
  { logger }: RegistryDoorOptions,
  reply: FastifyReply,
  watch: OperationWatch,
  thrown: unknown,
): FastifyReply {
  const error = HubError.from(thrown);
  const { traceId } = watch;
  if (error.code === 'INTERNAL_SERVER_ERROR') logger.error({ err: thrown, traceId }, 'a request failed');
  tellRefusal(error, reply, logger, traceId);
  noteFailure(watch, error);
  const isRefusal = error instanceof HttpRefusal;
  if (isRefusal) reply.headers(error.headers);
  const status = isRefusal ? error.status : statusOf(error.code);
  return reply.code(status).send({ errors: [toGraphQLError(error, traceId)] });
}
