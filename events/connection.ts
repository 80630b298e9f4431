// One connection to a server that may go away: commands end in time, nothing queues while it is away, and it comes back by itself.
import { delay } from '@weft/core/deadline';
import { HubError, OperatorError } from '@weft/core/errors';
import type { Logger } from '@weft/core/logger';
import { createOutageLog, type OutageLog } from '@weft/core/outage-log';
import {
  COMMAND_TIMEOUT_MS,
  COMMANDS_IN_FLIGHT_MAX,
  FIRST_ATTEMPTS_MAX,
  RECONNECT_DELAY_MS_MAX,
  RECONNECT_DELAY_MS_MIN,
} from './limits.ts';

/** How a kind of client is opened and thrown away. */
export interface Opener<Client> {
  /** For people: `Redis`. */
  readonly name: string;
  /** Connects and checks the server. `onLost` is to be called when the connection ends by itself. */
  open(onLost: (cause: unknown) => void): Promise<Client>;
  /** Cuts the connection off at once. */
  destroy(client: Client): void;
}

export interface Connection<Client> {
  /**
   * Asks the server. Rejects at once while it is away, and when it has not answered after `timeoutMs` (default
   * `COMMAND_TIMEOUT_MS`): the connection is then given up, since later answers would be taken for others.
   * @throws HubError STORE_UNAVAILABLE, or whatever `ask` rejects with
   */
  run<T>(ask: (client: Client) => Promise<T>, timeoutMs?: number): Promise<T>;
  /** Resolves when the first attempts to connect are over: true when it stands. @throws OperatorError of the opener */
  ready(): Promise<boolean>;
  isConnected(): boolean;
  close(): Promise<void>;
}

/** Connects in the background, and again whenever the connection is lost. */
export function keepConnection<Client>(opener: Opener<Client>, logger: Logger): Connection<Client> {
  const closing = new AbortController();
  const first = Promise.withResolvers<boolean>();
  // It can reject before anybody awaits it.
  first.promise.catch(() => undefined);
  const kept: Kept<Client> = {
    opener,
    logger,
    first,
    signal: closing.signal,
    current: undefined,
    inFlight: 0,
  };
  const keeping = keepOpen(kept);
  return {
    run: (ask, timeoutMs = COMMAND_TIMEOUT_MS) => runOn(kept, ask, timeoutMs),
    ready: () => first.promise,
    isConnected: () => kept.current !== undefined,
    async close() {
      closing.abort();
      first.resolve(false);
      await keeping;
    },
  };
}

interface Kept<Client> {
  readonly opener: Opener<Client>;
  readonly logger: Logger;
  /** The end of the first attempt. */
  readonly first: PromiseWithResolvers<boolean>;
  readonly signal: AbortSignal;
  current: { readonly client: Client; readonly lose: (cause: unknown) => void } | undefined;
  inFlight: number;
}

async function keepOpen<Client>(kept: Kept<Client>): Promise<void> {
  const { opener, logger, first, signal } = kept;
  let delayMs = RECONNECT_DELAY_MS_MIN;
  let failures = 0;
  const outage = createOutageLog(logger);
  while (!signal.aborted) {
    try {
      await holdOne(kept, outage);
      delayMs = RECONNECT_DELAY_MS_MIN;
    } catch (thrown) {
      // What a person must mend at the start; later it is logged, and looked at again.
      if (thrown instanceof OperatorError) {
        first.reject(thrown);
        logger.error({ reason: thrown.message }, `${opener.name} cannot be used`);
      } else {
        outage.failed({ err: thrown, delayMs }, `${opener.name} cannot be reached`);
      }
      if (++failures >= FIRST_ATTEMPTS_MAX) first.resolve(false);
    }
    // An abort ends the pause with a rejection, and the loop with it.
    await delay(delayMs, signal).catch(() => undefined);
    delayMs = Math.min(delayMs * 2, RECONNECT_DELAY_MS_MAX);
  }
}

/** Resolves when the connection is lost or the signal has aborted; rejects when it cannot be opened. */
async function holdOne<Client>(kept: Kept<Client>, outage: OutageLog): Promise<void> {
  const { opener, logger, first, signal } = kept;
  const lost = Promise.withResolvers<unknown>();
  const client = await opener.open(lost.resolve);
  kept.current = { client, lose: lost.resolve };
  const onAbort = () => lost.resolve(undefined);
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  first.resolve(true);
  outage.over();
  const cause = await lost.promise;
  signal.removeEventListener('abort', onAbort);
  kept.current = undefined;
  opener.destroy(client);
  if (!signal.aborted) logger.warn({ err: cause }, `the connection to ${opener.name} was lost`);
}

async function runOn<Client, T>(
  kept: Kept<Client>,
  ask: (client: Client) => Promise<T>,
  timeoutMs: number,
): Promise<T> {
  const { current, opener } = kept;
  if (current === undefined || kept.inFlight >= COMMANDS_IN_FLIGHT_MAX) throw away(opener.name);
  kept.inFlight++;
  const timedOut = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    const cause = away(opener.name);
    current.lose(cause);
    timedOut.reject(cause);
  }, timeoutMs);
  try {
    return await Promise.race([ask(current.client), timedOut.promise]);
  } finally {
    clearTimeout(timer);
    kept.inFlight--;
  }
}

/** The engine does not answer: whoever asked goes on without it. */
export function away(name: string, cause?: unknown): HubError {
  return new HubError('STORE_UNAVAILABLE', `${name} does not answer.`, { cause });
}
