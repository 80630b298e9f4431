// Stands before a source: quiet hours, circuit breaker, token bucket, bulkhead, time-out, and a retry of reads within a budget.
import { HubError } from '@weft/core/errors';
import type { GuardPlan } from '../plan.ts';
import { type CallContext, type UpstreamDetails, upstreamError } from '../upstream-error.ts';
import type { BreakerState, Gate, Outcome } from './gate.ts';
import { createLastMinute } from './last-minute.ts';
import {
  RETRIES_KEPT_MAX,
  RETRY_AFTER_MS_MAX,
  RETRY_DELAY_MS,
  RETRY_RATIO,
  RETRY_RESERVE,
} from './limits.ts';
import { createLocalGate } from './local-gate.ts';
import { createQueue, type Shut } from './queue.ts';
import { createQuietHours } from './quiet.ts';
import type { Replica } from './replica.ts';
import { createSharedGate } from './shared-gate.ts';
import { runWithin } from './within.ts';

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
  readonly breaker: BreakerState;
  readonly lastOkAt: Date | undefined;
  readonly lastFailure: { readonly at: Date; readonly error: HubError } | undefined;
  /** Calls that were let through to the source in the last minute, by this process. */
  readonly callsLastMinute: number;
  /** The window of quiet hours that it is in now; undefined: in none. */
  readonly quiet: string | undefined;
}

export interface Guard {
  /**
   * Runs one call under the source's protection.
   * @throws HubError: the call's own, DEADLINE_EXCEEDED, CANCELLED, or UPSTREAM_UNAVAILABLE with the gate that was shut: `breaker: "OPEN"`,
   * `bulkhead: "FULL"`, `rate: "EXHAUSTED"` or `quiet: "02:00-03:00"`, and `retryAfterMs` where it is known
   */
  run<T>(call: GuardedCall<T>): Promise<T>;
  state(): GuardState;
  /** Told after every call that reached the source. Returns how to stop. */
  onChange(listener: () => void): () => void;
}

export interface GuardOptions {
  /** IANA zone of the quiet hours. Default: UTC. */
  readonly timezone?: string;
  /** By which the budget is shared with other processes. Default: it is this process's alone. */
  readonly replica?: Replica | undefined;
  /** Default: the system's clock. */
  readonly now?: () => Date;
}

/** Makes the guard of one source; it holds no resource and needs no closing. */
export function createGuard(
  system: string,
  source: string,
  plan: GuardPlan,
  { timezone = 'UTC', replica, now = () => new Date() }: GuardOptions = {},
): Guard {
  const listeners = new Set<() => void>();
  let lastOkAt: Date | undefined;
  let lastFailure: GuardState['lastFailure'];
  let running = 0;
  const gate: Gate =
    replica === undefined ? createLocalGate(plan) : createSharedGate(system, source, plan, replica);
  const queue = createQueue(gate, plan.concurrency, () => running);
  const quietAt = createQuietHours(plan.quiet ?? [], timezone);
  const hasQuietHours = (plan.quiet ?? []).length > 0;
  const retries = createRetries(plan);
  const lastMinute = createLastMinute();

  const note = (outcome: Outcome, error?: HubError) => {
    if (outcome === 'answered') lastOkAt = new Date();
    if (outcome === 'failed' && error !== undefined) lastFailure = { at: new Date(), error };
  };
  const attempt = async <T>(call: GuardedCall<T>, context: CallContext): Promise<T> => {
    const quiet = hasQuietHours ? quietAt(now()) : undefined;
    if (quiet !== undefined) throw shutError({ gate: 'QUIET', ...quiet }, context);
    // Who is let in at once runs at once: in between it would count neither as waiting nor as running.
    const asked = queue.admit(call.signal);
    const admitted = asked instanceof Promise ? await asked : asked;
    if ('shut' in admitted) throw shutError(admitted.shut, context);
    const { lease } = admitted;
    running += 1;
    lastMinute.add();
    let outcome: Outcome = 'unknown';
    try {
      const result = await runWithin(plan.timeoutMs, call.signal, call);
      outcome = 'answered';
      note(outcome);
      return result;
    } catch (thrown) {
      const error = fromAttempt(thrown, call.signal, plan, context);
      outcome = outcomeOf(error);
      note(outcome, error);
      throw error;
    } finally {
      running -= 1;
      void gate.leave(lease, outcome);
      queue.wake();
      for (const listener of listeners) listener();
    }
  };
  return {
    async run(call) {
      const context: CallContext = { system, source, operation: call.operation };
      if (call.signal.aborted) throw HubError.from(call.signal.reason);
      try {
        return await retries.run(call, () => attempt(call, context));
      } catch (thrown) {
        throw HubError.from(thrown);
      }
    },
    state: () => ({
      breaker: gate.breaker(),
      lastOkAt,
      lastFailure,
      callsLastMinute: lastMinute.count(),
      quiet: quietAt(now())?.window,
    }),
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

const SHUT_DETAILS: Readonly<Record<Exclude<Shut['gate'], 'QUIET'>, readonly [string, UpstreamDetails]>> = {
  BREAKER: ['not asked: it has failed too often just now', { breaker: 'OPEN' }],
  BULKHEAD: ['not asked: too many calls are waiting for it', { bulkhead: 'FULL' }],
  RATE: ['not asked: it was asked as often as it may be', { rate: 'EXHAUSTED' }],
};

function shutError(shut: Shut, context: CallContext): HubError {
  const [message, details] =
    shut.gate === 'QUIET'
      ? [`not asked in its quiet hours, ${shut.window}`, { quiet: shut.window }]
      : SHUT_DETAILS[shut.gate];
  const { retryAfterMs } = shut;
  const known = retryAfterMs === undefined ? {} : { retryAfterMs: Math.ceil(retryAfterMs) };
  return upstreamError('UPSTREAM_UNAVAILABLE', message, context, { ...details, ...known });
}

/** Which gate was shut when a call did not even go out: `BREAKER`, `BULKHEAD`, `RATE` or `QUIET`; undefined for other errors. */
export function shutGateOf({ details }: HubError): Shut['gate'] | undefined {
  if (details.breaker === 'OPEN') return 'BREAKER';
  if (details.bulkhead === 'FULL') return 'BULKHEAD';
  if (details.rate === 'EXHAUSTED') return 'RATE';
  return typeof details.quiet === 'string' ? 'QUIET' : undefined;
}

/** A share of the calls beside the count of each, so that a source in trouble is never asked twice as much. */
function createRetries(plan: GuardPlan) {
  let kept = RETRY_RESERVE;
  return {
    async run<T>(call: GuardedCall<T>, attempt: () => Promise<T>): Promise<T> {
      kept = Math.min(kept + RETRY_RATIO, RETRIES_KEPT_MAX);
      for (let left = call.isRead ? plan.retries : 0; ; left -= 1) {
        try {
          return await attempt();
        } catch (thrown) {
          const delayMs = left > 0 && kept >= 1 ? retryDelayMs(thrown) : undefined;
          if (delayMs === undefined || call.signal.aborted) throw thrown;
          kept -= 1;
          await runWithin(delayMs + 1_000, call.signal, { execute: () => pause(delayMs) });
        }
      }
    },
  };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Undefined: it is not worth another try, or the source wants to be left alone for longer than a call can wait. */
function retryDelayMs(error: unknown): number | undefined {
  if (!isWorthAnotherTry(error)) return undefined;
  const { retryAfterMs } = error.details;
  if (typeof retryAfterMs !== 'number') return RETRY_DELAY_MS;
  return retryAfterMs <= RETRY_AFTER_MS_MAX ? Math.max(retryAfterMs, RETRY_DELAY_MS) : undefined;
}

function isWorthAnotherTry(error: unknown): error is HubError {
  if (!(error instanceof HubError) || error.system === undefined) return false;
  if (shutGateOf(error) !== undefined || error.details.reason === 'CREDENTIALS_REFUSED') return false;
  if (error.code === 'UPSTREAM_INVALID') return error.details.truncated === true;
  return error.code === 'UPSTREAM_UNAVAILABLE' || error.code === 'DEADLINE_EXCEEDED';
}

/** What a failed call says of the source: a fault that blames our request is an answer; what is ours or the caller's says nothing. */
function outcomeOf(error: HubError): Outcome {
  if (error.system === undefined) return 'unknown';
  if (error.code === 'UPSTREAM_INVALID') return error.details.faultCode === undefined ? 'failed' : 'answered';
  return error.code === 'UPSTREAM_UNAVAILABLE' || error.code === 'DEADLINE_EXCEEDED' ? 'failed' : 'unknown';
}

function fromAttempt(thrown: unknown, caller: AbortSignal, plan: GuardPlan, context: CallContext): HubError {
  if (caller.aborted) return HubError.from(caller.reason);
  const isTimeout = thrown instanceof Error && thrown.name === 'TimeoutError';
  if (!isTimeout)
    return HubError.from(thrown, { details: { source: context.source, operation: context.operation } });
  const message = `no answer within ${plan.timeoutMs} ms`;
  return upstreamError('DEADLINE_EXCEEDED', message, context, { timeoutMs: plan.timeoutMs }, thrown);
}
