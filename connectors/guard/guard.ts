// Stands before a source: bulkhead, time-out, one retry for reads, circuit breaker.
import { HubError } from '@weft/core/errors';
import {
  BrokenCircuitError,
  BulkheadPolicy,
  BulkheadRejectedError,
  CircuitState,
  ConstantBackoff,
  circuitBreaker,
  handleWhen,
  retry,
  SamplingBreaker,
  TaskCancelledError,
  TimeoutStrategy,
  timeout,
} from 'cockatiel';
import type { GuardPlan } from '../plan.ts';
import { type CallContext, upstreamError } from '../upstream-error.ts';

export interface GuardedCall<T> {
  /** In the words of the protocol, for errors. */
  readonly operation: string;
  /** Only reads are ever sent twice. */
  readonly isRead: boolean;
  /** The caller's deadline and departure. */
  readonly signal: AbortSignal;
  execute(signal: AbortSignal): Promise<T>;
}

/** What a guard has seen last, by the clock of this process. */
export interface GuardState {
  readonly breaker: 'CLOSED' | 'OPEN' | 'HALF_OPEN';
  readonly lastOkAt: Date | undefined;
  readonly lastFailure: { readonly at: Date; readonly error: HubError } | undefined;
}

export interface Guard {
  /**
   * Runs one call under the source's protection.
   * @throws HubError: the call's own, DEADLINE_EXCEEDED, UPSTREAM_UNAVAILABLE with `breaker: "OPEN"` or `bulkhead: "FULL"`, CANCELLED
   */
  run<T>(call: GuardedCall<T>): Promise<T>;
  state(): GuardState;
  /** Told after every call that reached the source and every move of the breaker. Returns how to stop. */
  onChange(listener: () => void): () => void;
}

/** Calls that wait for each one that may run. */
const WAITING_PER_SLOT = 32;
const RETRY_DELAY_MS = 25;
/** The failure ratio is taken over this long. */
const SAMPLE_MS = 10_000;

/** Makes the guard of one source; it holds no resource and needs no closing. */
export function createGuard(system: string, source: string, plan: GuardPlan): Guard {
  const listeners = new Set<() => void>();
  let lastOkAt: Date | undefined;
  let lastFailure: GuardState['lastFailure'];
  const tell = () => {
    for (const listener of listeners) listener();
  };
  const breaker = openBreaker(plan, () => breaker.state);
  breaker.onStateChange(tell);
  const bulkhead = new BulkheadPolicy(plan.concurrency, plan.concurrency * WAITING_PER_SLOT);
  const limit = timeout(plan.timeoutMs, { strategy: TimeoutStrategy.Aggressive, abortOnReturn: true });
  const again = retry(handleWhen(isWorthAnotherTry), {
    maxAttempts: Math.max(1, plan.retries),
    backoff: new ConstantBackoff(RETRY_DELAY_MS),
  });

  const timed = async <T>(call: GuardedCall<T>, context: CallContext): Promise<T> => {
    try {
      const result = await limit.execute(
        ({ signal }) => call.execute(withTimeoutReason(signal, call.signal)),
        call.signal,
      );
      lastOkAt = new Date();
      return result;
    } catch (thrown) {
      const error = fromAttempt(thrown, call.signal, plan, context);
      if (isSystemFailure(error)) lastFailure = { at: new Date(), error };
      else if (isAnswer(error)) lastOkAt = new Date();
      throw error;
    } finally {
      tell();
    }
  };
  const attempt = <T>(call: GuardedCall<T>, context: CallContext): Promise<T> =>
    breaker.execute(() => bulkhead.execute(() => timed(call, context), call.signal), call.signal);

  return {
    async run(call) {
      const context: CallContext = { system, source, operation: call.operation };
      if (call.signal.aborted) throw HubError.from(call.signal.reason);
      const work =
        call.isRead && plan.retries > 0
          ? again.execute(() => attempt(call, context), call.signal)
          : attempt(call, context);
      try {
        return await leaveOnAbort(work, call.signal);
      } catch (thrown) {
        throw fromGuard(thrown, call.signal, context);
      }
    },
    state: () => ({ breaker: BREAKER_NAMES[breaker.state] ?? 'OPEN', lastOkAt, lastFailure }),
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

const BREAKER_NAMES: Readonly<Record<number, GuardState['breaker']>> = {
  [CircuitState.Closed]: 'CLOSED',
  [CircuitState.HalfOpen]: 'HALF_OPEN',
  [CircuitState.Open]: 'OPEN',
};

function openBreaker(plan: GuardPlan, state: () => CircuitState) {
  const { failureRatio, minCalls, openForMs } = plan.breaker;
  // While one call tries whether the source is back, only an answer says that it is: not a caller who left.
  const counts = (error: unknown) =>
    isSystemFailure(error) || (state() === CircuitState.HalfOpen && !isAnswer(error));
  return circuitBreaker(handleWhen(counts), {
    halfOpenAfter: openForMs,
    breaker: new SamplingBreaker({
      threshold: Math.min(Math.max(failureRatio, 0.01), 0.99),
      duration: SAMPLE_MS,
      // Half a call less, so that rounding cannot ask for one more than `minCalls`.
      minimumRps: (minCalls - 0.5) / (SAMPLE_MS / 1000),
    }),
  });
}

/** A fault that blames our request: the source is there, and answered. */
function isAnswer(error: unknown): boolean {
  return (
    error instanceof HubError &&
    error.system !== undefined &&
    error.code === 'UPSTREAM_INVALID' &&
    error.details.faultCode !== undefined
  );
}

/** A failure that says something about the source's health. */
function isSystemFailure(error: unknown): boolean {
  if (!(error instanceof HubError) || error.system === undefined || isAnswer(error)) return false;
  if (error.code === 'UPSTREAM_INVALID') return true;
  return error.code === 'UPSTREAM_UNAVAILABLE' || error.code === 'DEADLINE_EXCEEDED';
}

function isWorthAnotherTry(error: unknown): boolean {
  if (!(error instanceof HubError) || error.system === undefined) return false;
  if (error.details.reason === 'CREDENTIALS_REFUSED') return false;
  if (error.code === 'UPSTREAM_INVALID') return error.details.truncated === true;
  return error.code === 'UPSTREAM_UNAVAILABLE' || error.code === 'DEADLINE_EXCEEDED';
}

/** cockatiel aborts without saying why: inside, an abort that is not the caller's is the time-out. */
function withTimeoutReason(signal: AbortSignal, caller: AbortSignal): AbortSignal {
  const controller = new AbortController();
  const abort = () =>
    controller.abort(
      caller.aborted ? caller.reason : new DOMException('The call took too long.', 'TimeoutError'),
    );
  if (signal.aborted) abort();
  else signal.addEventListener('abort', abort, { once: true });
  return controller.signal;
}

function fromAttempt(thrown: unknown, caller: AbortSignal, plan: GuardPlan, context: CallContext): HubError {
  if (caller.aborted) return HubError.from(caller.reason);
  const isTimeout =
    thrown instanceof TaskCancelledError || (thrown instanceof Error && thrown.name === 'TimeoutError');
  if (!isTimeout)
    return HubError.from(thrown, { details: { source: context.source, operation: context.operation } });
  return upstreamError(
    'DEADLINE_EXCEEDED',
    `no answer within ${plan.timeoutMs} ms`,
    context,
    { timeoutMs: plan.timeoutMs },
    thrown,
  );
}

function fromGuard(thrown: unknown, caller: AbortSignal, context: CallContext): HubError {
  if (thrown instanceof HubError) return thrown;
  if (caller.aborted) return HubError.from(caller.reason);
  if (thrown instanceof BrokenCircuitError) {
    return upstreamError(
      'UPSTREAM_UNAVAILABLE',
      'not asked: it has failed too often just now',
      context,
      { breaker: 'OPEN' },
      thrown,
    );
  }
  if (thrown instanceof BulkheadRejectedError) {
    return upstreamError(
      'UPSTREAM_UNAVAILABLE',
      'not asked: too many calls are waiting for it',
      context,
      { bulkhead: 'FULL' },
      thrown,
    );
  }
  return HubError.from(thrown);
}

/** A caller who leaves does not wait in the queue; what already runs is aborted by the same signal. */
async function leaveOnAbort<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const leave = () => reject(signal.reason);
  signal.addEventListener('abort', leave, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', leave);
    work.catch(() => undefined);
  }
}
