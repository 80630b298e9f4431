// Makes commands of the incidents that are routed to departments whose system this host wraps, each once.
import type { StoreTransaction } from '@weft/core/sql-store';
import type { CloudEvent } from '@weft/events/envelope';
import type { LogEvent } from '@weft/events/event-log';
import { INCIDENT_TOPIC } from '@weft/schema/incident-dispatch';
import { storeCommand } from '../commands/accept.ts';
import { writeField } from '../commands/write-field.ts';
import { type DepartmentSystem, systemsByDepartment } from '../departments.ts';
import type { SystemPlan } from '../plan.ts';
import { DISPATCH_PRINCIPAL, dispatchDraft, readTask } from './dispatch-draft.ts';
import { readEnded, supersede } from './supersede.ts';
import { type Lane, type ReaderOptions, startTopicReader, type TopicReader } from './topic-reader.ts';

/**
 * Reads the topic of incidents from the stored checkpoint until closed; not where no system is a department's.
 * @throws OperatorError when two systems serve one department
 */
export function startDispatcher(plans: readonly SystemPlan[], options: ReaderOptions): TopicReader {
  const departments = systemsByDepartment(plans);
  if (departments.size === 0) return { close: async () => undefined };
  const systems = new Map(plans.map((plan) => [plan.name, plan]));
  const running = { ...options, departments, systems, lanes: lanesOf(departments, systems) };
  return startTopicReader(options, {
    topic: INCIDENT_TOPIC,
    reader: 'dispatcher',
    concerns: ({ event }) => readEnded(event) !== undefined || isServed(running, event),
    apply: (transaction, event) => dispatchEvent(running, transaction, event),
    failed: 'incidents could not be dispatched; tried again from the checkpoint',
    lost: 'routings of incidents are no longer retained: they are not dispatched',
  });
}

interface Running extends ReaderOptions {
  readonly departments: ReadonlyMap<string, DepartmentSystem>;
  readonly systems: ReadonlyMap<string, SystemPlan>;
  readonly lanes: readonly Lane[];
}

function lanesOf(departments: Running['departments'], systems: Running['systems']): readonly Lane[] {
  return [...departments.values()].flatMap(({ system, dispatch }) => {
    const plan = systems.get(system);
    const field = plan && writeField(plan, dispatch.field);
    return field === undefined ? [] : [{ system, source: field.connect.source }];
  });
}

function isServed({ departments }: Running, event: CloudEvent): boolean {
  const task = readTask(event);
  return task !== undefined && departments.has(task.department);
}

async function dispatchEvent(
  { departments, systems, lanes, appender, logger }: Running,
  transaction: StoreTransaction,
  { event }: LogEvent,
): Promise<readonly Lane[]> {
  const ended = readEnded(event);
  if (ended !== undefined) await supersede({ transaction, appender }, lanes, ended);
  const task = readTask(event);
  const served = task && departments.get(task.department);
  const plan = served && systems.get(served.system);
  if (task === undefined || served === undefined || plan === undefined) return [];
  const draft = dispatchDraft(plan, served.dispatch, task, event.correlationid ?? task.incident);
  // Bounded by what centres route, and by giveUpAfter: the limit on what clients may store does not hold up departments.
  const stored = await storeCommand(transaction, appender, draft, false);
  if (stored?.command.principal !== DISPATCH_PRINCIPAL)
    logger.error(
      { system: plan.name, command: stored?.command.id, incident: task.incident, attempt: task.attempt },
      'an incident is not dispatched: somebody has written under its client number before',
    );
  return [draft];
}
