// Every bound of the WebSocket transport, by name.

export interface WebSocketLimits {
  /** Open sockets of this gateway; the next upgrade is answered 503. */
  readonly connectionsMax: number;
  /** Of one address, as the gateway sees it; the next upgrade is answered 429. */
  readonly connectionsPerAddressMax: number;
  /** Of one principal that says who it is; the next one closes with 4429. */
  readonly connectionsPerPrincipalMax: number;
  /** One message from a client; a longer one closes the socket with 1009. */
  readonly payloadBytesMax: number;
  /** Characters of an operation's id; a longer one closes the socket with 4400. */
  readonly idCharsMax: number;
  /** Operations that one socket runs at once; the next one ends with LIMIT_EXCEEDED. */
  readonly operationsPerConnectionMax: number;
  /** Pings of one client within a second, of WebSocket and of the protocol above it; one more closes the socket with 4429. */
  readonly pingsPerSecondMax: number;
  /** From the open socket to ConnectionInit; then it closes with 4408. */
  readonly connectionInitTimeoutMs: number;
  /** Between pings; a client that has not answered the last one is cut off. */
  readonly keepAliveMs: number;
  /** Bytes that wait to leave for one client; above it, parts of its answers wait. */
  readonly bufferedBytesMax: number;
  /** A query or mutation over the socket. */
  readonly operationTimeoutMs: number;
  /** For queries and mutations in flight when the server closes, and then for the sockets to be closed one after the other. */
  readonly drainTimeoutMs: number;
  /** While the server closes: from one socket to the next on the average, so that its clients do not all come back at once. */
  readonly closeIntervalMs: number;
  /** For clients to answer the closing handshake; then they are cut off. */
  readonly closeTimeoutMs: number;
}

export const WEBSOCKET_LIMITS: WebSocketLimits = Object.freeze({
  connectionsMax: 20_000,
  connectionsPerAddressMax: 20_000,
  connectionsPerPrincipalMax: 10_000,
  payloadBytesMax: 1_000_000,
  idCharsMax: 256,
  operationsPerConnectionMax: 100,
  pingsPerSecondMax: 20,
  connectionInitTimeoutMs: 3_000,
  keepAliveMs: 10_000,
  bufferedBytesMax: 1_000_000,
  operationTimeoutMs: 30_000,
  drainTimeoutMs: 2_000,
  closeIntervalMs: 2,
  closeTimeoutMs: 2_000,
});
