// Keeps answers in this process: the longest unused go first, bounded in number and in bytes.
import { BYTES_MAX, DROPS_MAX, ENTRIES_MAX, ENTRY_BYTES_MAX } from './limits.ts';
import { encodeRows, type FreshStore, type Kept } from './store.ts';

export interface MemoryStoreOptions {
  readonly entriesMax?: number;
  readonly bytesMax?: number;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

interface Entry extends Kept {
  readonly bytes: number;
  readonly endsAtMs: number;
}

/** A map remembers the order of insertion: who is used is inserted again, and the first is the longest unused. */
export function createMemoryStore(options: MemoryStoreOptions = {}): FreshStore {
  const { entriesMax = ENTRIES_MAX, bytesMax = BYTES_MAX, now = Date.now } = options;
  const entries = new Map<string, Entry>();
  const dropped = new Map<string, number>();
  let bytes = 0;
  const remove = (key: string) => {
    bytes -= entries.get(key)?.bytes ?? 0;
    entries.delete(key);
  };
  const use = (key: string, nowMs: number): Entry | undefined => {
    const entry = entries.get(key);
    if (entry === undefined) return undefined;
    if (entry.endsAtMs <= nowMs) {
      remove(key);
      return undefined;
    }
    entries.delete(key);
    entries.set(key, entry);
    return entry;
  };
  return {
    async read(places) {
      const nowMs = now();
      const found = places.map(({ entry, groups }) => {
        const kept = use(entry, nowMs);
        const droppedAtMs = Math.max(...groups.map((group) => dropped.get(group) ?? 0));
        return kept !== undefined && kept.observedAtMs > droppedAtMs ? kept : undefined;
      });
      return { nowMs, found };
    },
    async write(keeping) {
      for (const { place, rows, observedAtMs, lifeMs } of keeping) {
        const text = encodeRows(rows, ENTRY_BYTES_MAX);
        remove(place.entry);
        if (text === undefined) continue;
        const entry = { rows, observedAtMs, bytes: text.length * 2, endsAtMs: observedAtMs + lifeMs };
        entries.set(place.entry, entry);
        bytes += entry.bytes;
      }
      for (const key of entries.keys()) {
        if (entries.size <= entriesMax && bytes <= bytesMax) break;
        remove(key);
      }
    },
    async drop(groups) {
      for (const group of groups) {
        dropped.delete(group);
        dropped.set(group, now());
      }
      for (const group of dropped.keys()) {
        if (dropped.size <= DROPS_MAX) break;
        dropped.delete(group);
        // What was known of it can no longer be told from what is known since.
        entries.clear();
        bytes = 0;
      }
    },
    async claim(places) {
      return { mine: places.map(() => true), release: () => undefined };
    },
    async close() {
      entries.clear();
      dropped.clear();
      bytes = 0;
    },
  };
}
