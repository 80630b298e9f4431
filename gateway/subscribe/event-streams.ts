// Live subscriptions: members of groups that are served from the event log's topics, or from subgraphs' own subscriptions.
import { HubError } from '@weft/core/errors';
import type { Logger } from '@weft/core/logger';
import type { EventLog } from '@weft/events/event-log';
import { withSeveralTopics } from '@weft/events/several-topics';
import type { ExecutionResult } from 'graphql';
import type { Engine, OperationContext, PreparedOperation } from '../engine.ts';
import { createHeaderPicker } from '../fetch/forwarded-headers.ts';
import { type Start, startOf } from './bound-field.ts';
import { createCursorCodec, type KeyRing } from './cursor.ts';
import { createGroups, type Groups } from './groups.ts';
import { FAN_OUT_LIMITS, type FanOutLimits } from './limits.ts';
import type { LiveSources } from './live-source.ts';
import { Member } from './member.ts';
import type { Renewals } from './renewals.ts';
import { createResults } from './results.ts';
import type { LiveSink, LiveSubscription } from './sink.ts';
import { createSlowWatch } from './slow-watch.ts';
import { createTopicReaders } from './topic-reader.ts';
import { Turns } from './turns.ts';

export interface EventStreamsOptions {
  readonly log: EventLog;
  readonly engine: Pick<Engine, 'executeEvent' | 'executeResult'>;
  /** The engine of now, which snapshots are read with; absent: no field has a snapshot. */
  readonly queries?: () => Engine;
  /** Tells of engines that replace the one an operation was prepared on; absent where there is one engine for good. */
  readonly renewals?: Renewals;
  /** For fields that are not answered from the log; absent: there are none. */
  readonly sources?: LiveSources;
  /** Names of client headers that go on to subgraphs: who differ in them are not of one group. Default none. */
  readonly forwardedHeaders?: readonly string[] | undefined;
  readonly keyRing: KeyRing;
  readonly logger: Logger;
  readonly limits?: Partial<FanOutLimits> | undefined;
}

/** Counts since the start, and what there is now. */
export interface StreamFigures {
  /** Payloads that were handed to sinks. */
  readonly deliveries: number;
  /** Entries that passed the filter of a group; several groups count one event several times. */
  readonly events: number;
  /** Gaps that subscribers were told because they were too slow. */
  readonly slowGaps: number;
  readonly groups: number;
  readonly members: number;
  /** Subscribers whose transport is full. */
  readonly slow: number;
}

export interface EventStreams {
  /**
   * Begins a prepared subscription. The sink is called from a later turn on: results in the source's order, until it is
   * stopped; `end` with the reason when there is one: INVALID_CURSOR, BAD_USER_INPUT, STORE_UNAVAILABLE,
   * SUBSCRIPTION_SCHEMA_RELOAD when a new graph lacks a field of it, LIMIT_EXCEEDED with `details.limit` of
   * `slowClientTimeoutMs` when its client takes nothing. Goes on when the graph is reloaded.
   * @param context `signal` is not looked at: who leaves calls `stop`
   */
  open(
    operation: PreparedOperation,
    variables: Readonly<Record<string, unknown>>,
    context: OperationContext,
    sink: LiveSink,
  ): LiveSubscription;
  /**
   * The subscriber's authority is another from now on: it goes on among those who have the same, with nothing lost or twice.
   * @param operation the same, prepared for the principal of `context`
   */
  moveTo(
    subscription: LiveSubscription,
    operation: PreparedOperation,
    variables: Readonly<Record<string, unknown>>,
    context: OperationContext,
  ): void;
  /** The same as a stream that pulls: for consumers that are no transport. Throws what `end` would be told; ends when `context.signal` aborts. */
  subscribe(
    operation: PreparedOperation,
    variables: Readonly<Record<string, unknown>>,
    context: OperationContext,
  ): AsyncGenerator<ExecutionResult, void, undefined>;
  /** Subscribers that stand in the stream: whatever is appended from now on reaches them. */
  liveSubscribers(): number;
  /** Topics that are being read at the moment. */
  topics(): readonly string[];
  figures(): StreamFigures;
}

/** Streams over one log. Holds one reader a topic while somebody listens, and nothing else: the log is the caller's to close. */
export function createEventStreams(options: EventStreamsOptions): EventStreams {
  const limits = { ...FAN_OUT_LIMITS, ...options.limits };
  const cursors = createCursorCodec(options.keyRing);
  const log = withSeveralTopics(options.log);
  const readers = createTopicReaders(log, limits);
  const turns = new Turns(limits.turnMembersMax);
  const slow = createSlowWatch(limits, turns);
  const { engine, logger, queries, renewals, sources } = options;
  const pickHeaders = createHeaderPicker(options.forwardedHeaders ?? []);
  const tally = { deliveries: 0, slowGaps: 0, live: 0, events: 0, slow: slow.members, onSlow: slow.start };
  const parts = { log, engine, logger, queries, limits, tally, turns, cursors, readers, renewals, sources };
  const groups = createGroups({ ...parts, pickHeaders });
  const open: EventStreams['open'] = (operation, variables, context, sink) => {
    const stream = operation.eventStream;
    const principal = context.principal.id;
    const mark =
      stream === undefined ? '' : cursors.mark({ topic: stream.topic, field: stream.field, principal });
    const member = new Member(sink, mark);
    const enter = (begin: () => Start) => enterSafely(groups, member, operation, variables, context, begin);
    enter(() => startOf(cursors, operation, variables, context));
    return member;
  };
  return {
    open,
    moveTo(subscription, operation, variables, context) {
      const member = subscription as Member;
      if (member.group === undefined) return;
      const { position } = member;
      const isAtStart = position === undefined || member.isInSnapshot;
      member.group.leave(member);
      member.beginAnew();
      enterSafely(groups, member, operation, variables, context, () =>
        isAtStart ? startOf(cursors, operation, variables, context) : { kind: 'after', position },
      );
    },
    subscribe: (operation, variables, context) =>
      createResults((sink) => open(operation, variables, context, sink), context.signal),
    liveSubscribers: () => tally.live,
    topics: () => readers.topics(),
    figures: () => {
      const { deliveries, events, slowGaps } = tally;
      return { deliveries, events, slowGaps, ...groups.count(), slow: slow.members.size };
    },
  };
}

/** Never throws: what goes wrong ends the member, not before its sink knows of it. */
function enterSafely(
  groups: Groups,
  member: Member,
  operation: PreparedOperation,
  variables: Readonly<Record<string, unknown>>,
  context: OperationContext,
  begin: () => Start,
): void {
  try {
    groups.enter(member, begin(), operation, variables, context);
  } catch (thrown) {
    const error = HubError.from(thrown);
    // Not before the caller has what `open` returns.
    queueMicrotask(() => member.endUnentered(error));
  }
}
