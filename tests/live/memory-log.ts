// An event log in memory, for what is measured or proven of live subscriptions without a database.
import type { CloudEvent } from '@weft/events/envelope';
import type { EventLog, LogEvent, LogGap, Position } from '@weft/events/event-log';

export interface MemoryLog {
  readonly log: EventLog;
  append(topic: string, ...events: readonly CloudEvent[]): void;
  /** Ends every reader, as a log that is closed does. */
  end(): void;
  /** Batches that were read of what was there already. */
  reads: number;
}

export function createMemoryLog(): MemoryLog {
  const topics = new Map<string, LogEvent[]>();
  const waiting = new Set<() => void>();
  let isEnded = false;
  const eventsOf = (topic: string) => topics.getOrInsertComputed(topic, () => []);
  const numberOf = (position: Position) => Number(position.split('.')[1]);
  const memory: MemoryLog = {
    reads: 0,
    append(topic, ...events) {
      const all = eventsOf(topic);
      for (const event of events) {
        const chars = JSON.stringify(event).length;
        all.push({ kind: 'event', position: `1.${all.length + 1}`, event, chars });
      }
      for (const wake of [...waiting]) wake();
    },
    end() {
      isEnded = true;
      for (const wake of [...waiting]) wake();
    },
    log: {
      head: async (topic) => `1.${eventsOf(topic).length}`,
      async *read(
        topic,
        { after = '1.0', signal, upTo, batchEventsMax = 500 },
      ): AsyncGenerator<readonly (LogEvent | LogGap)[], void, undefined> {
        let at = numberOf(after);
        while (!signal.aborted && !isEnded) {
          const end = Math.min(
            at + batchEventsMax,
            upTo === undefined ? Number.MAX_SAFE_INTEGER : numberOf(upTo),
          );
          const batch = eventsOf(topic).slice(at, end);
          at += batch.length;
          if (upTo !== undefined) memory.reads += 1;
          if (batch.length > 0) yield batch;
          else if (upTo !== undefined) return;
          else await untilWoken(waiting, signal);
        }
      },
      trim: async () => 0,
      compare: (left, right) => numberOf(left) - numberOf(right),
      close: async () => undefined,
    },
  };
  return memory;
}

function untilWoken(waiting: Set<() => void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const wake = () => {
      waiting.delete(wake);
      signal.removeEventListener('abort', wake);
      resolve();
    };
    waiting.add(wake);
    signal.addEventListener('abort', wake, { once: true });
  });
}
