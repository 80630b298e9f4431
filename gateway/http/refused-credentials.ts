// What goes with an answer to credentials that do not hold: a challenge for the client, the reason for the log.
import type { HubError } from '@weft/core/errors';
import type { Logger } from '@weft/core/logger';
import type { FastifyReply } from 'fastify';
import { CredentialsRefused } from '../identity/credentials.ts';

/** RFC 6750, 3.1. Which check failed would help nobody but one who guesses. */
const CHALLENGE = 'Bearer error="invalid_token"';

/** Does nothing for any other error. */
export function tellRefusal(error: HubError, reply: FastifyReply, logger: Logger, traceId: string): void {
  if (!(error instanceof CredentialsRefused)) return;
  reply.header('www-authenticate', CHALLENGE);
  logger.info({ traceId, reason: error.reason }, 'credentials were refused');
}
