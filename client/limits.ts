// Every bound of the client, by name.

export interface ClientLimits {
  /** Before the first try again; each further one doubles it, up to the next. */
  readonly backOffMsMin: number;
  readonly backOffMsMax: number;
  /** A connection that lived so long was a good one: the next try begins at the shortest back-off. */
  readonly settledMs: number;
  /** For the gateway to acknowledge a connection. */
  readonly acknowledgeTimeoutMs: number;
  /** Between the client's pings. */
  readonly keepAliveMs: number;
  /** For the gateway to answer one; then the connection is given up. */
  readonly pongTimeoutMs: number;
  /** A new token is asked for so long before the old one ends, or halfway for one that does not last as long. */
  readonly renewBeforeMs: number;
  /** Connections in a row that end for their credentials, each with a token of its own, before the client gives up. */
  readonly refusalsMax: number;
  /** Events that an iterator may hold which its consumer has not taken; then the stream waits for it. */
  readonly iteratedEventsMax: number;
}

export const CLIENT_LIMITS: ClientLimits = Object.freeze({
  backOffMsMin: 500,
  backOffMsMax: 15_000,
  settledMs: 5_000,
  acknowledgeTimeoutMs: 10_000,
  keepAliveMs: 10_000,
  pongTimeoutMs: 5_000,
  renewBeforeMs: 30_000,
  refusalsMax: 3,
  iteratedEventsMax: 1_000,
});

/** The longest that a timer can wait. */
export const TIMER_MS_MAX = 2_147_483_647;
