// Resolvers of the fields of Incident and of what hangs below it.
import { DELIVERY_LABELS, type DeliveryState } from '@weft/schema/incident-dispatch';
import { type PageLimit, requirePageSize } from '../page-size.ts';
import { ANONYMOUS_ROLE, isReportersWord, PRIVATE_ROLES, SYSTEM_PREFIX } from './actor.ts';
import { attachmentId } from './attachments/identity.ts';
import { ATTACHMENTS_PER_INCIDENT_MAX } from './attachments/limits.ts';
import { availableActions } from './authority.ts';
import { type Deadline, deadlinesOfAttempt, replyDeadline } from './deadlines.ts';
import type {
  Attempt,
  Incident,
  IncidentStep,
  Notification,
  Progress,
  Reporter,
} from './generated/client.ts';
import { governed } from './governed.ts';
import {
  CHANNEL_LABELS,
  DEADLINE_LABELS,
  isChannel,
  isIncidentState,
  isReporterKind,
  isReturnReason,
  isUrgency,
  NOTIFICATION_LABELS,
  type NotificationState,
  REPORTER_KIND_LABELS,
  RETURN_REASON_LABELS,
  STATE_LABELS,
  URGENCY_LABELS,
} from './labels.ts';
import type { LoadedAttachment } from './loaders.ts';
import { matterName } from './matters.ts';
import { CHANGE_LABELS, type ChangeKind, ruleOf } from './state-machine.ts';
import type { DeadlinePolicy } from './time/deadline-policy.ts';
import { loadVisible, type Viewing } from './visible.ts';

interface Reference {
  readonly id: string;
}

/** Type to field to resolver. @param policy says from how many returns on an incident is marked */
export function createIncidentFields({ returnsWarn }: DeadlinePolicy) {
  return {
    Incident: {
      ...PLAIN_FIELDS,
      ...LISTS,
      manyReturns: ({ returnCount }: Incident) => returnCount >= returnsWarn,
    },
    DispatchAttempt: attemptFields,
    IncidentProblem: problemFields,
    IncidentStep: {
      kindLabel: ({ kind }: IncidentStep) => CHANGE_LABELS[kind as ChangeKind] ?? kind,
      department: ({ department }: IncidentStep) => departmentOf(department),
      centre: ({ centre }: IncidentStep) => centreOf(centre),
      worker: workerOf,
      reason: (step: IncidentStep) => (isSaid(step) ? null : step.reason),
      remark: (step: IncidentStep) => (isSaid(step) ? null : step.remark),
      statement: statementOf,
      attachments: async ({ incidentId, sequence }: IncidentStep, _: unknown, { loaders }: Viewing) =>
        (await loaders.attachments.load(incidentId)).filter((each) => each.sequence === sequence),
      otherIncident: ({ other }: IncidentStep, _: unknown, context: Viewing) =>
        other === null ? null : loadVisible(context, other),
    },
    Reporter: {
      kindLabel: ({ kind }: Reporter) => (isReporterKind(kind) ? REPORTER_KIND_LABELS[kind] : kind),
      channelLabel: ({ channel }: Reporter) => channelLabel(channel),
    },
    IncidentDeadline: {
      label: ({ kind }: Deadline) => DEADLINE_LABELS[kind],
      overdue: ({ dueAt, metAt }: Deadline) => (metAt ?? new Date()) > dueAt,
    },
    Attachment: attachmentFields,
    IncidentNotification: notificationFields,
    MyNotification: {
      kindLabel: notificationFields.kindLabel,
      stateLabel: notificationFields.stateLabel,
      at: ({ createdAt }: Notification) => createdAt,
      incident: ({ incidentId }: Notification, _: unknown, context: Viewing) =>
        loadVisible(context, incidentId),
    },
  };
}

const PLAIN_FIELDS = {
  __resolveReference: ({ id }: Reference, context: Viewing) => loadVisible(context, id),
  channelLabel: ({ channel }: Incident) => channelLabel(channel),
  stateLabel: ({ state }: Incident) => (isIncidentState(state) ? STATE_LABELS[state] : state),
  urgencyLabel: ({ urgency }: Incident) => (isUrgency(urgency) ? URGENCY_LABELS[urgency] : urgency),
  matter: ({ matter }: Incident) => (matter === null ? null : { code: matter, name: matterName(matter) }),
  division: ({ division }: Incident) => (division === null ? null : { code: division }),
  department: ({ department }: Incident) => departmentOf(department),
  centre: ({ centre }: Incident) => centreOf(centre),
  position: ({ longitude, latitude }: Incident) =>
    longitude === null || latitude === null ? null : { longitude, latitude },
  mergedInto: ({ mergedInto }: Incident, _: unknown, context: Viewing) =>
    mergedInto === null ? null : loadVisible(context, mergedInto),
  supervised: ({ supervisedAt }: Incident) => supervisedAt !== null,
  overdue: ({ dueAt }: Incident) => dueAt !== null && dueAt < new Date(),
};

const LISTS = {
  externalNumbers: ({ id }: Incident, _: unknown, { loaders }: Viewing) => loaders.externalNumbers.load(id),
  steps: ({ id }: Incident, _: unknown, { loaders }: Viewing) => loaders.steps.load(id),
  attempts: ({ id }: Incident, _: unknown, { loaders }: Viewing) => loaders.attempts.load(id),
  reporters: ({ id }: Incident, _: unknown, { loaders }: Viewing) => loaders.reporters.load(id),
  notifications: ({ id }: Incident, _: unknown, { loaders }: Viewing) => loaders.notifications.load(id),
  problems: ({ id }: Incident, _: unknown, { loaders }: Viewing) => loaders.problems.load(id),
  async attachments({ id }: Incident, { first }: { readonly first?: number | null }, { loaders }: Viewing) {
    return (await loaders.attachments.load(id)).slice(0, requirePageSize(first ?? null, ATTACHMENTS_PAGE));
  },
  coHandlers: async ({ id }: Incident, _: unknown, { loaders }: Viewing) =>
    (await loaders.coHandlers.load(id)).map(({ department }) => departmentOf(department)),
  async deadlines(incident: Incident, _: unknown, { loaders }: Viewing) {
    const attempts = await loaders.attempts.load(incident.id);
    return [...attempts.flatMap(deadlinesOfAttempt), ...replyDeadline(incident)];
  },
  async availableActions(incident: Incident, _: unknown, { loaders, actor }: Viewing) {
    const reporters = [...(await loaders.reporters.load(incident.id))];
    return availableActions(actor, governed({ ...incident, reporters })).map((action) => {
      const { label, mutation, to, inputs } = ruleOf(action);
      const toLabel = to === null ? null : STATE_LABELS[to];
      return { action, label, mutation, to, toLabel, inputs };
    });
  },
  async similarIncidents({ id }: Incident, _: unknown, context: Viewing) {
    const similar = await context.loaders.similar.load(id);
    const found = await Promise.all(
      similar.map(async ({ id: other, metres }) => ({ incident: await loadVisible(context, other), metres })),
    );
    return found.filter(({ incident }) => incident !== null);
  },
};

const notificationFields = {
  channelLabel: ({ channel }: Notification) => channelLabel(channel),
  kindLabel: ({ kind }: Notification) => CHANGE_LABELS[kind as ChangeKind] ?? kind,
  stateLabel: ({ state }: Notification) => NOTIFICATION_LABELS[state as NotificationState] ?? state,
  at: ({ updatedAt }: Notification) => updatedAt,
  // Those of an incident that was merged afterwards are the survivor's, and the same.
  reporter: async ({ reportId, number }: Notification, _: unknown, { loaders }: Viewing) =>
    await loaders.reporterOf.load(`${reportId} ${number}`),
};

const ATTACHMENTS_PAGE: PageLimit = {
  name: 'attachmentsMax',
  itemsMax: ATTACHMENTS_PER_INCIDENT_MAX,
  itemsUsual: 20,
};

const attachmentFields = {
  id: ({ sha256 }: LoadedAttachment) => attachmentId(sha256),
  url: ({ sha256 }: LoadedAttachment) => `/attachments/${attachmentId(sha256)}`,
  type: ({ attachment: { type } }: LoadedAttachment) => type,
  size: ({ attachment: { size } }: LoadedAttachment) => size,
  step: ({ sequence }: LoadedAttachment) => sequence,
};

const problemFields = {
  at: ({ problemAt }: Progress) => problemAt,
  externalNumber: ({ kind, number, system }: Progress) => ({ kind, number, source: system }),
  told: ({ state }: Progress) => state,
  toldLabel: ({ state }: Progress) => CHANGE_LABELS[state as ChangeKind] ?? state,
  toldAt: ({ at }: Progress) => at,
  text: ({ problem }: Progress) => problem,
};

const attemptFields = {
  deliveryLabel: ({ delivery }: Attempt) => DELIVERY_LABELS[delivery as DeliveryState] ?? null,
  department: ({ department }: Attempt) => departmentOf(department),
  routedByWorker: (attempt: Attempt, _: unknown, viewing: Viewing) =>
    workerOfAttempt(attempt, ['ROUTED', 'REOPENED'], viewing),
  signedByWorker: (attempt: Attempt, _: unknown, viewing: Viewing) =>
    workerOfAttempt(attempt, ['SIGNED'], viewing),
  returnReasonLabel: ({ returnReason }: Attempt) =>
    isReturnReason(returnReason) ? RETURN_REASON_LABELS[returnReason] : null,
  returnedLate: ({ returnedAt, returnDueAt }: Attempt) =>
    returnedAt !== null && returnDueAt !== null && returnedAt > returnDueAt,
  externalNumber: ({ externalKind: kind, externalNumber: number, department }: Attempt) =>
    kind === null || number === null ? null : { kind, number, source: department },
  dueAt: (attempt: Attempt) => {
    const running = owed(attempt).filter(({ metAt }) => metAt === null);
    const times = running.map(({ dueAt }) => dueAt.getTime());
    return times.length === 0 ? null : new Date(Math.min(...times));
  },
  overdue: (attempt: Attempt) =>
    owed(attempt).some(({ dueAt, metAt }) => metAt === null && dueAt < new Date()),
};

function isSaid({ kind, role }: IncidentStep): boolean {
  return isReportersWord(kind, role);
}

function statementOf(step: IncidentStep): string | null {
  const said = isSaid(step) ? [step.reason, step.remark].filter((text) => text !== null) : [];
  return said.length === 0 ? null : said.join('\n');
}

/** Who acted by an office of theirs: a citizen is nobody else's business, a system nobody, and the anonymous say what they like. */
function workerOf({ by, role }: IncidentStep): { readonly number: string } | null {
  const isKnown = role !== null && role !== ANONYMOUS_ROLE && !PRIVATE_ROLES.has(role);
  return isKnown && !by.startsWith(SYSTEM_PREFIX) ? { number: by } : null;
}

async function workerOfAttempt(
  { incidentId, number }: Attempt,
  kinds: readonly ChangeKind[],
  { loaders }: Viewing,
) {
  const steps = await loaders.steps.load(incidentId);
  const step = steps.find(({ attempt, kind }) => attempt === number && kinds.includes(kind as ChangeKind));
  return step === undefined ? null : workerOf(step);
}

/** To give work back is a right, and its end no debt. */
function owed(attempt: Attempt): readonly Deadline[] {
  return deadlinesOfAttempt(attempt).filter(({ kind }) => kind !== 'RETURN');
}

function channelLabel(channel: string): string {
  return isChannel(channel) ? CHANNEL_LABELS[channel] : channel;
}

function departmentOf(code: string | null) {
  return code === null ? null : { code };
}

function centreOf(code: string | null) {
  return code === null ? null : { code };
}
