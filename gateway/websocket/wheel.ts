// Looks at all connections now and then, some at a time: who has not introduced itself, who is to be pinged, who is gone.
import { CloseCode } from 'graphql-ws';
import type { Connection } from './connection.ts';
import type { WebSocketLimits } from './limits.ts';

/** A time-out is found so many times within its length, and no more often than each 20 ms nor seldomer than each second. */
const ROUNDS_A_TIMEOUT = 8;
const ROUND_MS_MIN = 20;
const ROUND_MS_MAX = 1_000;
/** Connections of one look: what is sent to thousands at once, and their answers, would hold up whatever else is to be sent. */
const LOOK_CONNECTIONS_MAX = 250;

type Limits = Pick<WebSocketLimits, 'connectionInitTimeoutMs' | 'keepAliveMs'>;

/** @returns how to stop */
export function startWheel(connections: ReadonlySet<Connection>, limits: Limits): () => void {
  const shortest = Math.min(limits.connectionInitTimeoutMs, limits.keepAliveMs) / ROUNDS_A_TIMEOUT;
  const roundMs = Math.min(ROUND_MS_MAX, Math.max(ROUND_MS_MIN, shortest));
  let timer: NodeJS.Timeout;
  // Of a Set that changes meanwhile: it goes on behind the last one, and comes to those that were added.
  let rest = connections.values();
  const turn = () => {
    const now = performance.now();
    const looks = Math.max(1, Math.ceil(connections.size / LOOK_CONNECTIONS_MAX));
    for (let count = Math.ceil(connections.size / looks); count > 0; count -= 1) {
      const next = rest.next();
      if (next.done === true) {
        rest = connections.values();
        break;
      }
      look(next.value, limits, now);
    }
    timer = setTimeout(turn, roundMs / looks).unref();
  };
  timer = setTimeout(turn, roundMs).unref();
  return () => clearTimeout(timer);
}

/**
 * As if it had been pinged before: the first ping comes after half the time to the whole of it, so that those who came
 * together, as all do after a restart, are not pinged together.
 */
export function pingedBefore(openedAtMs: number, { keepAliveMs }: Limits): number {
  return openedAtMs - (Math.random() * keepAliveMs) / 2;
}

function look(connection: Connection, { connectionInitTimeoutMs, keepAliveMs }: Limits, now: number): void {
  const isLate = connection.state === 'open' && now - connection.openedAtMs >= connectionInitTimeoutMs;
  if (isLate)
    connection.close(CloseCode.ConnectionInitialisationTimeout, 'Connection initialisation timeout');
  if (now - connection.pingedAtMs < keepAliveMs) return;
  if (connection.isSilent) {
    connection.socket.terminate();
    return;
  }
  if (!connection.isOpen) return;
  connection.isSilent = true;
  connection.pingedAtMs = now;
  connection.socket.ping();
}
