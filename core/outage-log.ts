// Tells the log of a failure that goes on without filling it.
import type { Logger } from './logger.ts';

const TOLD_EVERY_MS = 30_000;

export interface OutageLog {
  /** Warns the first time, and then at intervals with how often it has failed since; between them as `debug`. */
  failed(facts: Readonly<Record<string, unknown>>, message: string): void;
  /** It works: the next failure is a first one. */
  over(): void;
}

/** For one thing that can fail again and again. */
export function createOutageLog(logger: Logger, toldEveryMs = TOLD_EVERY_MS): OutageLog {
  let toldAtMs: number | undefined;
  let untold = 0;
  return {
    failed(facts, message) {
      const nowMs = performance.now();
      if (toldAtMs !== undefined && nowMs - toldAtMs < toldEveryMs) {
        untold += 1;
        logger.debug(facts, message);
        return;
      }
      logger.warn(untold === 0 ? facts : { ...facts, failuresSince: untold }, message);
      toldAtMs = nowMs;
      untold = 0;
    },
    over() {
      toldAtMs = undefined;
      untold = 0;
    },
  };
}
