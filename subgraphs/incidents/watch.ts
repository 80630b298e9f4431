// Does some work again and again until closed, whatever becomes of one try.
import { delay } from '@weft/core/deadline';
import type { Logger } from '@weft/core/logger';
import { isStoreAway } from '../store.ts';

export interface Watch {
  /** Ends after the transaction in flight. */
  close(): Promise<void>;
}

export interface WatchOptions {
  /** As it stands in the log. */
  readonly name: string;
  /** Milliseconds between two looks. */
  readonly everyMs: number;
  /** One look. @returns whether there is more to do at once */
  readonly look: (signal: AbortSignal) => Promise<boolean>;
  readonly logger: Logger;
}

/** Looks until closed; while the store is away it looks again. */
export function startWatch(options: WatchOptions): Watch {
  const stop = new AbortController();
  const ended = watch(options, stop.signal);
  return {
    close: async () => {
      stop.abort();
      await ended;
    },
  };
}

async function watch({ name, everyMs, look, logger }: WatchOptions, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    let isMore = false;
    try {
      isMore = await look(signal);
    } catch (err) {
      logger[isStoreAway(err) ? 'warn' : 'error'](
        { err, watch: name },
        'a watch could not look; it looks again',
      );
    }
    // Closing cuts the wait short.
    if (!isMore) await delay(everyMs, signal).catch(() => undefined);
  }
}
