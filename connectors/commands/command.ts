// A command as it is stored and told: its row, and the event of each change of its state.
import type { CloudEvent } from '@weft/events/envelope';
import { COMMAND_TOPIC, type DispatchedCommand } from '@weft/schema/incident-dispatch';
import type { NotifiedCommand } from '@weft/schema/incident-notification';
import type { CommandCause, CommandState } from './states.ts';

export { COMMAND_TOPIC };

/** What is kept of the attempt that a command carries out. */
export type Dispatched = Omit<DispatchedCommand, 'upstreamRef'>;

/** A row of `connectors.command`. */
export interface Command {
  readonly id: string;
  readonly system: string;
  readonly source: string;
  /** Of Mutation. */
  readonly field: string;
  readonly principal: string;
  readonly idempotencyKey: string;
  readonly contentHash: string;
  readonly args: Readonly<Record<string, unknown>>;
  readonly subject: string | null;
  readonly state: CommandState;
  readonly version: number;
  readonly mayBeApplied: boolean;
  /** Sendings whose outcome was not known. */
  readonly tries: number;
  /** Sendings and questions in a row that brought nothing: the back-off grows with them. */
  readonly fruitless: number;
  readonly attemptCount: number;
  readonly code: string | null;
  readonly upstreamRef: string | null;
  /** What `select` made of the answer. */
  readonly result: Readonly<Record<string, unknown>> | null;
  readonly correlationId: string;
  /** The attempt that it carries to a department; null for one that a client has asked for. */
  readonly dispatch: Dispatched | null;
  /** The telling of a reporter that it carries out; null for any other. */
  readonly notification: NotifiedCommand | null;
  readonly leaseToken: string | null;
  readonly nextAt: Date | null;
  readonly unknownSince: Date | null;
  readonly giveUpAt: Date;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** The columns of a row `c`, under the names of `Command`; ends where another list can go on. */
export const COMMAND_COLUMNS = `c.id, c.system, c.source, c.field, c.principal, c.idempotency_key AS "idempotencyKey",
  c.content_hash AS "contentHash", c.args, c.subject, c.state, c.version, c.may_be_applied AS "mayBeApplied", c.tries, c.fruitless,
  c.attempt_count AS "attemptCount", c.code, c.upstream_ref AS "upstreamRef", c.result, c.dispatch, c.notification, c.correlation_id AS "correlationId",
  c.lease_token AS "leaseToken", c.next_at AS "nextAt", c.unknown_since AS "unknownSince", c.give_up_at AS "giveUpAt",
  c.created_at AS "createdAt", c.updated_at AS "updatedAt"`;

/** A row as a query result: what `SqlTransaction.query` asks of a row's type. */
export type CommandRow = Command & Record<string, unknown>;

/**
 * The event of a change: its id follows from the command and its version, so that it is there once.
 * @param command as it is after the change
 * @param from null for a new one
 */
export function commandEvent(
  command: Command,
  from: CommandState | null,
  cause: CommandCause | 'ACCEPTED',
): CloudEvent {
  const { id, system, source, field, version, state, code, correlationId, dispatch, upstreamRef } = command;
  const { notification } = command;
  const at = command.updatedAt.toISOString();
  return {
    specversion: '1.0',
    id: `${id}:${version}`,
    source: `/systems/${system}/commands`,
    type: 'dev.weft.command.changed',
    subject: `Command:${id}`,
    time: at,
    datacontenttype: 'application/json',
    sequence: String(version),
    partitionkey: id,
    correlationid: correlationId,
    data: {
      command: { id },
      system,
      source,
      field,
      change: { from, to: state, cause, code, at },
      ...(dispatch === null ? {} : { dispatch: { ...dispatch, upstreamRef } }),
      ...(notification === null ? {} : { notification: { ...notification } }),
    },
  };
}
