// What of an incident's event becomes a command, and the command itself; pure.
import { invariant } from '@weft/core/errors';
import type { CloudEvent } from '@weft/events/envelope';
import { DISPATCH_ARGUMENTS } from '@weft/schema/incident-dispatch';
import type { Draft } from '../commands/accept.ts';
import { writeField } from '../commands/write-field.ts';
import type { DispatchPlan, SystemPlan } from '../plan.ts';

/** Who asks for a dispatch: the hub itself. Principals of clients are empty, or JSON. */
export const DISPATCH_PRINCIPAL = 'weft:dispatch';

/** One attempt, as `data.dispatch` tells of it at ROUTED and REOPENED. */
export interface Task {
  readonly incident: string;
  readonly attempt: number;
  readonly department: string;
  /** Everything that it tells, by name. */
  readonly told: Readonly<Record<string, unknown>>;
}

/** Undefined for an event that sends nothing out. */
export function readTask({ data }: CloudEvent): Task | undefined {
  const told = data.dispatch;
  if (typeof told !== 'object' || told === null || Array.isArray(told)) return undefined;
  const { incident, attempt, department } = told as Readonly<Record<string, unknown>>;
  if (typeof incident !== 'string' || typeof attempt !== 'number' || typeof department !== 'string')
    return undefined;
  return { incident, attempt, department, told: told as Readonly<Record<string, unknown>> };
}

/** The client number by which a dispatch is known, here and there. */
export function clientNumberOf({ incident, attempt }: Pick<Task, 'incident' | 'attempt'>): string {
  return `${incident}:${attempt}`;
}

/** The command of an attempt: its client number, its subject and the arguments that the field declares. */
export function dispatchDraft(
  plan: SystemPlan,
  dispatch: DispatchPlan,
  task: Task,
  correlationId: string,
): Draft {
  const field = writeField(plan, dispatch.field);
  invariant(field !== undefined, `Mutation.${dispatch.field} is no write`);
  const { incident, attempt, department, told } = task;
  const requestId = clientNumberOf(task);
  const argumentOf = (name: string) => (name === 'requestId' ? requestId : (told[name] ?? null));
  const names = dispatch.arguments.filter((name) => Object.hasOwn(DISPATCH_ARGUMENTS, name));
  return {
    system: plan.name,
    source: field.connect.source,
    field: dispatch.field,
    principal: DISPATCH_PRINCIPAL,
    idempotencyKey: requestId,
    subject: incident,
    args: Object.fromEntries(names.map((name) => [name, argumentOf(name)])),
    giveUpAfterMs: field.write.giveUpAfterMs,
    correlationId,
    dispatch: { incident, attempt, department, numberKind: dispatch.numberKind },
  };
}
