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
  /** The most used of the last window first. */
  top(operationsMax: number): readonly OperationText[];
}

interface Entry extends OperationText {
  uses: number;
}

/**
 * @param windowMs uses older than two windows are forgotten
 * @param entriesMax distinct operations a window
 * @param now milliseconds of a clock that never goes back
 */
export function createUsage(windowMs: number, entriesMax: number, now = () => performance.now()): Usage {
  let current = new Map<PreparedOperation, Entry>();
  let previous = new Map<PreparedOperation, Entry>();
  let endsAtMs = now() + windowMs;
  const rotate = () => {
    const atMs = now();
    if (atMs < endsAtMs) return;
    previous = atMs < endsAtMs + windowMs ? current : new Map();
    current = new Map();
    endsAtMs = atMs + windowMs;
  };
  return {
    count(prepared, text) {
      rotate();
      const entry = current.get(prepared);
      if (entry !== undefined) entry.uses += 1;
      else if (current.size < entriesMax) current.set(prepared, { ...text, uses: 1 });
    },
    top(operationsMax) {
      rotate();
      // The same text is another prepared operation on each generation.
      const byText = new Map<string, Entry>();
      for (const entry of [...previous.values(), ...current.values()]) {
        const key = JSON.stringify([entry.operationName, entry.query, entry.principal.authority]);
        const known = byText.get(key);
        byText.set(key, { ...entry, uses: entry.uses + (known?.uses ?? 0) });
      }
      return [...byText.values()]
        .sort((a, b) => b.uses - a.uses)
        .slice(0, operationsMax)
        .map(({ query, operationName, principal }) => ({ query, operationName, principal }));
    },
  };
}
