// Wakes the readers of all topics over one blocking connection: XREAD BLOCK on the topics that somebody waits for.
import { delay } from '@weft/core/deadline';
import type { Connection } from '../connection.ts';
import { COMMAND_TIMEOUT_MS, LIVE_POLL_MS, RECONNECT_DELAY_MS_MAX } from '../limits.ts';
import { comparePositions } from '../postgres/position.ts';
import type { RedisClient } from './connect.ts';

export interface BlockingClient extends RedisClient {
  /** Of CLIENT ID. */
  readonly id: string;
}

export interface Waker {
  /** Resolves when the stream may have something after the position, after `timeoutMs`, or when the signal aborts. Never rejects. */
  wait(stream: string, after: string, timeoutMs: number, signal: AbortSignal): Promise<void>;
  close(): void;
}

interface Waiter {
  readonly stream: string;
  readonly after: string;
  wake(): void;
}

/**
 * @param blocking a connection that nobody else uses
 * @param unblock ends the XREAD of a client at once (CLIENT UNBLOCK on another connection)
 */
export function createWaker(
  blocking: Connection<BlockingClient>,
  unblock: (clientId: string) => Promise<unknown>,
): Waker {
  const waiters = new Set<Waiter>();
  const closing = new AbortController();
  let running = false;
  /** The client whose XREAD is under way, and the streams that it knows of. */
  let reading: { readonly clientId: string; readonly asked: ReadonlyMap<string, string> } | undefined;

  const readOnce = async () => {
    const asked = lowestPositions(waiters);
    const streams = await blocking.run(async (client) => {
      reading = { clientId: client.id, asked };
      const ids = [...asked.values()].map(toStreamId);
      return client.send(
        'XREAD',
        'COUNT',
        '1',
        'BLOCK',
        String(LIVE_POLL_MS),
        'STREAMS',
        ...asked.keys(),
        ...ids,
      );
    }, LIVE_POLL_MS + COMMAND_TIMEOUT_MS);
    const woken = new Set((Array.isArray(streams) ? streams : []).map((entry) => String(entry[0])));
    for (const waiter of [...waiters]) if (woken.has(waiter.stream)) waiter.wake();
  };
  const run = async () => {
    running = true;
    while (waiters.size > 0 && !closing.signal.aborted) {
      try {
        await readOnce();
      } catch {
        // The connection says itself why; waiters have a time-out of their own.
        await delay(RECONNECT_DELAY_MS_MAX, closing.signal).catch(() => undefined);
      } finally {
        reading = undefined;
      }
    }
    running = false;
  };
  const begin = (waiter: Waiter) => {
    waiters.add(waiter);
    if (!running) return void run();
    const known = reading?.asked.get(waiter.stream);
    if (reading === undefined || known === waiter.after) return;
    // It would be woken by the time-out of the read under way at the latest.
    void unblock(reading.clientId).catch(() => undefined);
  };
  return {
    wait: (stream, after, timeoutMs, signal) =>
      new Promise<void>((resolve) => {
        if (signal.aborted) return resolve();
        const wake = () => {
          clearTimeout(timer);
          signal.removeEventListener('abort', wake);
          waiters.delete(waiter);
          resolve();
        };
        const waiter: Waiter = { stream, after, wake };
        const timer = setTimeout(wake, timeoutMs);
        signal.addEventListener('abort', wake, { once: true });
        begin(waiter);
      }),
    close() {
      closing.abort();
      for (const waiter of [...waiters]) waiter.wake();
    },
  };
}

function lowestPositions(waiters: Iterable<Waiter>): ReadonlyMap<string, string> {
  const lowest = new Map<string, string>();
  for (const { stream, after } of waiters) {
    const known = lowest.get(stream);
    if (known === undefined || comparePositions(after, known) < 0) lowest.set(stream, after);
  }
  return lowest;
}

/** A stream's id is two 64-bit numbers, as a position is: https://redis.io/docs/latest/develop/data-types/streams/#entry-ids */
export function toStreamId(position: string): string {
  return position.replace('.', '-');
}
