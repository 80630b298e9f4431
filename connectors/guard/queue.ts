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
  /** By `performance.now()`; of all who wait, the first comes first. */
  readonly leavesAtMs: number;
  settle(admitted: Admitted): boolean;
  isGone: boolean;
}

/** @param running calls of this process that are out */
export function createQueue(gate: Gate, concurrency: number, running: () => number): Queue {
  return new GateQueue(gate, concurrency * (1 + WAITING_PER_SLOT), running);
}

class GateQueue implements Queue {
  readonly #gate: Gate;
  /** Calls that are out or wait. */
  readonly #placesMax: number;
  readonly #running: () => number;
  readonly #waiting: Waiter[] = [];
  readonly #nextLease = createLeases();
  readonly #lookAgain = createAlarm(() => this.#pump());
  readonly #overdue = createAlarm(() => this.#endOverdue());
  #last: Extract<Entry, { kind: 'wait' }> = { kind: 'wait', gate: 'BULKHEAD', waitMs: undefined };
  #isAsking = false;
  #isWoken = false;

  constructor(gate: Gate, placesMax: number, running: () => number) {
    this.#gate = gate;
    this.#placesMax = placesMax;
    this.#running = running;
  }

  wake(): void {
    this.#isWoken = true;
    if (this.#waiting.length > 0) this.#pump();
  }

  admit(signal: AbortSignal): Admitted | Promise<Admitted> {
    const admitted = this.#admitAtOnce();
    if (admitted !== undefined) return admitted;
    if (this.#waiting.length + this.#running() >= this.#placesMax) return { shut: this.#shut() };
    const { promise, resolve, reject } = Promise.withResolvers<Admitted>();
    // Behind another one it is that one who asks the gate.
    const isFirst = this.#waiting.push(createWaiter(this.#nextLease(), signal, { resolve, reject })) === 1;
    this.#overdue.within(GATE_WAIT_MS_MAX);
    if (isFirst) this.#pump();
    return promise;
  }

  /** Undefined for whoever has to wait, if only for what the gate says. */
  #admitAtOnce(): Admitted | undefined {
    if (this.#waiting.length > 0 || this.#isAsking || this.#running() >= this.#placesMax) return undefined;
    const lease = this.#nextLease();
    const entry = this.#gate.enterAtOnce?.(lease);
    return entry?.kind === 'admitted' ? { lease } : undefined;
  }

  /** One asks the gate at a time: the one who waits longest. */
  #pump(): void {
    if (this.#isAsking) return;
    for (let head = this.#waiting[0]; head !== undefined; head = this.#waiting[0]) {
      if (head.isGone) {
        this.#waiting.shift();
        continue;
      }
      this.#isWoken = false;
      const entry = this.#gate.enterAtOnce?.(head.lease);
      if (entry === undefined) {
        this.#ask(head);
        return;
      }
      if (!this.#serve(head, entry)) return;
    }
    this.#lookAgain.stop();
    this.#overdue.stop();
  }

  #ask(head: Waiter): void {
    this.#isAsking = true;
    void this.#gate.enter(head.lease).then((entry) => {
      this.#isAsking = false;
      // Who left in the meantime has made room that the gate may not have seen.
      if (this.#serve(head, entry) || this.#isWoken) this.#pump();
    });
  }

  /** Whether the next one may ask. */
  #serve(head: Waiter, entry: Entry): boolean {
    switch (entry.kind) {
      case 'admitted':
        this.#waiting.shift();
        if (!head.settle({ lease: head.lease })) void this.#gate.leave(head.lease, 'unknown');
        return true;
      case 'open':
        this.#shutAll({ gate: 'BREAKER', retryAfterMs: entry.retryAfterMs });
        return true;
      case 'wait':
        this.#last = entry;
        // Nobody who waits can wait for so long.
        if ((entry.waitMs ?? 0) > GATE_WAIT_MS_MAX) this.#shutAll(this.#shut());
        else this.#lookAgain.within(Math.max(1, entry.waitMs ?? GATE_POLL_MS * 4));
        return false;
    }
  }

  #shutAll(why: Shut): void {
    for (const waiter of this.#waiting.splice(0)) waiter.settle({ shut: why });
  }

  #shut(): Shut {
    return { gate: this.#last.gate, retryAfterMs: this.#last.waitMs };
  }

  #endOverdue(): void {
    const nowMs = performance.now();
    for (const waiter of this.#waiting) {
      const leftMs = waiter.leavesAtMs - nowMs;
      if (leftMs > 0 && !waiter.isGone) {
        this.#overdue.within(Math.ceil(leftMs));
        return;
      }
      waiter.settle({ shut: this.#shut() });
    }
  }
}

/** Leaves by itself when its caller does. */
function createWaiter(
  lease: string,
  signal: AbortSignal,
  { resolve, reject }: { resolve(admitted: Admitted): void; reject(reason: unknown): void },
): Waiter {
  const settle = (settled: () => void): boolean => {
    if (waiter.isGone) return false;
    waiter.isGone = true;
    signal.removeEventListener('abort', leave);
    settled();
    return true;
  };
  const waiter: Waiter = {
    lease,
    leavesAtMs: performance.now() + GATE_WAIT_MS_MAX,
    isGone: false,
    settle: (admitted) => settle(() => resolve(admitted)),
  };
  const leave = () => settle(() => reject(signal.reason));
  signal.addEventListener('abort', leave, { once: true });
  return waiter;
}

/** Names that no other call of any process has. */
function createLeases(): () => string {
  const queue = randomUUID();
  let count = 0;
  return () => `${queue}:${++count}`;
}

interface Alarm {
  /** Rings so many milliseconds from now, or earlier where that was asked for before. */
  within(ms: number): void;
  stop(): void;
}

/** One timer for however many wait: it is set when it must ring earlier, never put off, and stopped when nobody waits. */
function createAlarm(ring: () => void): Alarm {
  let timer: NodeJS.Timeout | undefined;
  let atMs = Number.POSITIVE_INFINITY;
  const stop = () => {
    if (atMs === Number.POSITIVE_INFINITY) return;
    clearTimeout(timer);
    atMs = Number.POSITIVE_INFINITY;
  };
  return {
    stop,
    within(ms) {
      const wantedMs = performance.now() + ms;
      if (wantedMs >= atMs) return;
      stop();
      atMs = wantedMs;
      timer = setTimeout(() => {
        atMs = Number.POSITIVE_INFINITY;
        ring();
      }, ms);
    },
  };
}
