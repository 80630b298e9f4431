// What a server that carries the log live must do, so that one reader and one relay serve them all: docs/adr/0016-log-engines.md.
import type { Position } from './event-log.ts';

/** An event as an engine carries it: it knows the event before it, so that whoever reads sees when one is missing. */
export interface LiveEntry {
  readonly position: Position;
  /** The outbox's event before this one in the topic, or where its retention ended. */
  readonly previous: Position;
  /** The CloudEvent in JSON; undefined: the engine would not take it, or it is trimmed, and the outbox tells. */
  readonly envelope: string | undefined;
}

/** What an engine has of a topic. */
export interface LiveState {
  /** Which filling of the topic this is: a new one whenever it is built anew from the outbox. */
  readonly generation: string;
  /** The last position that was appended; where the filling began when there is none. */
  readonly last: Position;
}

export interface LivePage {
  readonly entries: readonly LiveEntry[];
  /** Undefined when the engine does not have the topic. Taken before the entries were. */
  readonly last: Position | undefined;
}

/** Where a relay believes the topic to stand, and by what right it writes. */
export interface AppendAt {
  readonly generation: string;
  /** The last position that the engine has. */
  readonly last: Position;
  /** Of the relay's lease; an engine that has seen a greater one refuses this one. */
  readonly fence: bigint;
}

/**
 * `conflict`: the topic does not stand where the relay believes, or another relay has taken over; look again.
 * `refused`: the engine takes no such event, now or later, and has taken none of the call.
 */
export type AppendOutcome =
  | { readonly kind: 'appended' }
  | { readonly kind: 'conflict' }
  | { readonly kind: 'refused'; readonly reason: string };

/** Every method rejects with STORE_UNAVAILABLE, within `COMMAND_TIMEOUT_MS` a command, when the server does not answer or has no room. */
export interface LiveEngine {
  /** For people: `Redis`, `NATS JetStream`. */
  readonly name: string;
  /** Entries after a position, oldest first. */
  readPage(topic: string, after: Position, entriesMax: number): Promise<LivePage>;
  /** Resolves when the topic may have something after the position, after `timeoutMs`, or when the signal aborts. Never rejects. */
  wait(topic: string, after: Position, timeoutMs: number, signal: AbortSignal): Promise<void>;
  /** Undefined when it has no such topic, or has lost part of what says so. */
  readState(topic: string): Promise<LiveState | undefined>;
  /** Empties the topic and begins a generation after `at.last`. */
  begin(topic: string, at: AppendAt): Promise<AppendOutcome>;
  /** Appends entries, whose first must follow `at.last`, in order: all of them, or a beginning of them and a conflict. */
  append(topic: string, at: AppendAt, entries: readonly LiveEntry[]): Promise<AppendOutcome>;
  /** Drops what stands up to a position, itself included. */
  trim(topic: string, upTo: Position): Promise<void>;
  /** Whether a connection stands and its server can be used. */
  isConnected(): boolean;
  /**
   * Connects once and sees whether the server can be used; false when it cannot be reached.
   * @throws OperatorError when it is set up in a way that loses events
   */
  check(): Promise<boolean>;
  close(): Promise<void>;
}
