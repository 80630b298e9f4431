// Every bound of live streams over HTTP, by name.

export interface LiveHttpLimits {
  /** Open streams of this gateway; the next is told RATE_LIMITED. */
  readonly streamsMax: number;
  /** Open streams of one principal that gave credentials; 0: as many as there are. */
  readonly streamsPerPrincipalMax: number;
  /** Open streams of one client address; 0: as many as there are, for a gateway that sees its load balancer's address alone. */
  readonly streamsPerAddressMax: number;
  /** An answer's head waits so long for the first event, or for a reason to refuse the request with a status. */
  readonly headDelayMs: number;
  /** For the source to answer, the event log as a rule, before there is a head; then the request is refused with 503. */
  readonly openTimeoutMs: number;
  /** Between the comments of an event stream in which nothing else is sent. */
  readonly keepAliveMs: number;
  /** The same of the empty parts of a multipart answer. */
  readonly heartbeatMs: number;
  /** For a client to take the last bytes of a stream; then it is cut off. */
  readonly closeTimeoutMs: number;
  /** When a gateway closes, its clients are asked to come back after a time by chance between the two. */
  readonly retryMsMin: number;
  readonly retryMsMax: number;
  /** Characters of `Last-Event-ID`; a cursor is shorter. */
  readonly lastEventIdCharsMax: number;
}

export const LIVE_HTTP_LIMITS: LiveHttpLimits = Object.freeze({
  streamsMax: 10_000,
  streamsPerPrincipalMax: 100,
  streamsPerAddressMax: 100,
  headDelayMs: 100,
  openTimeoutMs: 3_000,
  keepAliveMs: 10_000,
  heartbeatMs: 5_000,
  closeTimeoutMs: 2_000,
  retryMsMin: 500,
  retryMsMax: 5_000,
  lastEventIdCharsMax: 1_024,
});
