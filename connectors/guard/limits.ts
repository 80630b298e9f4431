// The limits of protection, by name.

/** Calls that wait for each one that may run. */
export const WAITING_PER_SLOT = 32;
/** A call waits for its turn so long; then it is told which gate was shut. */
export const GATE_WAIT_MS_MAX = 2_500;
/** A gate that other processes may open is looked at again so often. */
export const GATE_POLL_MS = 15;
/** A budget is of a second; a hundredth more, since Redis' clock is read in whole milliseconds and does not run as the system's does. */
export const ARRIVALS_MS = 1_010;
/** A call that nobody waits for any longer, and that was not answered, arrives so much later at the latest. */
export const LATE_ARRIVAL_MS_MAX = 1_000;
/** The failure ratio is taken over this long. */
export const SAMPLE_MS = 10_000;

/** Between two tries, where the source does not say. */
export const RETRY_DELAY_MS = 25;
/** A source that wants to be left alone for longer is not asked again by the same call. */
export const RETRY_AFTER_MS_MAX = 1_000;
/** Retries are so much of the calls, */
export const RETRY_RATIO = 0.1;
/** with so many at the start, and kept at the most. */
export const RETRY_RESERVE = 3;
export const RETRIES_KEPT_MAX = 10;

/** One command to Redis; then this process goes on without it. */
export const REDIS_COMMAND_TIMEOUT_MS = 100;
/** A replica says so often that it is there, */
export const HEARTBEAT_MS = 200;
/** takes Redis for gone when it has not answered for so long, */
export const LOST_AFTER_MS = 500;
/** and is taken by the others for one that sees no Redis when it was not heard for so long: what is its share is then left to it. */
export const HEARD_MS = 1_000;
/** One that was not heard for so long is counted no more. */
export const FORGET_MS = 15_000;
/** After Redis itself was started, each keeps to its share until all had the time to come back. */
export const NEW_REDIS_MS = 2_000;
/** What Redis knows of a source that nobody asks. */
export const STATE_TTL_MS = 3_600_000;
/** A lease outlives its call's time-out by this; nobody has to return it. */
export const LEASE_SLACK_MS = 500;
