// Sends what came of a request: status, media type, compression.
import { ERROR_CODES, type ErrorCode } from '@weft/core/errors';
import { type ExecutionResult, GraphQLError } from 'graphql';
import { compress, negotiateCoding } from './compression.ts';
import type { HttpLimits } from './limits.ts';
import { GRAPHQL_RESPONSE, type ResponseType } from './media-type.ts';
import type { Reply } from './reply.ts';
import type { HttpSettings } from './settings.ts';

export interface SendOptions {
  readonly limits: Pick<HttpLimits, 'compressedCharsMin'>;
  readonly settings: Pick<HttpSettings, 'compression'>;
  /** The request headers that an answer depends on. */
  readonly vary: string;
}

/** A promise only while the answer is being compressed. */
export type Sent = Reply | Promise<Reply>;

/**
 * `application/json` answers 200 whenever the request itself was well-formed, as the specification asks for clients that
 * take any other status for a broken network, and a request above a limit was not; `application/graphql-response+json` tells the truth in the status too.
 */
export function sendResult(
  options: SendOptions,
  reply: Reply,
  type: ResponseType,
  result: ExecutionResult,
): Sent {
  const isRequestError = result.data === undefined;
  const code = isRequestError ? result.errors?.[0]?.extensions.code : undefined;
  const isTold = type === GRAPHQL_RESPONSE || code === 'LIMIT_EXCEEDED';
  const status = isRequestError && isTold ? statusOf(code) : 200;
  return send(options, reply, status, type, result);
}

function statusOf(code: unknown): number {
  return typeof code === 'string' && Object.hasOwn(ERROR_CODES, code)
    ? ERROR_CODES[code as ErrorCode].httpStatus
    : 500;
}

export function send(
  { vary, limits, settings }: SendOptions,
  reply: Reply,
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

function sendCompressed(reply: Reply, body: string): Sent {
  const coding = negotiateCoding(reply.request.headers['accept-encoding']);
  if (coding === undefined) return reply.send(body);
  return compress(body, coding).then((bytes) => reply.header('content-encoding', coding).send(bytes));
}

/** Errors that were made before there was a request to trace. */
export function withTraceId(errors: readonly GraphQLError[], traceId: string): ExecutionResult {
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
