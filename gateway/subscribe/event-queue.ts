// What waits for one subscriber: bounded, in order, and honest about what did not fit.
import type { HubError } from '@weft/core/errors';
import type { LogEvent, LogGap, Position } from '@weft/events/event-log';

/** Events that this subscriber will not get on this stream. */
export interface StreamGap {
  readonly kind: 'gap';
  /** The last place before what is missing; resuming there brings what is still retained. */
  readonly from: Position;
  readonly to: Position;
  readonly reason: 'RETENTION' | 'SLOW_CONSUMER';
}

export type QueueEntry = LogEvent | StreamGap;

export interface EventQueue {
  /** Never waits. When the queue is full the event becomes part of a gap at its end, which grows until it is taken. */
  offer(entry: LogEvent | LogGap): void;
  take(): QueueEntry | undefined;
  /** No entry comes after what is queued; with an error, the stream ends with it. */
  end(error?: HubError): void;
  readonly ended: { readonly error: HubError | undefined } | undefined;
  /** Calls `onChange` after every offer and at the end; the queue has one consumer, so the last one set counts. */
  watch(onChange: () => void): void;
  /** Resolves when there is nothing left to take or the queue has ended. */
  drained(): Promise<void>;
}

/** @param eventsMax entries that may wait; one gap more may stand behind them */
export function createEventQueue(eventsMax: number): EventQueue {
  const entries: QueueEntry[] = [];
  let ended: { readonly error: HubError | undefined } | undefined;
  let onChange: () => void = () => undefined;
  let draining: PromiseWithResolvers<void> | undefined;
  const isDrained = () => entries.length === 0 || ended !== undefined;
  const tellDrained = () => {
    if (isDrained()) draining?.resolve();
    if (isDrained()) draining = undefined;
  };
  return {
    offer(entry) {
      if (ended !== undefined) return;
      const last = entries.at(-1);
      const isFull = entries.length >= eventsMax;
      if (last?.kind === 'gap' && (isFull || entry.kind === 'gap' || last.reason === 'SLOW_CONSUMER'))
        entries[entries.length - 1] = widen(last, entry);
      else if (!isFull || entry.kind === 'gap') entries.push(entry);
      else if (last?.kind === 'event')
        entries.push(widen({ ...SLOW, from: last.position, to: last.position }, entry));
      onChange();
    },
    take() {
      const entry = entries.shift();
      tellDrained();
      return entry;
    },
    end(error) {
      ended ??= { error };
      onChange();
      tellDrained();
    },
    get ended() {
      return ended;
    },
    watch(listener) {
      onChange = listener;
    },
    drained() {
      if (isDrained()) return Promise.resolve();
      draining ??= Promise.withResolvers();
      return draining.promise;
    },
  };
}

const SLOW = { kind: 'gap', reason: 'SLOW_CONSUMER' } as const;

/** Only a gap that an event had to join is the consumer's doing. */
function widen(gap: StreamGap, entry: LogEvent | LogGap): StreamGap {
  if (entry.kind === 'gap') return { ...gap, to: entry.to };
  return { ...gap, to: entry.position, reason: 'SLOW_CONSUMER' };
}
