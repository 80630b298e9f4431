// Keeps every sending of a command and every question about it.
import type { SqlTransaction } from '@weft/events/event-log';
import type { Command } from './command.ts';
import type { AttemptOutcome } from './reads.ts';

/** @param commands with the number of this attempt as their `attemptCount` */
export async function beginAttempts(
  transaction: SqlTransaction,
  commands: readonly Command[],
  kind: 'SEND' | 'ASK',
): Promise<void> {
  if (commands.length === 0) return;
  await transaction.query(
    `INSERT INTO connectors.command_attempt (command_id, number, kind, at, outcome)
     SELECT a.id, a.number, $3, clock_timestamp(), 'STARTED' FROM unnest($1::uuid[], $2::int[]) AS a(id, number)`,
    [commands.map(({ id }) => id), commands.map(({ attemptCount }) => attemptCount), kind],
  );
}

/** Ends the attempt that runs; one that was ended by others stays as it is. */
export async function endAttempts(
  transaction: SqlTransaction,
  commands: readonly Command[],
  outcome: AttemptOutcome,
  code: string | null,
): Promise<void> {
  if (commands.length === 0) return;
  await transaction.query(
    `UPDATE connectors.command_attempt t SET ended_at = clock_timestamp(), outcome = $3, code = $4
     FROM unnest($1::uuid[], $2::int[]) AS a(id, number)
     WHERE t.command_id = a.id AND t.number = a.number AND t.outcome = 'STARTED'`,
    [commands.map(({ id }) => id), commands.map(({ attemptCount }) => attemptCount), outcome, code],
  );
}
