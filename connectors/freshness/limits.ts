// The limits of fresh answers, by name.

/** Of one process: answers that are kept, */
export const ENTRIES_MAX = 50_000;
/** and the bytes of their JSON. */
export const BYTES_MAX = 64_000_000;
/** A longer answer is not kept. */
export const ENTRY_BYTES_MAX = 256_000;
/** Records of which is remembered that what was known of them no longer holds. */
export const DROPS_MAX = 50_000;
/** Drops that Redis could not be told, and will be. */
export const PENDING_DROPS_MAX = 1_000;

/** A question that several have is asked once; it ends by itself then. */
export const FLIGHT_MS_MAX = 5_000;
/** Who has something old to show waits so long for something fresh. */
export const STALE_PATIENCE_MS = 3_000;

/** For an answer that another replica asks for is waited so long, */
export const OTHERS_WAIT_MS_MAX = 1_500;
/** and looked so soon, and then half as often each time. */
export const OTHERS_POLL_MS_MIN = 20;
export const OTHERS_POLL_MS_MAX = 160;
