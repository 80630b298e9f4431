// Pushes the hotline's changes until each is acknowledged, those of one order in their order.
import { Agent } from 'node:http';
import type { FaultSwitches } from '../faults.ts';
import type { HotlineBooks, PendingPush } from './books.ts';
import { sendWebhook, type WebhookTarget } from './webhook.ts';

export interface PushOptions {
  readonly books: HotlineBooks;
  readonly url: string;
  readonly secret: string;
  readonly switches: FaultSwitches;
}

export interface Pusher {
  /** Tells that the queue has grown. */
  wake(): void;
  /** Breaks off what is in flight (it will be pushed again) and writes down what was acknowledged. */
  close(): void;
}

/** The pushes of one order; only one of them is in flight at a time. */
interface Lane {
  readonly orderNo: string;
  readonly waiting: PendingPush[];
  readonly openedAtMs: number;
  failures: number;
  dueAtMs: number;
  inFlight: boolean;
}

const IN_FLIGHT_MAX = 8;
/** Pushes held in memory; the rest of the queue stays in the books. */
const LOADED_MAX = 2_000;
const RETRY_MS_MIN = 200;
const RETRY_MS_MAX = 5_000;
/** After so many failures in a row the receiver counts as away and is only probed. */
const FAILURES_UNTIL_PROBING = IN_FLIGHT_MAX;
const PROBE_MS_MAX = 1_000;
/** With the out-of-order switch on: how long changes of an order are gathered to be told newest first. */
const GATHER_MS = 400;

export function startPusher(options: PushOptions): Pusher {
  const pusher = new QueuePusher(options);
  pusher.wake();
  return pusher;
}

class QueuePusher implements Pusher {
  readonly #books: HotlineBooks;
  readonly #switches: FaultSwitches;
  readonly #target: WebhookTarget;
  readonly #stopping = new AbortController();
  readonly #lanes = new Map<string, Lane>();
  readonly #acknowledged: number[] = [];
  #loaded = 0;
  #loadedUpToId = 0;
  #grown = true;
  #inFlight = 0;
  #failuresInRow = 0;
  #pausedUntilMs = 0;
  #timer: NodeJS.Timeout | undefined;
  #pumping: NodeJS.Immediate | undefined;

  constructor(options: PushOptions) {
    this.#books = options.books;
    this.#switches = options.switches;
    const agent = new Agent({ keepAlive: true, maxSockets: IN_FLIGHT_MAX });
    this.#target = { url: options.url, secret: options.secret, agent };
  }

  wake(): void {
    this.#grown = true;
    this.#schedulePump();
  }

  close(): void {
    if (this.#stopping.signal.aborted) return;
    this.#stopping.abort();
    clearTimeout(this.#timer);
    clearImmediate(this.#pumping);
    this.#target.agent.destroy();
    this.#writeDown();
  }

  /** Once per turn of the event loop: many orders and acknowledgements become one pass and one transaction. */
  #schedulePump(): void {
    if (this.#stopping.signal.aborted) return;
    this.#pumping ??= setImmediate(() => {
      this.#pumping = undefined;
      this.#writeDown();
      this.#load();
      this.#pump();
    });
  }

  #writeDown(): void {
    const ids = this.#acknowledged.splice(0);
    if (ids.length > 0) this.#books.markPushed(ids);
  }

  #load(): void {
    if (!this.#grown || this.#loaded > LOADED_MAX / 2) return;
    const limit = LOADED_MAX - this.#loaded;
    const pushes = this.#books.readPending(this.#loadedUpToId, limit);
    this.#grown = pushes.length === limit;
    const nowMs = Date.now();
    for (const push of pushes) {
      this.#loadedUpToId = push.id;
      this.#loaded += 1;
      const lane = this.#lanes.get(push.orderNo);
      if (lane !== undefined) lane.waiting.push(push);
      else this.#lanes.set(push.orderNo, openLane(push, nowMs));
    }
  }

  #pump(): void {
    clearTimeout(this.#timer);
    const nowMs = Date.now();
    let nextAtMs = Number.POSITIVE_INFINITY;
    const limit = this.#failuresInRow >= FAILURES_UNTIL_PROBING ? 1 : IN_FLIGHT_MAX;
    if (nowMs < this.#pausedUntilMs) {
      nextAtMs = this.#pausedUntilMs;
    } else {
      for (const lane of this.#lanes.values()) {
        if (this.#inFlight >= limit) return;
        if (lane.inFlight) continue;
        const dueAtMs = this.#dueAtMs(lane);
        if (dueAtMs <= nowMs) void this.#push(lane);
        else nextAtMs = Math.min(nextAtMs, dueAtMs);
      }
    }
    if (nextAtMs === Number.POSITIVE_INFINITY) return;
    this.#timer = setTimeout(() => this.#schedulePump(), Math.max(1, nextAtMs - nowMs));
  }

  #dueAtMs(lane: Lane): number {
    return this.#switches.current.outOfOrder
      ? Math.max(lane.dueAtMs, lane.openedAtMs + GATHER_MS)
      : lane.dueAtMs;
  }

  async #push(lane: Lane): Promise<void> {
    const faults = this.#switches.current;
    const push = faults.outOfOrder ? lane.waiting.at(-1) : lane.waiting[0];
    if (push === undefined) return;
    lane.inFlight = true;
    this.#inFlight += 1;
    const status = await sendWebhook(this.#target, push.eventId, push.body, this.#stopping.signal);
    const acknowledged = status >= 200 && status < 300;
    if (acknowledged && faults.duplicate) {
      await sendWebhook(this.#target, push.eventId, push.body, this.#stopping.signal);
    }
    lane.inFlight = false;
    this.#inFlight -= 1;
    if (acknowledged) this.#settle(lane, push);
    else this.#postpone(lane, status);
    if (this.#stopping.signal.aborted) return;
    this.#schedulePump();
  }

  #settle(lane: Lane, push: PendingPush): void {
    // After close the books are shut: what is not written down is pushed once more, which the receiver must bear.
    if (!this.#stopping.signal.aborted) this.#acknowledged.push(push.id);
    this.#failuresInRow = 0;
    this.#pausedUntilMs = 0;
    this.#loaded -= 1;
    lane.failures = 0;
    lane.waiting.splice(lane.waiting.indexOf(push), 1);
    if (lane.waiting.length === 0) this.#lanes.delete(lane.orderNo);
  }

  #postpone(lane: Lane, status: number): void {
    const nowMs = Date.now();
    lane.failures += 1;
    lane.dueAtMs = nowMs + jitter(Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** (lane.failures - 1)));
    const receiverIsAway = status === 0 || status === 429 || status >= 500;
    if (!receiverIsAway) return;
    this.#failuresInRow += 1;
    const excess = this.#failuresInRow - FAILURES_UNTIL_PROBING;
    if (excess >= 0) this.#pausedUntilMs = nowMs + jitter(Math.min(PROBE_MS_MAX, RETRY_MS_MIN * 2 ** excess));
  }
}

function openLane(push: PendingPush, nowMs: number): Lane {
  return {
    orderNo: push.orderNo,
    waiting: [push],
    openedAtMs: nowMs,
    failures: 0,
    dueAtMs: 0,
    inFlight: false,
  };
}

/** Between three quarters of the wait and the whole of it. */
function jitter(waitMs: number): number {
  return waitMs * (0.75 + Math.random() * 0.25);
}
