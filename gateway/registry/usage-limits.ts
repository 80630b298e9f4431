// Every bound of telling the registry what is used, by name, with its default.

export interface UsageLimits {
  /** From one report to the next. */
  readonly reportMs: number;
  /** One report, from its first byte to the last of the answer. */
  readonly requestTimeoutMs: number;
  /** At the end of the process. */
  readonly closeTimeoutMs: number;
  /** Operations, by client, that are counted until they are told; further ones are counted as dropped. */
  readonly operationsMax: number;
  /** Characters of the documents of these. */
  readonly documentCharsMax: number;
  /** Of one report. */
  readonly reportOperationsMax: number;
  /** Characters of the documents and coordinates of one report: the registry takes no body that is larger than 1 MiB. */
  readonly reportCharsMax: number;
  /** Refusals of one report before it is given up. */
  readonly refusalsMax: number;
  /** Hashes whose documents were sent, which are not sent again. */
  readonly knownHashesMax: number;
  /** Systems that calls are counted of. */
  readonly systemsMax: number;
  /** Calls of a system in one report whose latency is looked at: the last ones. */
  readonly samplesMax: number;
  /** A subscription that runs is told as used so often. */
  readonly liveSeenMs: number;
  /** Operations that are described before other work has its turn. */
  readonly describedPerTurnMax: number;
}

export const USAGE_LIMITS: UsageLimits = Object.freeze({
  reportMs: 10_000,
  requestTimeoutMs: 5_000,
  closeTimeoutMs: 1_000,
  operationsMax: 2_000,
  documentCharsMax: 10_000_000,
  reportOperationsMax: 500,
  reportCharsMax: 500_000,
  refusalsMax: 30,
  knownHashesMax: 20_000,
  systemsMax: 1_000,
  samplesMax: 512,
  liveSeenMs: 60_000,
  describedPerTurnMax: 20,
});
