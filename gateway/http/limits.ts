// Every bound of the HTTP door, by name.

export interface HttpLimits {
  /** Bytes of a request's body. */
  readonly bodyBytesMax: number;
  /** Bytes that are still taken of a body that is refused, so that its client reads why; then it is cut off. */
  readonly refusedBytesMax: number;
  /** For so long; less than `requestTimeoutMs`, which would answer a second time. */
  readonly refusedTimeoutMs: number;
  /** Bytes of all headers of a request. */
  readonly headerBytesMax: number;
  /** Headers of a request. */
  readonly headersMax: number;
  /** From the first byte of a request to the end of its headers. */
  readonly headersTimeoutMs: number;
  /** From the first byte of a request to its last. */
  readonly requestTimeoutMs: number;
  /** Between looks for connections that are late: by so much more may they be late. */
  readonly connectionsCheckIntervalMs: number;
  /** Open connections, those that became WebSockets among them; the next is cut off. */
  readonly connectionsMax: number;
  /** An idle connection is kept for the next request. */
  readonly keepAliveTimeoutMs: number;
  /** Requests in flight are waited for when the server closes; then they are cut off. */
  readonly drainTimeoutMs: number;
  /** A client whose socket does not take a part of an answer for so long is cut off. */
  readonly partDrainTimeoutMs: number;
  /** Requests in one body, where lists are taken. */
  readonly batchRequestsMax: number;
  /** An answer of fewer characters is not compressed: it is one packet either way. */
  readonly compressedCharsMin: number;
}

export const HTTP_LIMITS: HttpLimits = Object.freeze({
  bodyBytesMax: 1_000_000,
  refusedBytesMax: 64_000_000,
  refusedTimeoutMs: 10_000,
  headerBytesMax: 16_384,
  headersMax: 100,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 30_000,
  connectionsCheckIntervalMs: 1_000,
  connectionsMax: 30_000,
  keepAliveTimeoutMs: 72_000,
  drainTimeoutMs: 3_000,
  partDrainTimeoutMs: 10_000,
  batchRequestsMax: 10,
  compressedCharsMin: 1_400,
});
