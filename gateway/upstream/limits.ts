// Every bound of subscriptions to subgraphs, by name.

export interface UpstreamLimits {
  /** Upstream subscriptions of this gateway; the next one ends with LIMIT_EXCEEDED. */
  readonly subscriptionsMax: number;
  /** Who listens to one of them: groups of subscribers, as a rule. */
  readonly listenersMax: number;
  /** WebSockets to one subgraph, or requests for a stream of events that are open there. */
  readonly connectionsPerSystemMax: number;
  /** Subscriptions on one WebSocket; the next one gets another. */
  readonly operationsPerSocketMax: number;
  /** One message of a subgraph. */
  readonly messageBytesMax: number;
  /** Bytes that wait to leave for one subgraph on one WebSocket; above it, the connection counts as lost. */
  readonly bufferedBytesMax: number;
  /** To connect, up to the answered upgrade or the head of the answer. */
  readonly handshakeTimeoutMs: number;
  /** From ConnectionInit to ConnectionAck. */
  readonly ackTimeoutMs: number;
  /** Between pings. */
  readonly keepAliveMs: number;
  /** For a subgraph to answer a ping; then it is cut off. */
  readonly pongTimeoutMs: number;
  /** Silence of an event stream that was seen to send comments again and again. */
  readonly commentedIdleTimeoutMs: number;
  /** Silence of any other event stream. */
  readonly idleTimeoutMs: number;
  /** From the last listener, or the last subscription of a socket, to its end. */
  readonly lingerMs: number;
  /** Before the first new try; each following one waits twice as long. */
  readonly retryDelayMsMin: number;
  readonly retryDelayMsMax: number;
  /** A connection that stood for so long starts the delays anew. */
  readonly stableMs: number;
  /** For a subgraph to answer the closing handshake; then it is cut off. */
  readonly closeTimeoutMs: number;
}

export const UPSTREAM_LIMITS: UpstreamLimits = Object.freeze({
  subscriptionsMax: 10_000,
  listenersMax: 10_000,
  connectionsPerSystemMax: 200,
  operationsPerSocketMax: 100,
  messageBytesMax: 1_000_000,
  bufferedBytesMax: 8_000_000,
  handshakeTimeoutMs: 5_000,
  ackTimeoutMs: 10_000,
  keepAliveMs: 10_000,
  pongTimeoutMs: 8_000,
  commentedIdleTimeoutMs: 25_000,
  idleTimeoutMs: 120_000,
  lingerMs: 1_000,
  retryDelayMsMin: 250,
  retryDelayMsMax: 10_000,
  stableMs: 10_000,
  closeTimeoutMs: 2_000,
});
