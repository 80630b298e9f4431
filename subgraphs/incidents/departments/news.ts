// Reads events of departments' systems; pure.
import type { CloudEvent } from '@weft/events/envelope';
import { DELIVERY_LABELS, type DeliveryState } from '@weft/schema/incident-dispatch';
import { PROGRESS_STATES, type ProgressState } from '@weft/schema/incident-progress';
import { z } from 'zod';
import { isIncidentId } from '../identity.ts';
import { NOTIFICATION_STATES, type NotificationState } from '../labels.ts';

const DELIVERY = z.object({
  command: z.object({ id: z.uuid() }),
  system: z.string(),
  change: z.object({
    to: z.enum(Object.keys(DELIVERY_LABELS) as [DeliveryState, ...DeliveryState[]]),
    code: z.string().nullable(),
    at: z.iso.datetime(),
  }),
  dispatch: z.object({
    incident: z.string().refine(isIncidentId),
    attempt: z.int().min(1),
    numberKind: z.string(),
    upstreamRef: z.string().nullable(),
  }),
});

const NOTIFIED = z.object({
  ...DELIVERY.pick({ command: true, system: true, change: true }).shape,
  notification: z.object({
    incident: z.string().refine(isIncidentId),
    sequence: z.int().min(1),
    report: z.string().refine(isIncidentId),
    number: z.string(),
  }),
});

const PROGRESS = z.object({
  kind: z.string(),
  number: z.string(),
  state: z.enum(PROGRESS_STATES),
  at: z.iso.datetime(),
  reason: z.string().nullish(),
  result: z.string().nullish(),
  by: z.string().nullish(),
});

/** What became of one dispatch, as one version of its command tells it. */
export interface DeliveryNews {
  readonly commandId: string;
  readonly incidentId: string;
  readonly attempt: number;
  readonly system: string;
  readonly version: number;
  readonly state: DeliveryState;
  readonly code: string | null;
  readonly upstreamRef: string | null;
  readonly numberKind: string;
  readonly at: string;
}

/** Undefined for a command that carries no dispatch. */
export function decodeDelivery({ data, sequence }: CloudEvent): DeliveryNews | undefined {
  const parsed = DELIVERY.safeParse(data);
  const version = Number(sequence);
  if (!parsed.success || !Number.isSafeInteger(version)) return undefined;
  const { command, system, change, dispatch } = parsed.data;
  const { incident: incidentId, attempt, numberKind, upstreamRef } = dispatch;
  const { to: state, code, at } = change;
  return {
    commandId: command.id,
    incidentId,
    attempt,
    system,
    version,
    state,
    code,
    upstreamRef,
    numberKind,
    at,
  };
}

/** What became of the telling of a report's reporters, as one version of its command tells it. */
export interface NotifiedNews {
  readonly commandId: string;
  readonly incidentId: string;
  /** Of the step that they are told of. */
  readonly step: number;
  readonly reportId: string;
  readonly system: string;
  readonly version: number;
  readonly state: NotificationState;
  readonly code: string | null;
  readonly at: string;
}

/** Undefined for a command that tells no reporter anything. */
export function decodeNotified({ data, sequence }: CloudEvent): NotifiedNews | undefined {
  const parsed = NOTIFIED.safeParse(data);
  const version = Number(sequence);
  if (!parsed.success || !Number.isSafeInteger(version)) return undefined;
  const { command, system, change, notification } = parsed.data;
  const { incident: incidentId, sequence: step, report: reportId } = notification;
  const { to, code, at } = change;
  const state = NOTIFICATION_STATES[to];
  return { commandId: command.id, incidentId, step, reportId, system, version, state, code, at };
}

/** What one change in a department's system tells. */
export interface ProgressNews {
  readonly source: string;
  readonly eventId: string;
  readonly system: string;
  readonly kind: string;
  readonly number: string;
  readonly state: ProgressState;
  readonly at: Date;
  readonly reason: string | null;
  readonly result: string | null;
  readonly by: string | null;
}

const SYSTEM_SOURCE = /^\/systems\/([^/]+)$/;

/** Undefined for what no wrapped system can have told. */
export function decodeProgress({ source, id, data }: CloudEvent): ProgressNews | undefined {
  const parsed = PROGRESS.safeParse(data);
  const system = SYSTEM_SOURCE.exec(source)?.[1];
  if (!parsed.success || system === undefined) return undefined;
  const { kind, number, state, at, reason = null, result = null, by = null } = parsed.data;
  return { source, eventId: id, system, kind, number, state, at: new Date(at), reason, result, by };
}
