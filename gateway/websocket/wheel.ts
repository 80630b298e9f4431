// Looks at all connections now and then, with one timer: who has not introduced itself, who is to be pinged, who is gone.
import { CloseCode } from 'graphql-ws';
import type { Connection } from './connection.ts';
import type { WebSocketLimits } from './limits.ts';

/** A time-out is found so many times within its length, and no more often than each 20 ms nor seldomer than each second. */
const LOOKS_A_TIMEOUT = 8;
const LOOK_MS_MIN = 20;
const LOOK_MS_MAX = 1_000;

/** @returns how to stop */
export function startWheel(
  connections: ReadonlySet<Connection>,
  limits: Pick<WebSocketLimits, 'connectionInitTimeoutMs' | 'keepAliveMs'>,
): () => void {
  const shortest = Math.min(limits.connectionInitTimeoutMs, limits.keepAliveMs) / LOOKS_A_TIMEOUT;
  const timer = setInterval(
    () => {
      const now = performance.now();
      for (const connection of connections) look(connection, limits, now);
    },
    Math.min(LOOK_MS_MAX, Math.max(LOOK_MS_MIN, shortest)),
  );
  timer.unref();
  return () => clearInterval(timer);
}

function look(
  connection: Connection,
  { connectionInitTimeoutMs, keepAliveMs }: Pick<WebSocketLimits, 'connectionInitTimeoutMs' | 'keepAliveMs'>,
  now: number,
): void {
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
