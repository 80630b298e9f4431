// One WebSocket as graphql-ws wants it: sends with back-pressure, failures that end this socket alone.
import type { Logger } from '@weft/core/logger';
import { CloseCode, type Server } from 'graphql-ws';
import type { WebSocket } from 'ws';

/** What graphql-ws keeps for each connection. */
export interface ConnectionExtra {
  /** Aborts when the socket has closed. */
  readonly closed: AbortSignal;
}

/**
 * Hands an open socket to the protocol's server until it closes.
 * @param bufferedBytesMax above it a send waits until its bytes have left, and with it the operation that sends
 */
export function serveSocket(
  socket: WebSocket,
  server: Server<ConnectionExtra>,
  bufferedBytesMax: number,
  logger: Logger,
): void {
  const closed = new AbortController();
  const onClosed = server.opened(
    {
      protocol: socket.protocol,
      send: (data) => send(socket, data, bufferedBytesMax),
      close: (code, reason) => socket.close(code, reason),
      onMessage: (receive) => {
        socket.on('message', (data) => {
          receive(String(data)).catch((err: unknown) => {
            logger.error({ err }, 'a message could not be handled');
            socket.close(CloseCode.InternalServerError, 'Internal server error');
          });
        });
      },
    },
    { closed: closed.signal },
  );
  // A reset, a frame that is too long or not UTF-8: ws closes the socket with the code that is due.
  socket.on('error', (err) => logger.debug({ err }, 'a socket failed'));
  socket.once('close', (code, reason) => {
    closed.abort();
    Promise.resolve(onClosed(code, String(reason))).catch((err: unknown) =>
      logger.error({ err }, 'a closed socket could not be cleaned up'),
    );
  });
}

/** Resolves at once while the buffer is short, else when these bytes have left; also when the socket is gone. */
function send(socket: WebSocket, data: string, bufferedBytesMax: number): Promise<void> {
  return new Promise((resolve) => {
    if (socket.readyState !== socket.OPEN) return resolve();
    // What cannot be sent any more is dealt with by the socket's `close`.
    socket.send(data, () => resolve());
    if (socket.bufferedAmount <= bufferedBytesMax) resolve();
  });
}
