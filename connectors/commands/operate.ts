// What a person does to a command: send it again, put it aside, or say that the old system has it.
import { HubError } from '@weft/core/errors';
import type { EventAppender } from '@weft/events/event-log';
import type { Store } from '../ingest/store.ts';
import { lockSubject } from './accept.ts';
import { COMMAND_COLUMNS, type Command, type CommandRow } from './command.ts';
import { type CommandWriter, type Move, moveCommands } from './move.ts';
import { isCommandId } from './reads.ts';
import { type CommandCause, statesBefore } from './states.ts';

/** Where commands are, and how their changes are told. */
export interface OperateOptions {
  readonly store: Store;
  readonly appender: EventAppender;
  /** Whether the system of a command can be asked what became of it. */
  readonly isAskable: (command: Command) => boolean;
}

/** A command that is sent again by a person may be tried for this long. */
const REDRIVE_HOURS = 24;

const UNLEASED = 'c.id = $1 AND (c.lease_until IS NULL OR c.lease_until < clock_timestamp())';

/**
 * Has an UNKNOWN or DEAD command sent again, behind those of its subject that came since. One that may have been applied is
 * asked about first where its system can be asked.
 * @param force sends one that may have been applied and cannot be asked about: the person has looked
 * @throws HubError NOT_FOUND; CONFLICT when its state does not allow it, or it may have been applied; STORE_UNAVAILABLE
 */
export function redriveCommand(options: OperateOptions, id: string, force = false): Promise<Command> {
  return onCommand(options, id, async (writer, command) => {
    if (!statesBefore('REDRIVEN').includes(command.state)) return undefined;
    const isOpen = command.mayBeApplied && !force;
    if (isOpen && !options.isAskable(command)) return 'MAY_BE_APPLIED';
    if (isOpen && command.state === 'UNKNOWN') return askNow(writer, command);
    if (command.subject !== null) await lockSubject(writer.transaction, command, command.subject);
    // An UNKNOWN one keeps its place: its subject has waited for it.
    const place = `seq = CASE WHEN c.state = 'DEAD' THEN nextval(pg_get_serial_sequence('connectors.command', 'seq')) ELSE c.seq END`;
    const move: Omit<Move, 'cause'> = {
      where: UNLEASED,
      set: `${place}, next_at = clock_timestamp(), tries = 0, fruitless = 0, code = NULL,
        give_up_at = clock_timestamp() + make_interval(hours => $2)`,
      parameters: [id, REDRIVE_HOURS],
    };
    const [moved] = await moveCommands(writer, { ...move, cause: isOpen ? 'REOPENED' : 'REDRIVEN' });
    return moved;
  });
}

/** Puts a command aside for good; what it was meant to do is not done any more. Errors as of `redriveCommand`. */
export function discardCommand(options: OperateOptions, id: string): Promise<Command> {
  return onCommand(options, id, (writer) =>
    moveOne(writer, 'DISCARDED', `code = 'DISCARDED', next_at = NULL`, [id]),
  );
}

/** Says that the old system has it, as a person has found. Errors as of `redriveCommand`. */
export function confirmCommand(
  options: OperateOptions,
  id: string,
  upstreamRef: string | null,
): Promise<Command> {
  return onCommand(options, id, (writer) =>
    moveOne(writer, 'CONFIRMED', 'code = NULL, next_at = NULL, may_be_applied = true, upstream_ref = $2', [
      id,
      upstreamRef,
    ]),
  );
}

async function moveOne(
  writer: CommandWriter,
  cause: CommandCause,
  set: string,
  parameters: readonly unknown[],
): Promise<Command | undefined> {
  const [moved] = await moveCommands(writer, { cause, where: UNLEASED, set, parameters });
  return moved;
}

async function askNow({ transaction }: CommandWriter, command: Command): Promise<Command> {
  await transaction.query(
    `UPDATE connectors.command c SET next_at = LEAST(c.next_at, clock_timestamp())
     WHERE c.id = $1 AND (c.lease_until IS NULL OR c.lease_until < clock_timestamp())`,
    [command.id],
  );
  return command;
}

/** @param work undefined: its state, or a lease, does not allow it */
async function onCommand(
  { store, appender }: OperateOptions,
  id: string,
  work: (writer: CommandWriter, command: Command) => Promise<Command | 'MAY_BE_APPLIED' | undefined>,
): Promise<Command> {
  const found = await store.transaction(async (transaction) => {
    const command = isCommandId(id) ? await lockCommand({ transaction, appender }, id) : undefined;
    if (command === undefined) return undefined;
    return { before: command, after: await work({ transaction, appender }, command) };
  });
  if (found === undefined)
    throw new HubError('NOT_FOUND', `there is no command ${id}`, { details: { argument: 'id' } });
  const { before, after } = found;
  if (after === 'MAY_BE_APPLIED') {
    throw new HubError(
      'CONFLICT',
      `command ${id} may have been applied and its system cannot be asked: look there, then confirm it, discard it, or send it again by force`,
      { details: { state: before.state } },
    );
  }
  if (after !== undefined) return after;
  throw new HubError('CONFLICT', `command ${id} is ${before.state}, or is being worked on just now`, {
    details: { state: before.state },
  });
}

async function lockCommand({ transaction }: CommandWriter, id: string): Promise<Command | undefined> {
  const [row] = await transaction.query<CommandRow>(
    `SELECT ${COMMAND_COLUMNS} FROM connectors.command c WHERE c.id = $1 FOR UPDATE`,
    [id],
  );
  return row;
}
