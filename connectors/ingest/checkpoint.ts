// How far a poll has come, kept with what it brought.
import type { SqlTransaction } from '@weft/events/event-log';
import type { CursorPlace } from '../sql/statement.ts';

/** The stored place, or undefined when this poll never finished a page. */
export async function readCheckpoint(
  transaction: SqlTransaction,
  system: string,
  type: string,
): Promise<CursorPlace | undefined> {
  const rows = await transaction.query<{ cursor_time: string; cursor_tie: string }>(
    'SELECT cursor_time, cursor_tie FROM connectors.checkpoint WHERE system = $1 AND type = $2',
    [system, type],
  );
  const row = rows[0];
  return row === undefined ? undefined : { time: row.cursor_time, tie: row.cursor_tie };
}

/** Moves the checkpoint in the transaction that applies the rows up to it. */
export async function writeCheckpoint(
  transaction: SqlTransaction,
  system: string,
  type: string,
  place: CursorPlace,
): Promise<void> {
  await transaction.query(
    `INSERT INTO connectors.checkpoint (system, type, cursor_time, cursor_tie) VALUES ($1, $2, $3, $4)
     ON CONFLICT (system, type) DO UPDATE SET
       cursor_time = excluded.cursor_time, cursor_tie = excluded.cursor_tie, updated_at = now()`,
    [system, type, place.time, place.tie ?? ''],
  );
}
