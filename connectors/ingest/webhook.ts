// Receives signed webhooks: an answer of 200 or 202 means durable.
import { createHash } from 'node:crypto';
import { HubError } from '@weft/core/errors';
import type { Logger } from '@weft/core/logger';
import type { Secrets } from '@weft/core/secrets';
import type { MappingScope } from '@weft/schema/mapping/compile';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { listen } from '../http/listen.ts';
import type { IngestPlan, SystemPlan, WebhookSource } from '../plan.ts';
import type { Applier, Delivery, DeliveryOutcome } from './apply.ts';
import { type Change, decodeChange } from './change.ts';
import { openVerifier } from './webhook-signature.ts';

const BODY_BYTES_MAX = 1_000_000;
const DEDUPE_LENGTH_MAX = 200;
const RETRY_AFTER_S = 1;

export interface WebhookOptions {
  readonly host: string;
  readonly port: number;
  readonly logger: Logger;
  readonly secrets: Secrets;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Told of every authentic delivery: the system lives. */
  onSeen(system: string): void;
}

export interface WebhookReceiver {
  /** The address under which the sources' paths hang: `…/in`. */
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Starts the receiver with one route for each webhook source.
 * @throws OperatorError when a signing secret is missing or not in the form of its scheme
 */
export async function receiveWebhooks(
  systems: readonly SystemPlan[],
  applier: Applier,
  options: WebhookOptions,
): Promise<WebhookReceiver> {
  const app = Fastify({ logger: false, bodyLimit: BODY_BYTES_MAX, forceCloseConnections: 'idle' });
  app.removeAllContentTypeParsers();
  // The signature is over the bytes as they came: nothing may parse them before.
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  for (const system of systems) {
    for (const source of system.sources.values()) {
      if (source.protocol === 'webhook') addRoute(app, system, source, applier, options);
    }
  }
  const address = await listen(app, options.host, options.port, 'WEFT_INGEST_PORT');
  return { url: `${address}/in`, close: () => app.close() };
}

function addRoute(
  app: FastifyInstance,
  system: SystemPlan,
  source: WebhookSource,
  applier: Applier,
  options: WebhookOptions,
): void {
  const verify = openVerifier(source, options.secrets(source.verifySecret));
  const ingests = system.ingests.filter((ingest) => ingest.source === source.name);
  const scope: MappingScope = { env: options.env, timezone: source.timezone };
  app.post(source.path, async (request, reply) => {
    const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
    const header = (name: string) => headerText(request, name);
    if (!verify(header, body, Date.now())) return reply.code(401).send({ code: 'UNAUTHENTICATED' });
    options.onSeen(system.name);
    const dedupeId = dedupeIdOf(source, header, body);
    const content = decodeWebhookBody(system.name, ingests, body, scope);
    return answer(
      reply,
      applier.deliver({ system: system.name, source: source.name, dedupeId, body, content }),
      options,
    );
  });
}

/**
 * 200 applied, or known already; 202 authentic but it, or its report, not understood: kept in quarantine, so that it is
 * not pushed for ever; 503 not stored, push it again.
 */
async function answer(
  reply: FastifyReply,
  delivered: Promise<DeliveryOutcome>,
  options: WebhookOptions,
): Promise<FastifyReply> {
  try {
    const outcome = await delivered;
    return reply.code(outcome === 'QUARANTINED' ? 202 : 200).send({ outcome });
  } catch (thrown) {
    const error = HubError.from(thrown);
    if (!error.retryable)
      options.logger.error({ err: error.cause ?? error }, 'a delivery could not be applied');
    return reply.code(503).header('retry-after', String(RETRY_AFTER_S)).send({ code: error.code });
  }
}

/**
 * Which delivery it is. The id of Standard Webhooks is signed: it alone says so. Another header is not signed, so that it
 * alone proves nothing, and another body under a used id is another delivery; without it, the same bytes are the same one.
 */
function dedupeIdOf(
  { scheme, dedupeHeader }: WebhookSource,
  header: (name: string) => string | undefined,
  body: Buffer,
): string {
  if (scheme === 'STANDARD_WEBHOOKS') return `webhook-id:${header('webhook-id') ?? ''}`;
  const bytes = `sha256:${createHash('sha256').update(body).digest('hex')}`;
  const given = dedupeHeader === undefined ? undefined : header(dedupeHeader.toLowerCase());
  return given !== undefined && given !== '' && given.length <= DEDUPE_LENGTH_MAX
    ? `${given}:${bytes}`
    : bytes;
}

/** The changes in the body of a delivery, or why there are none. */
export function decodeWebhookBody(
  system: string,
  ingests: readonly IngestPlan[],
  body: Buffer,
  scope: MappingScope,
): Delivery['content'] {
  let payload: unknown;
  try {
    payload = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    // What it says instead is kept in quarantine; the parser's own words add nothing.
    return { kind: 'bad', type: undefined, reason: 'expected JSON in UTF-8' };
  }
  const changes: Change[] = [];
  const receivedAt = new Date();
  for (const ingest of ingests) {
    const decoded = decodeChange(system, ingest, payload, scope, receivedAt);
    if (decoded.kind === 'bad') return { kind: 'bad', type: ingest.type, reason: decoded.reason };
    if (decoded.kind === 'change') changes.push(decoded.change);
  }
  if (changes.length > 0) return { kind: 'changes', changes };
  const types = ingests.map(({ type }) => type).join(' or ');
  return { kind: 'bad', type: undefined, reason: `expected a record of ${types} with its key` };
}

function headerText(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value[0] : value;
}
