// The one way in which a command changes its state: by a legal transition, with its event in the same transaction.
import { invariant } from '@weft/core/errors';
import type { StoreTransaction } from '@weft/core/sql-store';
import type { EventAppender } from '@weft/events/event-log';
import { COMMAND_COLUMNS, COMMAND_TOPIC, type Command, type CommandRow, commandEvent } from './command.ts';
import { type CommandCause, type CommandState, nextState, statesBefore } from './states.ts';

/** A transaction, and how events are written in it. */
export interface CommandWriter {
  readonly transaction: StoreTransaction;
  readonly appender: EventAppender;
}

export interface Move {
  readonly cause: CommandCause;
  /** Over a row `c`, with parameters from `$1`. The states that the cause may happen in are added. */
  readonly where: string;
  /** Assignments besides the state, with the same parameters. */
  readonly set: string;
  readonly parameters: readonly unknown[];
  /** Rows at the most; those that another host works on are left to it. Undefined: rows are named, and waited for. */
  readonly limit?: number;
}

/** Every cause leads to one state, wherever from. */
function stateAfter(cause: CommandCause): CommandState {
  const [from] = statesBefore(cause);
  const to = from === undefined ? undefined : nextState(from, cause);
  invariant(to !== undefined, `the cause ${cause} leads nowhere`);
  return to;
}

/** @returns the commands as they are after it; those that were not in a state before the cause are left as they are */
export async function moveCommands(
  { transaction, appender }: CommandWriter,
  { cause, where, set, parameters, limit }: Move,
): Promise<readonly Command[]> {
  // States are constants of ours, and stand in the text: the index over what is unsettled is found by them.
  const before = statesBefore(cause).map((state) => `'${state}'`);
  const locking =
    limit === undefined ? 'FOR UPDATE OF c' : `LIMIT $${parameters.length + 1} FOR UPDATE OF c SKIP LOCKED`;
  const rows = await transaction.query<CommandRow & { readonly fromState: CommandState }>(
    `WITH due AS (SELECT c.id, c.state AS from_state FROM connectors.command c
                  WHERE c.state IN (${before.join(', ')}) AND (${where}) ORDER BY c.seq ${locking})
     UPDATE connectors.command c SET state = '${stateAfter(cause)}', version = c.version + 1, updated_at = clock_timestamp(), ${set}
     FROM due WHERE c.id = due.id RETURNING ${COMMAND_COLUMNS}, due.from_state AS "fromState"`,
    limit === undefined ? parameters : [...parameters, limit],
  );
  const events = rows.map(({ fromState, ...command }) => commandEvent(command, fromState, cause));
  await appender.append(transaction.later, COMMAND_TOPIC, events);
  return rows;
}
