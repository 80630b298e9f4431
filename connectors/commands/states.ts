// The states of a command and the legal transitions between them, as data.

/** Every state; docs/commands.md explains them, connectors/subgraph/schema.graphql shows them. */
export const COMMAND_STATES = [
  'PENDING',
  'SENT',
  'APPLIED',
  'REJECTED',
  'UNKNOWN',
  'DEAD',
  'SUPERSEDED',
] as const;

export type CommandState = (typeof COMMAND_STATES)[number];

/** States in which something is still to come; a later command of the same subject waits for them. */
export const UNSETTLED: readonly CommandState[] = ['PENDING', 'SENT', 'UNKNOWN'];

/**
 * What moves a command, from where to where. Whatever is not here does not happen: every change goes through `nextState`.
 * Only NOT_SENT, NOT_FOUND, RETRYABLE and REDRIVEN lead back to PENDING: a command that may have been applied is not sent
 * again unless its system was asked, makes a second call harmless, or a person has said so.
 */
export const TRANSITIONS = [
  /** A host has taken it, by a lease, and is about to call. */
  { from: 'PENDING', cause: 'TAKEN', to: 'SENT' },
  /** Its time has passed, or it was sent too often. */
  { from: 'PENDING', cause: 'GIVEN_UP', to: 'DEAD' },
  { from: 'PENDING', cause: 'DISCARDED', to: 'DEAD' },
  /** What it was to carry out has ended, and nothing of it can have got there. */
  { from: 'PENDING', cause: 'SUPERSEDED', to: 'SUPERSEDED' },
  /** It is certain that the old system did nothing. */
  { from: 'SENT', cause: 'NOT_SENT', to: 'PENDING' },
  { from: 'SENT', cause: 'ANSWERED', to: 'APPLIED' },
  { from: 'SENT', cause: 'REFUSED', to: 'REJECTED' },
  { from: 'SENT', cause: 'NOT_ANSWERED', to: 'UNKNOWN' },
  /** The host that sent it is gone, or was stopped for longer than its lease. */
  { from: 'SENT', cause: 'LEASE_ENDED', to: 'UNKNOWN' },
  /** The answer came all the same, after the lease had ended and before anybody asked. */
  { from: 'UNKNOWN', cause: 'ANSWERED', to: 'APPLIED' },
  { from: 'UNKNOWN', cause: 'REFUSED', to: 'REJECTED' },
  { from: 'UNKNOWN', cause: 'FOUND', to: 'APPLIED' },
  { from: 'UNKNOWN', cause: 'NOT_FOUND', to: 'PENDING' },
  /** The old system itself makes a second call of one client number do nothing: `retryable`. */
  { from: 'UNKNOWN', cause: 'RETRYABLE', to: 'PENDING' },
  { from: 'UNKNOWN', cause: 'GIVEN_UP', to: 'DEAD' },
  { from: 'UNKNOWN', cause: 'REDRIVEN', to: 'PENDING' },
  { from: 'UNKNOWN', cause: 'DISCARDED', to: 'DEAD' },
  { from: 'UNKNOWN', cause: 'CONFIRMED', to: 'APPLIED' },
  { from: 'DEAD', cause: 'REDRIVEN', to: 'PENDING' },
  /** It may have been applied, and its system can be asked: that comes first. */
  { from: 'DEAD', cause: 'REOPENED', to: 'UNKNOWN' },
  { from: 'DEAD', cause: 'CONFIRMED', to: 'APPLIED' },
] as const satisfies readonly {
  readonly from: CommandState;
  readonly cause: string;
  readonly to: CommandState;
}[];

export type CommandCause = (typeof TRANSITIONS)[number]['cause'];

/** Where the cause leads from a state; undefined when it must not happen there. */
export function nextState(from: CommandState, cause: CommandCause): CommandState | undefined {
  return TRANSITIONS.find((one) => one.from === from && one.cause === cause)?.to;
}

/** The states in which a cause may happen. */
export function statesBefore(cause: CommandCause): readonly CommandState[] {
  return TRANSITIONS.filter((one) => one.cause === cause).map(({ from }) => from);
}
