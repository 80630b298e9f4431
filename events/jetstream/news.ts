// What was published as the last position of each topic, by subject, and who waits for more.
import type { Position } from '../event-log.ts';
import { comparePositions } from '../postgres/position.ts';

const TOLD_ALREADY_MS = 5;

export interface News {
  tell(subject: string, last: Position): void;
  /** Resolves when a position beyond `after` was told, after `timeoutMs`, or when the signal aborts. Never rejects. */
  wait(subject: string, after: Position, timeoutMs: number, signal: AbortSignal): Promise<void>;
  close(): void;
}

export function createNews(): News {
  const lasts = new Map<string, Position>();
  const waiters = new Map<string, Set<() => void>>();
  const isBeyond = (subject: string, after: Position) => {
    const last = lasts.get(subject);
    return last !== undefined && comparePositions(last, after) > 0;
  };
  return {
    tell(subject, last) {
      lasts.set(subject, last);
      for (const wake of [...(waiters.get(subject) ?? [])]) wake();
    },
    wait: (subject, after, timeoutMs, signal) =>
      new Promise<void>((resolve) => {
        if (signal.aborted) return resolve();
        // Told already, perhaps while the page was read; a pause, since a replica may not have it yet.
        if (isBeyond(subject, after)) timeoutMs = Math.min(timeoutMs, TOLD_ALREADY_MS);
        const ofSubject = waiters.get(subject) ?? new Set();
        waiters.set(subject, ofSubject);
        const wake = () => {
          clearTimeout(timer);
          signal.removeEventListener('abort', wake);
          ofSubject.delete(wake);
          resolve();
        };
        const timer = setTimeout(wake, timeoutMs);
        signal.addEventListener('abort', wake, { once: true });
        ofSubject.add(wake);
      }),
    close() {
      for (const ofSubject of waiters.values()) for (const wake of [...ofSubject]) wake();
    },
  };
}
