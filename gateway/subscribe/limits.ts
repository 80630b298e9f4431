// Every bound of live subscriptions, by name, with its default.

export interface FanOutLimits {
  /** Payloads that wait for one subscriber whose transport is full; what does not fit becomes a gap. */
  readonly queueEventsMax: number;
  /** Characters of them. */
  readonly queueCharsMax: number;
  /** Bytes that wait in the transport of one client; above it, payloads wait in its queue. */
  readonly bufferedBytesMax: number;
  /** Characters of the payloads that are written to a client in one go. */
  readonly writtenTogetherCharsMax: number;
  /** A client whose transport took nothing for so long is told of its gap and cut off. */
  readonly slowClientTimeoutMs: number;
  /** Events of one group that are executed at the same time. */
  readonly eventsAtOnceMax: number;
  /** Events of one group that wait to be executed or delivered; what does not fit becomes a gap for the group. */
  readonly pendingEventsMax: number;
  /** Payloads that a group keeps for those who come back. */
  readonly recentPayloadsMax: number;
  /** Characters of them. */
  readonly recentCharsMax: number;
  /** Events that a topic's reader keeps at hand. */
  readonly recentEventsMax: number;
  /** Characters of them. */
  readonly recentEventsCharsMax: number;
  /** Events read from the log at a time for those who are behind. */
  readonly catchUpEventsMax: number;
  /** Subscribers who are behind and are given more, or are cut off, before what else there is to do comes between. */
  readonly turnMembersMax: number;
  /** Batches of a topic that are kept for others who are as far behind. */
  readonly catchUpBatchesMax: number;
  /** Objects of a snapshot; one that has more ends its subscription with LIMIT_EXCEEDED. */
  readonly snapshotEntitiesMax: number;
  /** Of one page of a list that is paged. */
  readonly snapshotPageEntities: number;
  /** Who begin within so long of each other share one reading of the state. */
  readonly snapshotShareMs: number;
  /** For all pages. */
  readonly snapshotTimeoutMs: number;
  /** The longest interval at which a client may have changes of one subject gathered. */
  readonly coalesceIntervalMsMax: number;
  /** Subjects that wait for the end of an interval; with one more, it ends at once. */
  readonly coalescedSubjectsMax: number;
}

export const FAN_OUT_LIMITS: FanOutLimits = Object.freeze({
  queueEventsMax: 1_000,
  queueCharsMax: 4_000_000,
  bufferedBytesMax: 1_000_000,
  writtenTogetherCharsMax: 65_536,
  slowClientTimeoutMs: 5_000,
  eventsAtOnceMax: 32,
  pendingEventsMax: 10_000,
  recentPayloadsMax: 1_000,
  recentCharsMax: 2_000_000,
  recentEventsMax: 1_000,
  recentEventsCharsMax: 2_000_000,
  catchUpEventsMax: 200,
  turnMembersMax: 64,
  catchUpBatchesMax: 16,
  snapshotEntitiesMax: 2_000,
  snapshotPageEntities: 100,
  snapshotShareMs: 2_000,
  snapshotTimeoutMs: 30_000,
  coalesceIntervalMsMax: 60_000,
  coalescedSubjectsMax: 10_000,
});
