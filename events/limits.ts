// The limits of the log's engines and of the relay, by name.

/** One command to a live engine; then its connection is given up. */
export const COMMAND_TIMEOUT_MS = 1_500;
export const CONNECT_TIMEOUT_MS = 2_000;
/** Between attempts to connect. */
export const RECONNECT_DELAY_MS_MIN = 50;
export const RECONNECT_DELAY_MS_MAX = 1_000;
/** A process that starts goes on without an engine that did not answer so often. */
export const FIRST_ATTEMPTS_MAX = 3;
/** Commands that wait for an answer on one connection, at the most. */
export const COMMANDS_IN_FLIGHT_MAX = 1_000;

/** A reader asks the engine again so long after it did not answer; meanwhile it reads the outbox. */
export const ENGINE_RETRY_MS = 1_000;
/** Between looks into the outbox while the engine is away or behind. */
export const FALLBACK_POLL_MS = 200;
/** A quiet topic's reader looks into the outbox so often, in case that nobody moves its events. */
export const OUTBOX_POLL_MS = 2_000;
/** A reader whose wait was not ended by news asks the engine so often. */
export const LIVE_POLL_MS = 1_000;

/** Events, and characters of events, of one append to an engine. */
export const APPEND_ENTRIES_MAX = 500;
export const APPEND_CHARACTERS_MAX = 1_000_000;

/** A relay whose lease has not beaten for so long, by the monotonic clock of who watches, is over. */
export const LEASE_MS = 4_000;
export const LEASE_BEAT_MS = 1_000;

/** An engine's topics are compared with what was acknowledged so often. */
export const WATCH_INTERVAL_MS = 500;
/** Topics are looked for so often; one that is announced is found at once. */
export const DISCOVERY_INTERVAL_MS = 1_000;
/** Between attempts of the relay after an engine or the outbox failed. */
export const RELAY_RETRY_MS_MIN = 50;
export const RELAY_RETRY_MS_MAX = 1_000;

/** An event that the engine refuses is tried so often, with these pauses, before it is a dead letter: 0.6 s together. */
export const REFUSED_TRIES_MAX = 5;
export const REFUSED_RETRY_DELAYS_MS: readonly number[] = [40, 80, 160, 320];
export const DEAD_LETTER_REASON_LENGTH_MAX = 500;

/** Retention is enforced so often. */
export const RETENTION_INTERVAL_MS = 10_000;
/** Rows that one statement of the retention counts or deletes. */
export const RETENTION_ROWS_MAX = 5_000;
