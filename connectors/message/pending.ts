// The calls of one connection that wait for an answer.
import { type CallContext, type UpstreamDetails, upstreamError } from '../upstream-error.ts';
import type { Answer } from './body.ts';

export interface Pending {
  /**
   * Waits for the answer under a correlation id until the signal aborts; an answer after that is nobody's.
   * @throws HubError UPSTREAM_UNAVAILABLE with what `fail` was told, or the signal's reason
   */
  wait(correlationId: string, context: CallContext, signal: AbortSignal): Promise<Answer>;
  answer(correlationId: string, answer: Answer): void;
  /** It is certain that nobody got the message. */
  failUnsent(correlationId: string, message: string, details: UpstreamDetails, cause?: unknown): void;
  /** Whether somebody got it is not known. */
  fail(correlationId: string, message: string, details: UpstreamDetails, cause?: unknown): void;
  /** The connection ended: nobody will answer. */
  failAll(message: string, details: UpstreamDetails, cause?: unknown): void;
}

interface Waiting {
  readonly context: CallContext;
  resolve(answer: Answer): void;
  reject(reason: unknown): void;
}

/** Empty at first. It holds no more than the guard lets through at once. */
export function createPending(): Pending {
  const waiting = new Map<string, Waiting>();
  const refuse = (
    one: Waiting | undefined,
    message: string,
    details: UpstreamDetails,
    cause: unknown,
    hadNoEffect = false,
  ) => one?.reject(upstreamError('UPSTREAM_UNAVAILABLE', message, one.context, details, cause, hadNoEffect));
  return {
    async wait(correlationId, context, signal) {
      signal.throwIfAborted();
      const { promise, resolve, reject } = Promise.withResolvers<Answer>();
      const leave = () => reject(signal.reason);
      waiting.set(correlationId, { context, resolve, reject });
      signal.addEventListener('abort', leave, { once: true });
      try {
        return await promise;
      } finally {
        waiting.delete(correlationId);
        signal.removeEventListener('abort', leave);
      }
    },
    answer: (correlationId, answer) => waiting.get(correlationId)?.resolve(answer),
    failUnsent: (correlationId, message, details, cause) =>
      refuse(waiting.get(correlationId), message, details, cause, true),
    fail: (correlationId, message, details, cause) =>
      refuse(waiting.get(correlationId), message, details, cause),
    failAll(message, details, cause) {
      for (const one of waiting.values()) refuse(one, message, details, cause);
    },
  };
}
