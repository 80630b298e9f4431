// Answers the same `requestId` of the same asker once: again, it is told what was done the first time.
import { HubError } from '@weft/core/errors';
import type { KnownActor } from './actor.ts';
import type { Prisma, Request } from './generated/client.ts';
import { requireText } from './version.ts';

const REQUEST_ID_LENGTH_MAX = 100;

/** What a `requestId` stands for. */
export interface RequestKey {
  readonly byKey: string;
  readonly requestId: string;
  /** Equal for equal commands. */
  readonly fingerprint: string;
}

/** @throws HubError BAD_USER_INPUT */
export function requestKeyOf(
  { key }: KnownActor,
  requestId: string | null | undefined,
  fingerprint: string,
): RequestKey | undefined {
  if (requestId === null || requestId === undefined) return undefined;
  requireText('requestId', requestId, REQUEST_ID_LENGTH_MAX);
  return { byKey: key, requestId, fingerprint };
}

/**
 * What was done for this request before; undefined when it is new.
 * @throws HubError CONFLICT when it was used with another command
 */
export async function findRequest(
  tx: Prisma.TransactionClient,
  request: RequestKey | undefined,
): Promise<Request | undefined> {
  if (request === undefined) return undefined;
  const { byKey, requestId, fingerprint } = request;
  const done = await tx.request.findUnique({ where: { byKey_requestId: { byKey, requestId } } });
  if (done === null) return undefined;
  if (done.fingerprint === fingerprint) return done;
  throw new HubError('CONFLICT', `requestId ${requestId} was used with another command before`, {
    details: { argument: 'requestId' },
  });
}

/** In the transaction of what was done. */
export async function recordRequest(
  tx: Prisma.TransactionClient,
  request: RequestKey | undefined,
  outcome: Partial<Pick<Request, 'publication' | 'system' | 'version'>>,
): Promise<void> {
  if (request !== undefined) await tx.request.create({ data: { ...request, ...outcome, at: new Date() } });
}
