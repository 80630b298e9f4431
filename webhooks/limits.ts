// Every bound of webhooks out, by name, with its default.

export const WEBHOOK_LIMITS = Object.freeze({
  webhooksMax: 1_000,
  /** Secrets of one webhook that sign at once, while receivers change theirs. */
  secretsMax: 4,
  /** Of an attempt: name, connection, request and answer. */
  timeoutMs: 15_000,
  timeoutMsMax: 60_000,
  /** Attempts of one delivery; then it is a dead letter. */
  attemptsMax: 12,
  attemptsMaxMax: 100,
  /** Before the second attempt, doubled before each later one … */
  retryDelayMsMin: 1_000,
  /** … up to this; a receiver's `retry-after` counts up to this too. */
  retryDelayMsMax: 600_000,
  /** Bytes of a receiver's answer that are read; what comes after them is cut off. */
  responseBytesMax: 16_000,
  /** Results of one webhook that wait behind the one that is being sent; beyond them the subscription ends and is begun anew. */
  queueResultsMax: 100,
  /** Dead letters of one webhook; while there are so many its next one is tried on rather than put aside. */
  deadLettersMax: 10_000,
  /** Before the gateway is asked again after the connection, or the subscription, was lost; doubled each time up to the next. */
  reconnectDelayMsMin: 200,
  reconnectDelayMsMax: 30_000,
  /** For the gateway to acknowledge the connection. */
  connectTimeoutMs: 10_000,
  /** Between pings to the gateway; one that is not answered in this time ends the connection. */
  keepAliveMs: 10_000,
  /** Between tries for the lease of a webhook that another process delivers. */
  leasePollMs: 1_000,
  /** Between looks for dead letters that are to be sent again. */
  redrivePollMs: 1_000,
  /** Dead letters that are sent again between two results. */
  redriveBatchMax: 10,
  /** One statement on the database. */
  queryTimeoutMs: 10_000,
  /** Characters of a failure that are kept. */
  failureCharactersMax: 500,
});
