// Every bound of the HTTP door, by name.

export interface HttpLimits {
  /** Bytes of a request's body. */
  readonly bodyBytesMax: number;
  /** From the first byte of a request to its last. */
  readonly requestTimeoutMs: number;
  /** An idle connection is kept for the next request. */
  readonly keepAliveTimeoutMs: number;
  /** Requests in flight are waited for when the server closes; then they are cut off. */
  readonly drainTimeoutMs: number;
  /** A client whose socket does not take a part of an answer for so long is cut off. */
  readonly partDrainTimeoutMs: number;
}

export const HTTP_LIMITS: HttpLimits = Object.freeze({
  bodyBytesMax: 1_000_000,
  requestTimeoutMs: 30_000,
  keepAliveTimeoutMs: 72_000,
  drainTimeoutMs: 3_000,
  partDrainTimeoutMs: 10_000,
});
