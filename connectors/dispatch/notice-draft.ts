// What of an event of the incident library becomes the command that tells a reporter, and the command itself; pure.
import { invariant } from '@weft/core/errors';
import type { CloudEvent } from '@weft/events/envelope';
import { NOTIFY_ARGUMENTS } from '@weft/schema/incident-notification';
import { z } from 'zod';
import { type Draft, KEY_LENGTH_MAX } from '../commands/accept.ts';
import { writeField } from '../commands/write-field.ts';
import type { NoticePlan, SystemPlan } from '../plan.ts';

/** Who tells reporters: the hub itself. */
export const NOTIFY_PRINCIPAL = 'weft:notify';

const NOTICE = z.object({
  incident: z.string(),
  sequence: z.int(),
  report: z.string(),
  kind: z.string(),
  numbers: z.array(z.object({ kind: z.string(), number: z.string() })),
});

/** What the reporters of one report are to be told of one step, by the numbers that systems know the report by. */
export interface Notice extends Readonly<z.infer<typeof NOTICE>> {
  /** Everything that it tells, by name. */
  readonly told: Readonly<Record<string, unknown>>;
}

/** Undefined for an event that is none. */
export function readNotice({ data }: CloudEvent): Notice | undefined {
  const parsed = NOTICE.safeParse(data);
  return parsed.success ? { ...parsed.data, told: data } : undefined;
}

/** The command that tells it under one number: what is told of one number goes in order. */
export function noticeDraft(
  plan: SystemPlan,
  notice: NoticePlan,
  { incident, sequence, report, told }: Notice,
  number: string,
): Draft {
  const field = writeField(plan, notice.field);
  invariant(field !== undefined, `Mutation.${notice.field} is no write`);
  const requestId = `${incident}:${sequence}:${number}`;
  invariant(requestId.length <= KEY_LENGTH_MAX, 'numbers of reports are bounded by the incident library');
  const own: Readonly<Record<string, unknown>> = { ...told, number, requestId };
  const names = notice.arguments.filter((name) => Object.hasOwn(NOTIFY_ARGUMENTS, name));
  return {
    system: plan.name,
    source: field.connect.source,
    field: notice.field,
    principal: NOTIFY_PRINCIPAL,
    idempotencyKey: requestId,
    subject: number,
    args: Object.fromEntries(names.map((name) => [name, own[name] ?? null])),
    giveUpAfterMs: field.write.giveUpAfterMs,
    correlationId: incident,
    notification: { incident, sequence, report, number },
  };
}
