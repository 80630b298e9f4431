// Lets nobody but the gateway ask a subgraph: what is not signed is answered 401 before its body is read.
import { Readable } from 'node:stream';
import { HubError } from '@weft/core/errors';
import type { Logger } from '@weft/core/logger';
import type { SubgraphKey } from '@weft/core/signatures/keys';
import { COVERED_COMPONENTS, SIGNATURE_LABEL } from '@weft/core/signatures/sign';
import { createRequestVerifier, isBodyOf, signableMessage } from '@weft/core/signatures/verify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

/** A flood of refusals is one line of the log in so much time. */
const REFUSALS_TOLD_MS = 10_000;

export interface SignatureOptions {
  /** Of the gateways that may ask; undefined: whoever reaches the port may. */
  readonly keys: readonly SubgraphKey[] | undefined;
  readonly bodyBytesMax: number;
  /** Whose body is a stream that nobody could have hashed before it was sent: its signature is of no bytes. Default none. */
  readonly isStreamed?: (request: FastifyRequest) => boolean;
  readonly logger: Logger;
}

/** Holds for every route of the server, and for paths that it does not have: call it before they are registered. */
export function requireSignature(app: FastifyInstance, options: SignatureOptions): void {
  const { keys, bodyBytesMax, isStreamed = () => false, logger } = options;
  if (keys === undefined) return;
  const verifier = createRequestVerifier({ keys });
  const tell = createTeller(logger);
  app.addHook('onRequest', async (request, reply) => {
    const refusal = verifier.refuse(signableMessage(request.raw));
    if (refusal === undefined) return;
    tell(refusal, request.ip);
    return refuse(reply);
  });
  app.addHook('preParsing', async (request, reply, payload) => {
    if (isStreamed(request)) {
      if (isBodyOf(signableMessage(request.raw), NO_BYTES)) return payload;
      tell('it is a stream, and was signed for other bytes', request.ip);
      return refuse(reply);
    }
    const body = await readBody(payload, bodyBytesMax);
    if (body === undefined)
      return reply.code(413).send(problem(413, 'LIMIT_EXCEEDED', 'The body is too long.'));
    if (isBodyOf(signableMessage(request.raw), body))
      return Object.assign(Readable.from([body]), received(body));
    tell('its body is not the one that was signed', request.ip);
    return refuse(reply);
  });
}

const NO_BYTES = Buffer.alloc(0);

/** What Fastify compares with the length that the request gives. */
function received(body: Buffer): { readonly receivedEncodedLength: number } {
  return { receivedEncodedLength: body.length };
}

async function readBody(payload: AsyncIterable<Buffer>, bytesMax: number): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of payload) {
    bytes += chunk.length;
    if (bytes > bytesMax) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, bytes);
}

/** https://www.rfc-editor.org/rfc/rfc9421#section-5.1: what a signature would have to cover. */
const ACCEPT_SIGNATURE = `${SIGNATURE_LABEL}=(${COVERED_COMPONENTS.map((name) => `"${name}"`).join(' ')});created;nonce;keyid`;

function refuse(reply: FastifyReply): FastifyReply {
  return reply
    .code(401)
    .header('accept-signature', ACCEPT_SIGNATURE)
    .header('connection', 'close')
    .type('application/problem+json')
    .send(
      problem(401, 'UNAUTHENTICATED', 'This subgraph answers its gateway alone: the request must be signed.'),
    );
}

/**
 * A problem (RFC 9457) and no GraphQL answer: to a client of the gateway, a gateway with a wrong key is a system that
 * cannot be used, and not a client that is not known.
 */
function problem(status: number, code: 'UNAUTHENTICATED' | 'LIMIT_EXCEEDED', detail: string): string {
  return JSON.stringify({ status, title: detail, ...new HubError(code, detail).toExtensions() });
}

function createTeller(logger: Logger): (reason: string, from: string) => void {
  let toldAtMs = Number.NEGATIVE_INFINITY;
  let untold = 0;
  return (reason, from) => {
    untold += 1;
    const nowMs = performance.now();
    if (nowMs - toldAtMs < REFUSALS_TOLD_MS) return;
    logger.warn({ reason, from, refused: untold }, 'a request is refused, since it is not of the gateway');
    toldAtMs = nowMs;
    untold = 0;
  };
}
