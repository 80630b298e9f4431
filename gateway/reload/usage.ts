// Counts which operations clients use, so that a new generation knows them before it serves.
import type { PreparedOperation } from '../engine.ts';
import type { Principal } from '../identity/principal.ts';

/** The text that an operation is prepared from, and one for whom it is. */
export interface OperationText {
  readonly query: string;
  readonly operationName: string | undefined;
  readonly principal: Principal;
}

export interface Usage {
  /** Counts one use. An engine gives equal texts one prepared operation, so this costs one look-up by identity. */
  count(prepared: PreparedOperation, text: OperationText): void;
  /** Those of the last window that were used so often at least, the most used first. */
  top(operationsMax: number, usesMin: number): readonly OperationText[];
}

interface Entry extends OperationText {
  uses: number;
}

/**
 * Keeps texts, and no prepared operation alive: each holds the whole generation that prepared it.
 * @param windowMs uses older than two windows are forgotten
 * @param entriesMax distinct operations a window
 * @param now milliseconds of a clock that never goes back
 */
export function createUsage(windowMs: number, entriesMax: number, now = () => performance.now()): Usage {
  let current = new Map<string, Entry>();
  let previous = new Map<string, Entry>();
  /** Of the present window, also those that came when it was full. */
  let known = new WeakMap<PreparedOperation, Entry>();
  let endsAtMs = now() + windowMs;
  const rotate = () => {
    const atMs = now();
    if (atMs < endsAtMs) return;
    previous = atMs < endsAtMs + windowMs ? current : new Map();
    current = new Map();
    known = new WeakMap();
    endsAtMs = atMs + windowMs;
  };
  const entryOf = (text: OperationText): Entry => {
    const key = keyOf(text);
    const entry = current.get(key) ?? { ...text, uses: 0 };
    if (current.size < entriesMax) current.set(key, entry);
    return entry;
  };
  return {
    count(prepared, text) {
      rotate();
      let entry = known.get(prepared);
      if (entry === undefined) {
        entry = entryOf(text);
        known.set(prepared, entry);
      }
      entry.uses += 1;
    },
    top(operationsMax, usesMin) {
      rotate();
      const all = new Map(previous);
      for (const [key, entry] of current)
        all.set(key, { ...entry, uses: entry.uses + (previous.get(key)?.uses ?? 0) });
      return [...all.values()]
        .filter(({ uses }) => uses >= usesMin)
        .sort((a, b) => b.uses - a.uses)
        .slice(0, operationsMax)
        .map(({ query, operationName, principal }) => ({ query, operationName, principal }));
    },
  };
}

/** The same text is another prepared operation on each generation. */
function keyOf({ operationName, query, principal }: OperationText): string {
  return JSON.stringify([operationName, query, principal.authority]);
}
