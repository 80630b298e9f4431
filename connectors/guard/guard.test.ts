import { HubError } from '@weft/core/errors';
import { describe, expect, it } from 'vitest';
import type { GuardPlan } from '../plan.ts';
import { upstreamError } from '../upstream-error.ts';
import { createGuard, type Guard } from './guard.ts';

const context = { system: 'city', source: 'api', operation: 'GET /x' };
const plan: GuardPlan = {
  timeoutMs: 80,
  concurrency: 1,
  retries: 0,
  breaker: { failureRatio: 0.5, minCalls: 3, openForMs: 60 },
  responseBytesMax: 1_000,
};

const never = new AbortController().signal;

function run<T>(guard: Guard, execute: (signal: AbortSignal) => Promise<T>, signal = never): Promise<T> {
  return guard.run({ operation: 'GET /x', isRead: true, signal, execute });
}

const away = () => Promise.reject(upstreamError('UPSTREAM_UNAVAILABLE', 'no answer', context));

describe('guard', () => {
  it('ends a call that takes too long with DEADLINE_EXCEEDED and aborts it', async () => {
    const guard = createGuard('city', 'api', plan);
    let reason: unknown;
    const hang = (signal: AbortSignal) =>
      new Promise<never>(() => signal.addEventListener('abort', () => (reason = signal.reason)));
    await expect(run(guard, hang)).rejects.toMatchObject({
      code: 'DEADLINE_EXCEEDED',
      system: 'city',
      details: { source: 'api', operation: 'GET /x', timeoutMs: 80 },
    });
    expect((reason as Error).name).toBe('TimeoutError');
  });

  it('tells what a call throws before it waits for anything, and leaves its place', async () => {
    const guard = createGuard('city', 'api', plan);
    const thrown = upstreamError('UPSTREAM_INVALID', 'not sent', context);
    const atOnce = () => {
      throw thrown;
    };
    await expect(run(guard, atOnce)).rejects.toBe(thrown);
    expect(await run(guard, async () => 'there')).toBe('there');
  });

  it('tries a read once more when the source is away, and never a write', async () => {
    const guard = createGuard('city', 'api', { ...plan, retries: 1 });
    let tries = 0;
    const once = async () => {
      tries += 1;
      return tries === 1 ? away() : 'there';
    };
    expect(await run(guard, once)).toBe('there');
    tries = 0;
    const write = guard.run({ operation: 'POST /x', isRead: false, signal: never, execute: once });
    await expect(write).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' });
    expect(tries).toBe(1);
  });

  it('does not try again what the source answered wrongly, unless the answer was cut off', async () => {
    const guard = createGuard('city', 'api', { ...plan, retries: 1 });
    let tries = 0;
    const invalid = (truncated: boolean) => async () => {
      tries += 1;
      throw upstreamError('UPSTREAM_INVALID', 'bad', context, { truncated });
    };
    await expect(run(guard, invalid(false))).rejects.toMatchObject({ code: 'UPSTREAM_INVALID' });
    expect(tries).toBe(1);
    await expect(run(guard, invalid(true))).rejects.toMatchObject({ code: 'UPSTREAM_INVALID' });
    expect(tries).toBe(3);
  });

  it('opens after enough failures, refuses without calling, and closes after one good call', async () => {
    const guard = createGuard('city', 'api', plan);
    for (let call = 0; call < 3; call += 1) await expect(run(guard, away)).rejects.toThrow();
    expect(guard.state().breaker).toBe('OPEN');
    let called = false;
    const answer = async () => {
      called = true;
      return 1;
    };
    await expect(run(guard, answer)).rejects.toMatchObject({
      code: 'UPSTREAM_UNAVAILABLE',
      details: { breaker: 'OPEN' },
    });
    expect(called).toBe(false);
    await expect.poll(() => run(guard, answer).catch(() => 0), { timeout: 2_000 }).toBe(1);
    expect(guard.state().breaker).toBe('CLOSED');
  });

  it('closes by a fault that blames the request: the source has answered', async () => {
    const guard = createGuard('city', 'api', plan);
    for (let call = 0; call < 3; call += 1) await expect(run(guard, away)).rejects.toThrow();
    expect(guard.state().breaker).toBe('OPEN');
    const blame = () =>
      Promise.reject(upstreamError('UPSTREAM_INVALID', 'fault', context, { faultCode: 'soap:Client' }));
    await expect
      .poll(() => run(guard, blame).catch((error: HubError) => error.details.faultCode), { timeout: 2_000 })
      .toBe('soap:Client');
    expect(guard.state().breaker).toBe('CLOSED');
    const { lastOkAt, lastFailure } = guard.state();
    expect(lastOkAt?.getTime()).toBeGreaterThanOrEqual(lastFailure?.at.getTime() ?? 0);
  });

  it('does not count a deadline of the caller, nor a fault that blames the request', async () => {
    const guard = createGuard('city', 'api', plan);
    const blame = () =>
      Promise.reject(upstreamError('UPSTREAM_INVALID', 'fault', context, { faultCode: 'soap:Client' }));
    for (let call = 0; call < 5; call += 1) {
      await expect(run(guard, blame)).rejects.toThrow();
      const hang = () => new Promise<never>(() => undefined);
      await expect(run(guard, hang, AbortSignal.timeout(1))).rejects.toMatchObject({
        code: 'DEADLINE_EXCEEDED',
        origin: 'HUB',
      });
    }
    expect(guard.state().breaker).toBe('CLOSED');
  });

  it('lets as many run as the plan allows, and refuses when the queue is full', async () => {
    const guard = createGuard('city', 'api', { ...plan, timeoutMs: 5_000 });
    const gate = Promise.withResolvers<void>();
    let running = 0;
    let most = 0;
    const hold = async () => {
      running += 1;
      most = Math.max(most, running);
      await gate.promise;
      running -= 1;
    };
    const calls = Array.from({ length: 33 }, () => run(guard, hold));
    await expect(run(guard, hold)).rejects.toMatchObject({ details: { bulkhead: 'FULL' } });
    gate.resolve();
    await Promise.all(calls);
    expect(most).toBe(1);
  });

  it('lets a caller who leaves go at once, also from the queue', async () => {
    const guard = createGuard('city', 'api', { ...plan, timeoutMs: 5_000 });
    const gate = Promise.withResolvers<void>();
    const first = run(guard, () => gate.promise);
    const leaving = new AbortController();
    const queued = run(guard, () => gate.promise, leaving.signal);
    leaving.abort();
    await expect(queued).rejects.toMatchObject({ code: 'CANCELLED' });
    gate.resolve();
    await first;
  });

  it('asks nothing in quiet hours, by the clock of the source, and says until when', async () => {
    const window = { fromMinute: 23 * 60 + 30, toMinute: 15, text: '23:30-00:15' };
    let now = new Date('2026-11-22T16:05:30Z');
    const options = { timezone: 'Asia/Shanghai', now: () => now };
    const guard = createGuard('city', 'api', { ...plan, quiet: [window] }, options);
    let called = 0;
    const answer = async () => ++called;
    for (const isRead of [true, false]) {
      const call = guard.run({ operation: 'X', isRead, signal: never, execute: answer });
      await expect(call).rejects.toMatchObject({
        code: 'UPSTREAM_UNAVAILABLE',
        details: { quiet: '23:30-00:15', retryAfterMs: 9.5 * 60_000 },
      });
    }
    expect(called).toBe(0);
    expect(guard.state().breaker).toBe('CLOSED');
    now = new Date('2026-11-22T16:15:00Z');
    expect(await run(guard, answer)).toBe(1);
    now = new Date('2026-11-22T15:30:00Z');
    await expect(run(guard, answer)).rejects.toMatchObject({ details: { quiet: '23:30-00:15' } });
  });

  it('says that the source was asked as often as it may be, and when it may be again', async () => {
    const guard = createGuard('city', 'api', { ...plan, rate: { perSecond: 0.1, burst: 1 } });
    await run(guard, async () => 1);
    await expect(run(guard, async () => 1)).rejects.toMatchObject({
      code: 'UPSTREAM_UNAVAILABLE',
      details: { rate: 'EXHAUSTED', retryAfterMs: expect.any(Number) },
    });
  });

  it('waits as long as the source asks for before the next try, and does not try when that is too long', async () => {
    const guard = createGuard('city', 'api', { ...plan, retries: 1 });
    const tries: number[] = [];
    const busy = (retryAfterMs: number) => () => {
      tries.push(performance.now());
      return Promise.reject(upstreamError('UPSTREAM_UNAVAILABLE', 'busy', context, { retryAfterMs }));
    };
    await expect(run(guard, busy(120))).rejects.toThrow();
    expect(tries).toHaveLength(2);
    expect((tries[1] ?? 0) - (tries[0] ?? 0)).toBeGreaterThanOrEqual(119);
    await expect(run(guard, busy(5_000))).rejects.toThrow();
    expect(tries).toHaveLength(3);
  });

  it('tries again no more than a tenth of the calls, beside a few at the start', async () => {
    const breaker = { ...plan.breaker, minCalls: 1_000 };
    const guard = createGuard('city', 'api', { ...plan, retries: 3, breaker });
    let tries = 0;
    const failing = () => {
      tries += 1;
      return away();
    };
    for (let call = 0; call < 40; call += 1) await expect(run(guard, failing)).rejects.toThrow();
    expect(tries).toBeGreaterThan(40 + 3);
    expect(tries).toBeLessThanOrEqual(40 + 4 + 3);
  });

  it('passes a bug on as INTERNAL_SERVER_ERROR', async () => {
    const guard = createGuard('city', 'api', plan);
    const bug = () => Promise.reject(new TypeError('x'));
    await expect(run(guard, bug)).rejects.toSatisfy(
      (error) => error instanceof HubError && error.code === 'INTERNAL_SERVER_ERROR',
    );
  });
});
