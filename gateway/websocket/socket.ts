// One WebSocket as graphql-ws wants it: sends with back-pressure, failures that end this socket alone.
import type { IncomingHttpHeaders } from 'node:http';
import type { Logger } from '@weft/core/logger';
import { CloseCode, type Server } from 'graphql-ws';
import type { WebSocket } from 'ws';
import type { ClientIdentity } from '../observe/client-identity.ts';
import { ANONYMOUS_SESSION, type Session } from './session.ts';

/** A close frame holds 125 bytes, two of them its code: https://www.rfc-editor.org/rfc/rfc6455#section-5.5 */
const CLOSE_REASON_BYTES_MAX = 123;

/** What graphql-ws keeps for each connection. */
export interface ConnectionExtra {
  /** Aborts when the socket has closed. */
  readonly closed: AbortSignal;
  /** Of the upgrade request. */
  readonly headers: IncomingHttpHeaders;
  /** Of the anonymous until ConnectionInit; nothing is asked before it. */
  session: Session;
  close(code: number, reason: string): void;
  /** Read from the payload of ConnectionInit when the first operation comes. */
  client?: ClientIdentity;
}

/**
 * Hands an open socket to the protocol's server until it closes.
 * @param headers of the upgrade request
 * @param bufferedBytesMax above it a send waits until its bytes have left, and with it the operation that sends
 */
export function serveSocket(
  socket: WebSocket,
  server: Server<ConnectionExtra>,
  headers: IncomingHttpHeaders,
  bufferedBytesMax: number,
  logger: Logger,
): void {
  const closed = new AbortController();
  const close = (code: number, reason = '') => socket.close(code, cutCloseReason(reason));
  const onClosed = server.opened(
    {
      protocol: socket.protocol,
      send: (data) => send(socket, data, bufferedBytesMax),
      close,
      onMessage: (receive) => {
        socket.on('message', (data) => {
          receive(String(data)).catch((err: unknown) => {
            logger.error({ err }, 'a message could not be handled');
            socket.close(CloseCode.InternalServerError, 'Internal server error');
          });
        });
      },
    },
    { closed: closed.signal, headers, session: ANONYMOUS_SESSION, close },
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

/** As much of a reason as a close frame holds, in whole characters: `ws` throws at a longer one and the socket would stay open. */
export function cutCloseReason(reason: string): string {
  const { read } = new TextEncoder().encodeInto(reason, new Uint8Array(CLOSE_REASON_BYTES_MAX));
  return reason.slice(0, read);
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
