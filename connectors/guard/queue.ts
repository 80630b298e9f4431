// The calls that wait before the gate of one source: first come, first served, a bounded number for a bounded time.
import { randomUUID } from 'node:crypto';
import type { Entry, Gate } from './gate.ts';
import { GATE_POLL_MS, GATE_WAIT_MS_MAX, WAITING_PER_SLOT } from './limits.ts';

/** Which gate was shut, as errors say it. */
export type Shut =
  | { readonly gate: 'BREAKER' | 'RATE' | 'BULKHEAD'; readonly retryAfterMs: number | undefined }
  | { readonly gate: 'QUIET'; readonly window: string; readonly retryAfterMs: number };

export type Admitted = { readonly lease: string } | { readonly shut: Shut };

export interface Queue {
  /** A lease, or why there is none; at once where nobody waits and the gate says so at once. @throws the signal's reason */
  admit(signal: AbortSignal): Admitted | Promise<Admitted>;
  /** Somebody of this process has left. */
  wake(): void;
}

interface Waiter {
  readonly lease: string;
  settle(admitted: Admitted): boolean;
  isGone: boolean;
}

/** @param running calls of this process that are out */
export function createQueue(gate: Gate, concurrency: number, running: () => number): Queue {
  const waiting: Waiter[] = [];
  const placesMax = concurrency * (1 + WAITING_PER_SLOT);
  let last: Extract<Entry, { kind: 'wait' }> = { kind: 'wait', gate: 'BULKHEAD', waitMs: undefined };
  let isPumping = false;
  let wake: (() => void) | undefined;

  /** One asks the gate at a time: the one who waits longest. */
  const pump = async () => {
    if (isPumping) return;
    isPumping = true;
    try {
      for (let head = waiting[0]; head !== undefined; head = waiting[0]) {
        if (head.isGone) waiting.shift();
        else await serve(head);
      }
    } finally {
      isPumping = false;
    }
  };
  const serve = async (head: Waiter) => {
    const entry = gate.enterAtOnce?.(head.lease) ?? (await gate.enter(head.lease));
    switch (entry.kind) {
      case 'admitted':
        waiting.shift();
        if (!head.settle({ lease: head.lease })) void gate.leave(head.lease, 'unknown');
        return;
      case 'open':
        return shutAll({ gate: 'BREAKER', retryAfterMs: entry.retryAfterMs });
      case 'wait': {
        last = entry;
        // Nobody who waits can wait for so long.
        if ((entry.waitMs ?? 0) > GATE_WAIT_MS_MAX) return shutAll(shut());
        const { promise, resolve } = Promise.withResolvers<void>();
        wake = resolve;
        const timer = setTimeout(resolve, Math.max(1, entry.waitMs ?? GATE_POLL_MS * 4));
        await promise;
        clearTimeout(timer);
        wake = undefined;
      }
    }
  };
  /** Undefined for whoever has to wait, if only for what the gate says. */
  const admitAtOnce = (): Admitted | undefined => {
    if (waiting.length > 0 || isPumping || running() >= placesMax) return undefined;
    const lease = randomUUID();
    const entry = gate.enterAtOnce?.(lease);
    return entry?.kind === 'admitted' ? { lease } : undefined;
  };
  const shutAll = (why: Shut) => {
    for (const waiter of waiting.splice(0)) waiter.settle({ shut: why });
  };
  const shut = (): Shut => ({ gate: last.gate, retryAfterMs: last.waitMs });

  return {
    wake: () => wake?.(),
    admit(signal) {
      const admitted = admitAtOnce();
      if (admitted !== undefined) return admitted;
      const { promise, resolve, reject } = Promise.withResolvers<Admitted>();
      if (waiting.length + running() >= placesMax) return Promise.resolve({ shut: shut() });
      const waiter = createWaiter(signal, shut, { resolve, reject });
      waiting.push(waiter);
      void pump();
      return promise;
    },
  };
}

/** Leaves by itself when its caller does, and when it has waited for long enough. */
function createWaiter(
  signal: AbortSignal,
  shut: () => Shut,
  { resolve, reject }: { resolve(admitted: Admitted): void; reject(reason: unknown): void },
): Waiter {
  const settle = (settled: () => void): boolean => {
    if (waiter.isGone) return false;
    waiter.isGone = true;
    clearTimeout(timer);
    signal.removeEventListener('abort', leave);
    settled();
    return true;
  };
  const waiter: Waiter = {
    lease: randomUUID(),
    isGone: false,
    settle: (admitted) => settle(() => resolve(admitted)),
  };
  const leave = () => settle(() => reject(signal.reason));
  const timer = setTimeout(() => waiter.settle({ shut: shut() }), GATE_WAIT_MS_MAX);
  signal.addEventListener('abort', leave, { once: true });
  return waiter;
}
