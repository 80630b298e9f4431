// Sends the commands of one source, and finds out what became of them, until it is closed.
import { deadlineSignal, delay } from '@weft/core/deadline';
import { HubError } from '@weft/core/errors';
import type { Logger } from '@weft/core/logger';
import type { EventAppender } from '@weft/events/event-log';
import type { Store } from '../ingest/store.ts';
import type { RunningSystem } from '../load/system.ts';
import { type Lane, type Question, sweep, takePending, takeQuestions } from './claims.ts';
import type { Command } from './command.ts';
import { askAbout, sendCommand, type WriteField } from './perform.ts';
import { type Fate, settleQuestion, settleSending, waitAfterMs } from './settle.ts';

export interface WorkerOptions {
  readonly system: RunningSystem;
  readonly source: string;
  /** By the name of the field of Mutation. */
  readonly fields: ReadonlyMap<string, WriteField>;
  readonly store: Store;
  readonly appender: EventAppender;
  readonly logger: Logger;
  /** Told of each command after a change of this host's is committed. */
  readonly onChange: (command: Command) => Promise<void>;
}

export interface Worker {
  /** There may be something to do. */
  nudge(): void;
  /** Takes nothing more, and waits for what runs: it is bounded by the source's time-out. */
  close(): Promise<void>;
}

/** Another host may have stored something. */
const LOOK_EVERY_MS = 500;
const STORE_AWAY_MS = 1_000;
/** A call may wait this long in the queue of the source, behind reads. */
const LEASE_QUEUE_MS = 2_000;
/** The call is made only while its lease holds for longer than its time-out by this much. */
const LEASE_MARGIN_MS = 1_000;
/** What a call has brought is tried to be written down for this long. */
const SETTLE_MS_MAX = 30_000;
const SETTLE_AGAIN_MS = 200;

/** Starts at once. */
export function startWorker(options: WorkerOptions): Worker {
  const { system, source, logger } = options;
  const lane = laneOf(options);
  const timeoutMs = system.sources.get(source)?.plan.guard.timeoutMs ?? 0;
  const leaseMs = timeoutMs + LEASE_QUEUE_MS + LEASE_MARGIN_MS;
  const slots = system.sources.get(source)?.plan.guard.concurrency ?? 1;
  const stop = new AbortController();
  const running = new Set<Promise<void>>();
  const pause = createPause();
  let wake = Promise.withResolvers<void>();
  let sweptAtMs = Number.NEGATIVE_INFINITY;
  const nudge = () => wake.resolve();

  const start = (work: Promise<unknown>) => {
    const one = work
      .catch((err: unknown) => logger.error({ err, system: lane.system }, 'a command could not be worked on'))
      .then(() => {
        running.delete(one);
        nudge();
      });
    running.add(one);
  };
  const round = async () => {
    const free = pause.isOn() ? Math.min(1, slots - running.size) : slots - running.size;
    // Before the statement: the lease that the database counts from it ends later than ours.
    const leaseEndsAtMs = performance.now() + leaseMs;
    const isSweeping = performance.now() - sweptAtMs >= LOOK_EVERY_MS;
    if (isSweeping) sweptAtMs = performance.now();
    const wanted = { isSweeping, free: pause.isOver() ? free : 0, leaseMs };
    const { pending, questions } = await takeWork(options, lane, wanted);
    const requireLease = () => requireTime(leaseEndsAtMs - performance.now(), timeoutMs + LEASE_MARGIN_MS);
    for (const question of questions) start(answerQuestion(options, question, leaseMs));
    for (const command of pending)
      start(sendOne(options, command, requireLease, leaseMs).then((fate) => pause.tell(fate)));
  };
  const loop = async () => {
    while (!stop.signal.aborted) {
      wake = Promise.withResolvers();
      const waitMs = await round().then(
        () => LOOK_EVERY_MS,
        (err: unknown) => {
          logger.debug({ err, system: lane.system }, 'commands cannot be read; tried again');
          return STORE_AWAY_MS;
        },
      );
      await Promise.race([delay(waitMs, stop.signal, true), wake.promise]).catch(() => undefined);
    }
  };
  const looped = loop();
  return {
    nudge,
    async close() {
      stop.abort();
      await looped;
      await Promise.all(running);
    },
  };
}

function laneOf({ system, source, fields }: WorkerOptions): Lane {
  const namesOf = (wanted: (field: WriteField) => boolean) =>
    [...fields].flatMap(([name, field]) => (wanted(field) ? [name] : []));
  return {
    system: system.plan.name,
    source,
    fields: [...fields.keys()],
    askable: namesOf(({ write }) => write.reconcile !== undefined),
    retryable: namesOf(({ write }) => write.retryable),
  };
}

interface Wanted {
  /** Whether what time alone moves is looked for: that has as much time as there is between two looks. */
  readonly isSweeping: boolean;
  /** Calls that can be made now. */
  readonly free: number;
  readonly leaseMs: number;
}

/** Questions come first: what is not known holds up its subject. */
async function takeWork(
  { store, appender }: WorkerOptions,
  lane: Lane,
  { isSweeping, free, leaseMs }: Wanted,
): Promise<{ readonly pending: readonly Command[]; readonly questions: readonly Question[] }> {
  if (!isSweeping && free <= 0) return { pending: [], questions: [] };
  return await store.transaction(async (transaction) => {
    const writer = { transaction, appender };
    if (isSweeping) await sweep(writer, lane);
    if (free <= 0) return { pending: [], questions: [] };
    const questions = await takeQuestions(transaction, lane, free, leaseMs);
    const left = free - questions.length;
    return { questions, pending: left <= 0 ? [] : await takePending(writer, lane, left, leaseMs) };
  });
}

function requireTime(leftMs: number, neededMs: number): void {
  if (leftMs >= neededMs) return;
  throw new HubError('UPSTREAM_UNAVAILABLE', 'not sent: it has waited too long for its turn', {
    details: { reason: 'LEASE_ENDS' },
    hadNoEffect: true,
  });
}

async function sendOne(
  options: WorkerOptions,
  command: Command,
  requireLease: () => void,
  leaseMs: number,
): Promise<Fate> {
  const field = options.fields.get(command.field) as WriteField;
  const fate = await sendCommand(options.system, field, command, requireLease, deadlineSignal(leaseMs));
  const { reconcile, retryable } = field.write;
  const howToFindOut = reconcile !== undefined ? 'ASK' : retryable ? 'SEND_AGAIN' : undefined;
  await settle(options, (writer) => settleSending(writer, command, fate, howToFindOut));
  return fate;
}

async function answerQuestion(
  options: WorkerOptions,
  { command, askedAt }: Question,
  leaseMs: number,
): Promise<void> {
  const field = options.fields.get(command.field) as WriteField;
  const finding = await askAbout(options.system, field, command, deadlineSignal(leaseMs));
  const { settleForMs } = field.write;
  await settle(options, (writer) => settleQuestion(writer, command, finding, askedAt, settleForMs));
}

/** The database may be away for a moment: what was learnt is not given up for that. */
async function settle(
  { store, appender, logger, onChange }: WorkerOptions,
  write: (writer: Parameters<typeof settleSending>[0]) => Promise<Command | undefined>,
): Promise<void> {
  const endsAtMs = performance.now() + SETTLE_MS_MAX;
  for (;;) {
    try {
      const command = await store.transaction((transaction) => write({ transaction, appender }));
      return command === undefined ? undefined : await onChange(command);
    } catch (err) {
      if (performance.now() > endsAtMs) throw err;
      logger.debug({ err }, 'the outcome of a command could not be stored; tried again');
      await delay(SETTLE_AGAIN_MS);
    }
  }
}

/** A source that takes nothing is left alone for a while, then tried with one command: not with all that wait. */
function createPause() {
  let notSent = 0;
  let endsAtMs = 0;
  return {
    /** Whether the last command did not get there. */
    isOn: () => notSent > 0,
    isOver: () => performance.now() >= endsAtMs,
    tell(fate: Fate) {
      notSent = fate.kind === 'NOT_SENT' ? notSent + 1 : 0;
      endsAtMs = fate.kind === 'NOT_SENT' ? performance.now() + waitAfterMs(fate, notSent - 1) : 0;
    },
  };
}
