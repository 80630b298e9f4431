// Waits for the fate of commands, as long as somebody waits for the answer, and makes receipts of them.
import type { Store } from '../ingest/store.ts';
import type { Command } from './command.ts';
import { readCommands } from './reads.ts';

/** What a mutation answers: the fields of a receipt, and those of the select once it is applied. */
export type Receipt = Readonly<Record<string, unknown>> & {
  readonly commandId: string;
  readonly command: { readonly id: string };
  readonly outcome: Outcome;
  readonly upstreamRef: string | null;
  readonly code: string | null;
};

export type Outcome = 'APPLIED' | 'REJECTED' | 'PENDING' | 'UNKNOWN' | 'DEAD';

export interface Receipts {
  /** A command is in a new state. */
  tell(command: Command): void;
  /** Answers when the command is settled, when nothing can come in time, when the time is up, or when nobody waits. */
  await(
    command: Command,
    until: { readonly answerByMs: number; readonly signal: AbortSignal },
  ): Promise<Receipt>;
  /** Answers all with what is known. */
  close(): void;
}

/** Before the deadline: the answer has a way to go. */
const ANSWER_MARGIN_MS = 300;
/** Another host may be the one that sends. */
const LOOK_EVERY_MS = 300;

interface Waiting {
  command: Command;
  readonly answerByMs: number;
  readonly done: () => void;
}

/** @param store is read while somebody waits for what another host may know */
export function createReceipts(store: Store): Receipts {
  const waiting = new Map<string, Set<Waiting>>();
  let looking: NodeJS.Timeout | undefined;

  const tell = (command: Command) => {
    for (const one of waiting.get(command.id) ?? []) {
      if (command.version < one.command.version) continue;
      one.command = command;
      if (isAnswer(command, one.answerByMs)) one.done();
    }
  };
  const look = async () => {
    // A database that is away tells nothing; the time then ends the wait.
    const found = await readCommands(store, [...waiting.keys()]).catch(() => new Map<string, Command>());
    for (const command of found.values()) tell(command);
  };
  const add = (one: Waiting) => {
    const { id } = one.command;
    waiting.set(id, (waiting.get(id) ?? new Set()).add(one));
    looking ??= setInterval(() => void look(), LOOK_EVERY_MS);
  };
  const remove = (one: Waiting) => {
    const { id } = one.command;
    const others = waiting.get(id);
    others?.delete(one);
    if (others?.size === 0) waiting.delete(id);
    if (waiting.size > 0) return;
    clearInterval(looking);
    looking = undefined;
  };
  return {
    tell,
    async await(command, { answerByMs, signal }) {
      const endsAtMs = answerByMs - ANSWER_MARGIN_MS;
      if (isAnswer(command, endsAtMs)) return receiptOf(command);
      const { promise, resolve } = Promise.withResolvers<void>();
      const one: Waiting = { command, answerByMs: endsAtMs, done: resolve };
      const timer = setTimeout(resolve, Math.max(0, endsAtMs - performance.now()));
      signal.addEventListener('abort', () => resolve(), { once: true });
      add(one);
      await promise;
      clearTimeout(timer);
      remove(one);
      return receiptOf(one.command);
    },
    close() {
      for (const one of [...waiting.values()].flatMap((all) => [...all])) one.done();
    },
  };
}

/** Settled, or nothing will be done about it before the answer must go. */
function isAnswer({ state, nextAt }: Command, answerByMs: number): boolean {
  if (state === 'APPLIED' || state === 'REJECTED' || state === 'DEAD' || state === 'SUPERSEDED') return true;
  if (state === 'SENT') return false;
  return nextAt === null || nextAt.getTime() - Date.now() > answerByMs - performance.now();
}

/** Of a command as it stands. */
export function receiptOf(command: Command): Receipt {
  const { id, state, result, upstreamRef, code } = command;
  const outcome = OUTCOMES[state];
  return { ...(result ?? {}), commandId: id, command: { id }, outcome, upstreamRef, code };
}

const OUTCOMES: Readonly<Record<Command['state'], Outcome>> = {
  PENDING: 'PENDING',
  SENT: 'PENDING',
  APPLIED: 'APPLIED',
  REJECTED: 'REJECTED',
  UNKNOWN: 'UNKNOWN',
  DEAD: 'DEAD',
  // Of the hub's own dispatches, whose receipt nobody waits for.
  SUPERSEDED: 'DEAD',
};
