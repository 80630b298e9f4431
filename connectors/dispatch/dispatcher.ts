// Makes commands of the incidents that are routed to departments whose system this host wraps, each once.
import { delay } from '@weft/core/deadline';
import { invariant } from '@weft/core/errors';
import type { Logger } from '@weft/core/logger';
import {
  type EventAppender,
  type EventLog,
  type LogEvent,
  type LogGap,
  type Position,
  type SqlTransaction,
  START,
} from '@weft/events/event-log';
import { INCIDENT_TOPIC } from '@weft/schema/incident-dispatch';
import { storeCommand } from '../commands/accept.ts';
import { type DepartmentSystem, systemsByDepartment } from '../departments.ts';
import type { Store } from '../ingest/store.ts';
import type { SystemPlan } from '../plan.ts';
import { DISPATCH_PRINCIPAL, dispatchDraft, readTask } from './dispatch-draft.ts';

export interface DispatcherOptions {
  readonly log: EventLog;
  /** Closed by the caller, after this. */
  readonly store: Store;
  readonly appender: EventAppender;
  /** Told when commands may have been committed. */
  readonly onMade: () => void;
  readonly logger: Logger;
}

export interface Dispatcher {
  /** Ends after the transaction in flight. */
  close(): Promise<void>;
}

/** The key of the checkpoint. */
const READER = 'dispatcher';
/** Events in one transaction, at the most. */
const BATCH_EVENTS_MAX = 100;
/** While another host works on a batch. */
const OTHER_AT_WORK_MS = 200;
const RETRY_MS_MIN = 100;
const RETRY_MS_MAX = 5_000;

/**
 * Reads the topic of incidents from the stored checkpoint until closed. Several hosts may: of each batch one makes the
 * commands, in the transaction that moves the checkpoint, and the others go on behind it.
 * @throws OperatorError when two systems serve one department
 */
export function startDispatcher(plans: readonly SystemPlan[], options: DispatcherOptions): Dispatcher {
  const departments = systemsByDepartment(plans);
  const systems = new Map(plans.map((plan) => [plan.name, plan]));
  const stop = new AbortController();
  const ended =
    departments.size === 0 ? Promise.resolve() : run({ ...options, departments, systems }, stop.signal);
  return {
    async close() {
      stop.abort();
      await ended;
    },
  };
}

interface Running extends DispatcherOptions {
  readonly departments: ReadonlyMap<string, DepartmentSystem>;
  readonly systems: ReadonlyMap<string, SystemPlan>;
}

async function run(running: Running, signal: AbortSignal): Promise<void> {
  let retryMs = RETRY_MS_MIN;
  const worked = () => {
    retryMs = RETRY_MS_MIN;
  };
  while (!signal.aborted) {
    let waitMs = OTHER_AT_WORK_MS;
    try {
      await dispatchFromCheckpoint(running, signal, worked);
    } catch (err) {
      running.logger.warn(
        { err, retryMs },
        'incidents could not be dispatched; tried again from the checkpoint',
      );
      waitMs = retryMs;
      retryMs = Math.min(retryMs * 2, RETRY_MS_MAX);
    }
    await delay(waitMs, signal).catch(() => undefined);
  }
}

/** Returns when the signal aborts, or when another host is at work: then reading starts over from where that one has come. */
async function dispatchFromCheckpoint(
  running: Running,
  signal: AbortSignal,
  worked: () => void,
): Promise<void> {
  const { log, store } = running;
  let position = await store.transaction(readCheckpoint);
  const options = { after: position, signal, batchEventsMax: BATCH_EVENTS_MAX };
  for await (const batch of log.read(INCIDENT_TOPIC, options)) {
    const next = await dispatchBatch(running, position, batch);
    if (next === undefined) return;
    position = next;
    running.onMade();
    worked();
  }
}

async function readCheckpoint(transaction: SqlTransaction): Promise<Position> {
  await transaction.query(
    'INSERT INTO connectors.dispatch_checkpoint (reader, position) VALUES ($1, $2) ON CONFLICT DO NOTHING',
    [READER, START],
  );
  const [row] = await transaction.query<{ readonly position: string }>(
    'SELECT position FROM connectors.dispatch_checkpoint WHERE reader = $1',
    [READER],
  );
  invariant(row !== undefined, 'the dispatcher has a checkpoint');
  return row.position;
}

/** @returns the position after the batch; undefined when another host works, or has moved the checkpoint */
async function dispatchBatch(
  running: Running,
  from: Position,
  batch: readonly (LogEvent | LogGap)[],
): Promise<Position | undefined> {
  const last = batch.at(-1);
  invariant(last !== undefined, 'a batch of the log is never empty');
  const to = last.kind === 'event' ? last.position : last.to;
  return await running.store.transaction(async (transaction) => {
    // Locked until the commands are committed: one host at a time works.
    const [held] = await transaction.query(
      'SELECT 1 AS held FROM connectors.dispatch_checkpoint WHERE reader = $1 AND position = $2 FOR UPDATE SKIP LOCKED',
      [READER, from],
    );
    if (held === undefined) return undefined;
    for (const item of batch) {
      if (item.kind === 'event') await dispatchEvent(running, transaction, item);
      else
        running.logger.error(
          { gap: item },
          'routings of incidents are no longer retained: they are not dispatched',
        );
    }
    await transaction.query(
      'UPDATE connectors.dispatch_checkpoint SET position = $2, updated_at = now() WHERE reader = $1',
      [READER, to],
    );
    return to;
  });
}

async function dispatchEvent(
  { departments, systems, appender, logger }: Running,
  transaction: SqlTransaction,
  { event }: LogEvent,
): Promise<void> {
  const task = readTask(event);
  const served = task && departments.get(task.department);
  const plan = served && systems.get(served.system);
  if (task === undefined || served === undefined || plan === undefined) return;
  const draft = dispatchDraft(plan, served.dispatch, task, event.correlationid ?? task.incident);
  // Bounded by what centres route, and by giveUpAfter: the limit on what clients may store does not hold up departments.
  const stored = await storeCommand(transaction, appender, draft, false);
  if (stored?.command.principal === DISPATCH_PRINCIPAL) return;
  logger.error(
    { system: plan.name, command: stored?.command.id, incident: task.incident, attempt: task.attempt },
    'an incident is not dispatched: somebody has written under its client number before',
  );
}
