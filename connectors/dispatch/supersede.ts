// Takes back what waits for a department and is not its work any more: it is not sent when the department's system is back.

import type { CloudEvent } from '@weft/events/envelope';
import type { SqlTransaction } from '@weft/events/event-log';
import { type CommandWriter, moveCommands } from '../commands/move.ts';
import { UNSETTLED } from '../commands/states.ts';
import { DISPATCH_PRINCIPAL } from './dispatch-draft.ts';
import type { Lane } from './topic-reader.ts';

/** The attempts of an incident that have ended: those below a number. */
export interface EndedAttempts {
  readonly incident: string;
  readonly below: number;
}

const ALL = 2 ** 31 - 1;

/** What of an incident's event ends attempts: a return, a merging, its closing, and whatever makes the next attempt. */
export function readEnded({ data }: CloudEvent): EndedAttempts | undefined {
  const { incident, change, step } = data as Readonly<
    Record<string, Readonly<Record<string, unknown>> | undefined>
  >;
  const [id, attempt] = [incident?.id, step?.attempt];
  if (typeof id !== 'string') return undefined;
  switch (change?.kind) {
    case 'MERGED':
    case 'CLOSED':
      return { incident: id, below: ALL };
    case 'RETURNED':
      return typeof attempt === 'number' ? { incident: id, below: attempt + 1 } : undefined;
    case 'ROUTED':
    case 'REOPENED':
      return typeof attempt === 'number' && attempt > 1 ? { incident: id, below: attempt } : undefined;
    default:
      return undefined;
  }
}

/**
 * Marks the dispatches of ended attempts. One that waits is SUPERSEDED at once; one that is being sent, or of which nobody knows
 * whether it got there, is found out as ever, and SUPERSEDED only when it is certain that it did not.
 */
export async function supersede(
  writer: CommandWriter,
  lanes: readonly Lane[],
  ended: EndedAttempts,
): Promise<void> {
  const ids = await markSuperseded(writer.transaction, lanes, ended);
  if (ids.length === 0) return;
  await moveCommands(writer, {
    cause: 'SUPERSEDED',
    where: 'c.id = ANY($1::uuid[]) AND NOT c.may_be_applied',
    set: 'next_at = NULL',
    parameters: [ids],
  });
}

async function markSuperseded(
  transaction: SqlTransaction,
  lanes: readonly Lane[],
  { incident, below }: EndedAttempts,
): Promise<readonly string[]> {
  const rows = await transaction.query<{ readonly id: string }>(
    `UPDATE connectors.command c SET superseded_at = clock_timestamp()
     FROM unnest($1::text[], $2::text[]) AS lane(system, source)
     WHERE c.system = lane.system AND c.source = lane.source AND c.subject = $3 AND c.state = ANY($4::text[])
       AND c.principal = $5 AND (c.dispatch->>'attempt')::int < $6 AND c.superseded_at IS NULL
     RETURNING c.id`,
    [
      lanes.map(({ system }) => system),
      lanes.map(({ source }) => source),
      incident,
      UNSETTLED,
      DISPATCH_PRINCIPAL,
      below,
    ],
  );
  return rows.map(({ id }) => id);
}
