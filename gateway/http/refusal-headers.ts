// The headers that go with a refusal, by its reason.
import type { HubError } from '@weft/core/errors';
import type { Logger } from '@weft/core/logger';
import { CredentialsRefused } from '../identity/credentials.ts';
import type { Reply } from './reply.ts';

/** RFC 6750, 3.1. Which check failed would help nobody but one who guesses. */
const CHALLENGE = 'Bearer error="invalid_token"';

/** A store that was restarted, or whose lock was released, is asked again within so long. */
const STORE_RETRY_AFTER_S = 5;

/** Does nothing for any other error. */
export function tellRefusal(
  error: HubError,
  reply: Pick<Reply, 'header'>,
  logger: Logger,
  traceId: string,
): void {
  if (error.code === 'STORE_UNAVAILABLE' && error.retryable)
    reply.header('retry-after', String(STORE_RETRY_AFTER_S));
  if (!(error instanceof CredentialsRefused)) return;
  reply.header('www-authenticate', CHALLENGE);
  logger.info({ traceId, reason: error.reason }, 'credentials were refused');
}
