// Writes down what a sending or a question has brought, if the lease still holds.
import { endAttempts } from './attempts.ts';
import type { Command } from './command.ts';
import { type CommandWriter, type Move, moveCommands } from './move.ts';
import type { AttemptOutcome } from './reads.ts';

/** What became of one sending. */
export type Fate =
  | {
      readonly kind: 'NOT_SENT';
      readonly code: string;
      /** It is the source that took nothing, whatever the command: nobody was reached, or the guard let nothing through. */
      readonly isAway: boolean;
      /** When the source may be tried again, where it is known: the end of quiet hours. */
      readonly retryAfterMs?: number | undefined;
    }
  | { readonly kind: 'ANSWERED'; readonly row: Readonly<Record<string, unknown>> | null }
  | { readonly kind: 'REFUSED'; readonly code: string }
  | { readonly kind: 'NOT_ANSWERED'; readonly code: string };

/** What a question has brought. */
export type Finding =
  | { readonly kind: 'FOUND'; readonly row: Readonly<Record<string, unknown>> }
  | { readonly kind: 'NOT_FOUND' }
  | { readonly kind: 'NOT_ASKED'; readonly code: string };

const REF_LENGTH_MAX = 200;
const CODE_LENGTH_MAX = 100;
const RESULT_LENGTH_MAX = 64_000;

const BACKOFF_MS_MIN = 250;
const BACKOFF_MS_MAX = 10_000;
const BACKOFF_DOUBLINGS_MAX = 10;

/** However long a source wants to be left alone, it is looked at again after this. */
const RETRY_AFTER_MS_MAX = 900_000;

/** How long a command that was not sent waits. */
export function waitAfterMs(
  { retryAfterMs = 0 }: Extract<Fate, { kind: 'NOT_SENT' }>,
  fruitless: number,
): number {
  return Math.max(backoffMs(fruitless), Math.min(retryAfterMs, RETRY_AFTER_MS_MAX));
}

/** Doubles from 250 ms to 10 s, and varies by a fifth so that what failed together does not come back together. */
export function backoffMs(fruitless: number): number {
  const whole = Math.min(BACKOFF_MS_MIN * 2 ** Math.min(fruitless, BACKOFF_DOUBLINGS_MAX), BACKOFF_MS_MAX);
  return whole * (0.8 + 0.4 * Math.random());
}

const OUTCOMES = {
  NOT_SENT: 'NOT_SENT',
  ANSWERED: 'APPLIED',
  REFUSED: 'REJECTED',
  NOT_ANSWERED: 'UNKNOWN',
} as const satisfies Record<Fate['kind'], AttemptOutcome>;

/**
 * @param howToFindOut what can be done when the outcome is not known
 * @returns the command as it is now; undefined when the lease was lost and others have seen to it
 */
export async function settleSending(
  writer: CommandWriter,
  command: Command,
  fate: Fate,
  howToFindOut: 'ASK' | 'SEND_AGAIN' | undefined,
): Promise<Command | undefined> {
  const code = 'code' in fate ? fate.code.slice(0, CODE_LENGTH_MAX) : null;
  const [settled] = await moveCommands(writer, moveOf(command, fate, code, howToFindOut));
  if (settled !== undefined)
    await endAttempts(writer.transaction.later, [command], OUTCOMES[fate.kind], code);
  return settled;
}

function moveOf(
  command: Command,
  fate: Fate,
  code: string | null,
  howToFindOut: 'ASK' | 'SEND_AGAIN' | undefined,
): Move {
  const held = heldBy(command);
  switch (fate.kind) {
    case 'NOT_SENT':
      return {
        ...held,
        cause: 'NOT_SENT',
        set: `code = $3, lease_until = NULL, fruitless = c.fruitless + 1, next_at = clock_timestamp() + make_interval(secs => $4)`,
        parameters: [
          ...held.parameters,
          code,
          keepsTurn(command, fate) ? 0 : waitAfterMs(fate, command.fruitless) / 1_000,
        ],
      };
    case 'ANSWERED':
      return { ...held, cause: 'ANSWERED', ...applied(held, fate.row) };
    case 'REFUSED':
      return {
        ...held,
        cause: 'REFUSED',
        set: 'code = $3, lease_until = NULL, next_at = NULL',
        parameters: [...held.parameters, code],
      };
    case 'NOT_ANSWERED': {
      const waitMs = howToFindOut === 'SEND_AGAIN' ? backoffMs(command.tries) : 0;
      return {
        ...held,
        cause: 'NOT_ANSWERED',
        set: `code = $3, lease_until = NULL, may_be_applied = true, tries = c.tries + 1, fruitless = 0, unknown_since = clock_timestamp(),
          next_at = CASE WHEN $4::boolean THEN clock_timestamp() + make_interval(secs => $5) END`,
        parameters: [...held.parameters, code, howToFindOut !== undefined, waitMs / 1_000],
      };
    }
    default:
      return fate satisfies never;
  }
}

/**
 * What waits for a department that is away goes in the order in which it came: the one that is tried stays the first, and the
 * pause of the worker says when. Of others the order counts within their subject alone, and whoever waits for the receipt is told when.
 */
function keepsTurn({ dispatch }: Command, { isAway }: Extract<Fate, { kind: 'NOT_SENT' }>): boolean {
  return dispatch !== null && isAway;
}

/** Only while nobody else has taken it since. */
function heldBy({ id, leaseToken }: Command) {
  return { where: 'c.id = $1 AND c.lease_token = $2', parameters: [id, leaseToken] as readonly unknown[] };
}

function applied(
  held: { readonly parameters: readonly unknown[] },
  row: Readonly<Record<string, unknown>> | null,
) {
  const { upstreamRef } = row ?? {};
  const ref = upstreamRef === undefined || upstreamRef === null ? null : clean(String(upstreamRef));
  const result = row === null ? null : JSON.stringify(row);
  return {
    set: 'code = NULL, lease_until = NULL, may_be_applied = true, upstream_ref = $3, result = $4, next_at = NULL',
    parameters: [
      ...held.parameters,
      ref,
      // What is too long to be kept is left out of later receipts; that it was applied is not.
      result !== null && result.length <= RESULT_LENGTH_MAX ? result : null,
    ],
  };
}

/** PostgreSQL has no text with NUL. */
function clean(text: string): string {
  return text.replaceAll('\0', '').slice(0, REF_LENGTH_MAX);
}

/**
 * "Not known" counts only when it was asked after the time in which a late commit could still come; before that the
 * command stays UNKNOWN until then.
 * @param askedAt by the database's clock
 */
export async function settleQuestion(
  writer: CommandWriter,
  command: Command,
  finding: Finding,
  askedAt: Date,
  settleForMs: number,
): Promise<Command | undefined> {
  const code = finding.kind === 'NOT_ASKED' ? finding.code.slice(0, CODE_LENGTH_MAX) : null;
  await endAttempts(writer.transaction.later, [command], finding.kind, code);
  const held = heldBy(command);
  if (finding.kind === 'FOUND') {
    const [found] = await moveCommands(writer, { ...held, cause: 'FOUND', ...applied(held, finding.row) });
    return found;
  }
  const settledAtMs = (command.unknownSince?.getTime() ?? 0) + settleForMs;
  if (finding.kind === 'NOT_FOUND' && askedAt.getTime() >= settledAtMs) {
    const [pending] = await moveCommands(writer, {
      ...held,
      cause: 'NOT_FOUND',
      set: 'lease_until = NULL, may_be_applied = false, fruitless = 0, next_at = clock_timestamp() + make_interval(secs => $3)',
      parameters: [...held.parameters, backoffMs(command.tries - 1) / 1_000],
    });
    return pending;
  }
  const isKnown = finding.kind === 'NOT_FOUND';
  const nextAt = isKnown ? new Date(settledAtMs) : new Date(askedAt.getTime() + backoffMs(command.fruitless));
  await writer.transaction.query(
    `UPDATE connectors.command c SET next_at = $3, fruitless = CASE WHEN $4 THEN 0 ELSE c.fruitless + 1 END, lease_until = NULL
     WHERE c.id = $1 AND c.lease_token = $2 AND c.state = 'UNKNOWN'`,
    [command.id, command.leaseToken, nextAt, isKnown],
  );
  return { ...command, nextAt };
}
