// Every bound of the WebSocket transport, by name.

export interface WebSocketLimits {
  /** Open sockets of this gateway; the next upgrade is answered 503. */
  readonly connectionsMax: number;
  /** One message from a client; a longer one closes the socket with 1009. */
  readonly payloadBytesMax: number;
  /** Operations that one socket runs at once; the next one ends with LIMIT_EXCEEDED. */
  readonly operationsPerConnectionMax: number;
  /** From the open socket to ConnectionInit; then it closes with 4408. */
  readonly connectionInitTimeoutMs: number;
  /** Between pings; a client that has not answered the last one is cut off. */
  readonly keepAliveMs: number;
  /** Bytes that wait to leave for one client; above it, its operations are not asked for more until they are gone. */
  readonly bufferedBytesMax: number;
  /** A query or mutation over the socket. */
  readonly operationTimeoutMs: number;
  /** For queries and mutations in flight when the server closes. */
  readonly drainTimeoutMs: number;
  /** For clients to answer the closing handshake; then they are cut off. */
  readonly closeTimeoutMs: number;
}

export const WEBSOCKET_LIMITS: WebSocketLimits = Object.freeze({
  connectionsMax: 20_000,
  payloadBytesMax: 1_000_000,
  operationsPerConnectionMax: 100,
  connectionInitTimeoutMs: 10_000,
  keepAliveMs: 10_000,
  bufferedBytesMax: 1_000_000,
  operationTimeoutMs: 30_000,
  drainTimeoutMs: 2_000,
  closeTimeoutMs: 2_000,
});
