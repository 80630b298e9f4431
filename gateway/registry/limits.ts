// Every bound of taking the graph from the registry, by name, with its default.

export interface RegistryLimits {
  /** From one question for a newer graph to the next, whatever events say. */
  readonly pollMs: number;
  /** One question, from its first byte to the last of the answer. */
  readonly requestTimeoutMs: number;
  /** At the start, where no copy is on the disk. */
  readonly startTimeoutMs: number;
  /** Before the first new try after a failure; each following one waits twice as long. */
  readonly retryDelayMsMin: number;
  readonly retryDelayMsMax: number;
  /** Without an answer for so long, what is served is told to be stale. */
  readonly staleAfterMs: number;
  /** A graph that was refused is not looked at again before, unless the registry has another. */
  readonly refusedRetryMs: number;
  /** Of one answer, and of the copy on the disk. */
  readonly answerBytesMax: number;
  /** Keys in `WEFT_REGISTRY_PUBLIC_KEYS_FILE`, each of which a signature may be of. */
  readonly publicKeysMax: number;
}

export const REGISTRY_LIMITS: RegistryLimits = Object.freeze({
  pollMs: 10_000,
  requestTimeoutMs: 5_000,
  startTimeoutMs: 2_000,
  retryDelayMsMin: 250,
  retryDelayMsMax: 5_000,
  staleAfterMs: 30_000,
  refusedRetryMs: 60_000,
  answerBytesMax: 60_000_000,
  publicKeysMax: 16,
});
