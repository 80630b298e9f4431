// Executes what comes, several at once, and hands the results on in the order in which it came.
import type { StreamGap } from './bound-field.ts';
import type { SourceEntry } from './live-source.ts';
import type { GroupPayload } from './payload.ts';

export type PipelineEntry = SourceEntry | StreamGap;

export interface PipelineOptions {
  /** Must not reject. */
  execute(entry: PipelineEntry): Promise<GroupPayload>;
  /** In order, those together that are ready at the same time; must not throw. @param number of the first of them */
  deliver(payloads: readonly GroupPayload[], number: number): void;
  readonly atOnceMax: number;
  readonly pendingMax: number;
}

interface Slot {
  entry: PipelineEntry;
  isStarted: boolean;
  payload: GroupPayload | undefined;
}

export class Pipeline {
  readonly #options: PipelineOptions;
  #slots: Slot[] = [];
  #running = 0;
  #delivered = 0;
  #isStopped = false;
  #isDelivering = false;
  #onEmpty: (() => void) | undefined;

  constructor(options: PipelineOptions) {
    this.#options = options;
  }

  /** Number of the first entry that was not delivered yet. */
  get delivered(): number {
    return this.#delivered;
  }

  /** Number of the next entry. */
  get next(): number {
    return this.#delivered + this.#slots.length;
  }

  /** Never waits: what is too much becomes part of a gap at the end. */
  push(entry: PipelineEntry): void {
    if (this.#isStopped) return;
    const last = this.#slots.at(-1);
    if (this.#slots.length >= this.#options.pendingMax && last !== undefined) {
      const isGap = last.entry.kind === 'gap' || last.entry.kind === 'lost';
      const gap = gapOver(last.entry, entry);
      if (isGap && !last.isStarted) last.entry = gap;
      else this.#slots.push({ entry: gap, isStarted: false, payload: undefined });
      return;
    }
    this.#slots.push({ entry, isStarted: false, payload: undefined });
    this.#startMore();
  }

  /** Calls back when all that was pushed is delivered; nothing is pushed after it. */
  end(onEmpty: () => void): void {
    this.#onEmpty = onEmpty;
    if (this.#slots.length === 0) onEmpty();
  }

  /** Nothing is delivered after it. */
  stop(): void {
    this.#isStopped = true;
    this.#slots = [];
  }

  #startMore(): void {
    const { atOnceMax, execute } = this.#options;
    for (let index = this.#running; index < this.#slots.length && index < atOnceMax; index += 1) {
      const slot = this.#slots[index];
      if (slot === undefined || slot.isStarted) continue;
      slot.isStarted = true;
      this.#running = index + 1;
      void execute(slot.entry).then((payload) => {
        slot.payload = payload;
        this.#deliverSoon();
      });
    }
  }

  /** Behind the promises that are settled already: those of events that were executed together. */
  #deliverSoon(): void {
    if (this.#isDelivering) return;
    this.#isDelivering = true;
    process.nextTick(() => {
      this.#isDelivering = false;
      this.#deliverReady();
    });
  }

  #deliverReady(): void {
    const ready: GroupPayload[] = [];
    for (const { payload } of this.#slots) {
      if (payload === undefined) break;
      ready.push(payload);
    }
    if (ready.length > 0) {
      const number = this.#delivered;
      this.#slots.splice(0, ready.length);
      this.#running -= ready.length;
      this.#delivered += ready.length;
      this.#options.deliver(ready, number);
    }
    if (this.#isStopped) return;
    this.#startMore();
    if (this.#slots.length === 0) this.#onEmpty?.();
  }
}

/** What stands in place of `next`, behind `last`; a source without positions can only say that something is missing. */
function gapOver(last: PipelineEntry, next: PipelineEntry): PipelineEntry {
  const from = last.kind === 'gap' ? last.from : endOf(last);
  const to = endOf(next);
  if (from === undefined || to === undefined) return { kind: 'lost', reason: 'SLOW_CONSUMER' };
  return { kind: 'gap', from, to, reason: 'SLOW_CONSUMER' };
}

function endOf(entry: PipelineEntry): string | undefined {
  if (entry.kind === 'gap') return entry.to;
  return entry.kind === 'event' ? entry.position : undefined;
}
