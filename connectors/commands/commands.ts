// The commands of a connector host: stores writes, has them sent, answers with receipts, and lets a person decide.
import { HubError, invariant } from '@weft/core/errors';
import type { Logger } from '@weft/core/logger';
import type { EventAppender } from '@weft/events/event-log';
import type { Store } from '../ingest/store.ts';
import type { RunningSystem } from '../load/system.ts';
import { acceptCommand, KEY_LENGTH_MAX } from './accept.ts';
import type { Command } from './command.ts';
import { confirmCommand, discardCommand, redriveCommand } from './operate.ts';
import type { WriteField } from './perform.ts';
import { createReceipts, type Receipt } from './receipts.ts';
import { startWorker, type Worker } from './worker.ts';
import { writeField } from './write-field.ts';

/** A mutation as it comes. */
export interface Submission {
  /** Of Mutation. */
  readonly field: string;
  readonly args: Readonly<Record<string, unknown>>;
  /** Who asks; empty for the anonymous. */
  readonly principal: string;
  readonly correlationId: string;
  /** When the answer must go, by `performance.now()`. */
  readonly answerByMs: number;
  /** Aborts when nobody waits any more; the command stands all the same. */
  readonly signal: AbortSignal;
}

/** What to do when a write was applied: drop what was kept of before. It ends by itself, soon, and does not throw. */
export type AppliedListener = (
  command: Pick<Command, 'system' | 'source' | 'field' | 'args' | 'subject' | 'result'>,
) => Promise<void>;

export interface Commands {
  /**
   * Stores the write, and answers when its fate is known or the time is up.
   * @throws HubError of `acceptCommand`; BAD_USER_INPUT when the SDL makes no client number of the arguments
   */
  submit(system: RunningSystem, submission: Submission): Promise<Receipt>;
  /** Commands of this source were stored beside `submit`: they need not wait until they are looked for. */
  nudge(system: string, source: string): void;
  /** See operate.ts. */
  redrive(id: string, force: boolean): Promise<Command>;
  discard(id: string): Promise<Command>;
  confirm(id: string, upstreamRef: string | null): Promise<Command>;
  /** Told on the host that learnt that a command was applied, before its receipt says so. Returns how to stop. */
  onApplied(listener: AppliedListener): () => void;
  /** Waits for calls under way; what waits stays stored. */
  close(): Promise<void>;
}

export interface CommandsOptions {
  /** Closed by the caller, after this. */
  readonly store: Store;
  readonly appender: EventAppender;
  readonly logger: Logger;
}

/** Starts a worker for each source that some mutation writes to. */
export function openCommands(systems: readonly RunningSystem[], options: CommandsOptions): Commands {
  const { store, appender, logger } = options;
  const applied = new Set<AppliedListener>();
  const receipts = createReceipts(store);
  const workers = new Map<string, Worker>();
  const onChange = async (command: Command) => {
    if (command.state === 'APPLIED') await Promise.all([...applied].map((listener) => listener(command)));
    receipts.tell(command);
  };
  for (const system of systems) {
    for (const [source, fields] of writesBySource(system))
      workers.set(
        laneName(system.plan.name, source),
        startWorker({ ...options, system, source, fields, onChange }),
      );
  }
  const told = async (command: Command): Promise<Command> => {
    await onChange(command);
    workers.get(laneName(command.system, command.source))?.nudge();
    return command;
  };
  const isAskable = (command: Command) =>
    systems.some(
      ({ plan }) =>
        plan.name === command.system && writeField(plan, command.field)?.write.reconcile !== undefined,
    );
  const operate = { store, appender, isAskable };
  return {
    async submit(system, submission) {
      const field = writeField(system.plan, submission.field);
      invariant(field !== undefined, `Mutation.${submission.field} is no write`);
      const command = await acceptCommand(store, appender, draftOf(system, field, submission));
      workers.get(laneName(command.system, command.source))?.nudge();
      return await receipts.await(command, submission);
    },
    nudge: (system, source) => workers.get(laneName(system, source))?.nudge(),
    redrive: async (id, force) => told(await redriveCommand(operate, id, force)),
    discard: async (id) => told(await discardCommand(operate, id)),
    confirm: async (id, upstreamRef) => told(await confirmCommand(operate, id, upstreamRef)),
    onApplied(listener) {
      applied.add(listener);
      return () => applied.delete(listener);
    },
    async close() {
      await Promise.all([...workers.values()].map((worker) => worker.close()));
      receipts.close();
      logger.debug('no command is sent any more');
    },
  };
}

function laneName(system: string, source: string): string {
  return `${system}/${source}`;
}

function writesBySource({ plan }: RunningSystem): ReadonlyMap<string, ReadonlyMap<string, WriteField>> {
  const names = [...plan.fields.keys()].flatMap((coordinate) =>
    coordinate.startsWith('Mutation.') ? [coordinate.slice('Mutation.'.length)] : [],
  );
  const bySource = new Map<string, Map<string, WriteField>>();
  for (const name of names) {
    const field = writeField(plan, name);
    if (field === undefined) continue;
    const known = bySource.get(field.connect.source) ?? new Map<string, WriteField>();
    bySource.set(field.connect.source, known.set(name, field));
  }
  return bySource;
}

function draftOf(system: RunningSystem, { connect, write }: WriteField, submission: Submission) {
  const { field, args, principal, correlationId } = submission;
  const scope = { args, this: {}, env: system.env };
  return {
    system: system.plan.name,
    source: connect.source,
    ...{ field, args, principal, correlationId },
    idempotencyKey: requireKey(write.idempotencyKey.evaluate(scope)),
    subject: write.subject === undefined ? null : subjectOf(write.subject.evaluate(scope)),
    giveUpAfterMs: write.giveUpAfterMs,
  };
}

function requireKey(value: unknown): string {
  const key = textOf(value);
  if (key !== undefined && key.trim() !== '') return key;
  throw badKey('expected a client number: a text that is not empty');
}

function subjectOf(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  const subject = textOf(value);
  if (subject !== undefined) return subject;
  throw badKey('expected a subject that is text');
}

function textOf(value: unknown): string | undefined {
  if (typeof value !== 'string' && typeof value !== 'number') return undefined;
  const text = String(value);
  if (text.length > KEY_LENGTH_MAX || text.includes('\0'))
    throw badKey(`expected at most ${KEY_LENGTH_MAX} characters, none of them NUL`);
  return text;
}

function badKey(problem: string): HubError {
  return new HubError('BAD_USER_INPUT', problem);
}
