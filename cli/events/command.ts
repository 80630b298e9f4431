// `weft events`: lists the events that the live engine would not take, and has the relay try them anew.
import { OperatorError } from '@weft/core/errors';
import { listDeadLetters, redriveDeadLetters } from '@weft/events/relay/dead-letters';
import type pg from 'pg';
import { onDatabase } from '../on-database.ts';

export interface EventsCommand {
  readonly verb: string | undefined;
  readonly id: string | undefined;
  readonly all: boolean;
}

const LISTED_MAX = 1_000;

/** One line a dead letter on standard output, or how many were redriven. @throws OperatorError naming what is wrong */
export async function eventsCommand(
  { verb, id, all }: EventsCommand,
  env: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  const isRedrive = verb === 'redrive' && (id !== undefined) !== all;
  if (!isRedrive && (verb !== 'dead-letters' || id !== undefined || all))
    throw wrong(
      "expected 'weft events dead-letters', 'weft events redrive ID' or 'weft events redrive --all'",
    );
  await onDatabase(env, 'the dead letters', (client) =>
    isRedrive ? redrive(client, id ?? 'all') : list(client),
  );
}

async function list(client: pg.Client): Promise<void> {
  const letters = await listDeadLetters(client, LISTED_MAX);
  const lines = letters.map(({ id, topic, position, source, eventId, tries, failedAt, redriveAt, reason }) =>
    [
      id,
      topic,
      position,
      `${source} ${eventId}`,
      `${tries} tries`,
      redriveAt === null ? failedAt.toISOString() : 'redriving',
      reason,
    ].join('\t'),
  );
  process.stdout.write(lines.length === 0 ? 'no dead letters\n' : `${lines.join('\n')}\n`);
}

async function redrive(client: pg.Client, id: string): Promise<void> {
  const redriven = await redriveDeadLetters(client, id);
  if (redriven === 0 && id !== 'all')
    throw wrong(`there is no dead letter ${id}: 'weft events dead-letters' lists them`);
  process.stdout.write(`${redriven} to be tried anew by the relay\n`);
}

function wrong(message: string): OperatorError {
  return new OperatorError(message, { exitCode: 2 });
}
