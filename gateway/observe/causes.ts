// Writes down what stands behind errors that a client gets without it: under the same trace id, and once.
import { HubError } from '@weft/core/errors';
import type { Logger } from '@weft/core/logger';
import type { GraphQLError } from 'graphql';

/** For errors that were made before there was a request to trace: what went wrong in the hub itself, and nothing else. */
export function logCauses(logger: Logger, errors: readonly GraphQLError[], traceId: string): void {
  for (const { originalError } of errors) {
    if (!(originalError instanceof HubError) || originalError.code !== 'INTERNAL_SERVER_ERROR') continue;
    logger.error({ err: originalError, traceId }, 'an operation could not be prepared');
  }
}
