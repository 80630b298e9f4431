// What a step leaves in evidence: who, when, by which system, what was before and after, why, with which authority.
import type { EvidenceFields, EvidenceValue } from '@weft/evidence/entry';
import type { HashAlgorithm } from '@weft/evidence/hash';
import type { NewEvidence } from '@weft/evidence/postgres/append';
import { type Actor, isReportersWord, PRIVATE_ROLES } from './actor.ts';
import type { Authority } from './authority.ts';
import type { Attempt, Incident } from './generated/client.ts';
import type { Step } from './incident-event.ts';
import type { IdentifiedReport } from './put-reports.ts';

/** Fields of an entry that hold personal information: an export leaves them out unless it is asked for them. */
export const PERSONAL_FIELDS = [
  'actorIdentity',
  'reporters',
  'description',
  'evaluation',
  'reporterRemark',
] as const;

/** Of each list of what a merging moved, at the most; the numbers of all stand beside them. */
export const MOVED_MAX = 500;

/** What stands before an incident's id in the subject of its evidence. */
export const EVIDENCE_SUBJECT_PREFIX = 'Incident:';

/** The subject of an incident's evidence. */
export function subjectOf(incidentId: string): string {
  return `${EVIDENCE_SUBJECT_PREFIX}${incidentId}`;
}

/** What of a step's evidence its cause knows, and no row says. */
export interface Testimony {
  readonly hash: HashAlgorithm;
  /** Whose id is nobody else's business has it in a field of its own. */
  readonly actor: EvidenceValue;
  readonly actorIdentity?: string;
  /** By which it came: `gateway` for people, a system's name, or `incidents` for what the library does itself. */
  readonly system: string;
  readonly authority: EvidenceValue;
  /** What there is to say besides. */
  readonly told?: EvidenceFields;
}

/** What the library does without being asked. */
export type LibraryRule = 'DEADLINE' | 'DUPLICATE';

const LIBRARY = 'incidents';
const GATEWAY = 'gateway';

/** Of what somebody does through the graph, or a department's system by a command. */
export function testimonyOf(
  actor: Actor,
  { role, reach }: Authority,
  hash: HashAlgorithm,
  told?: EvidenceFields,
): Testimony {
  const { kind, key, name, roles, division = null, department = null } = actor;
  const isPrivate = PRIVATE_ROLES.has(role);
  const place = reach === 'SUBTREE' ? division : reach === 'DEPARTMENT' ? department : null;
  return {
    hash,
    actor: { kind, id: isPrivate ? null : (key ?? null), roles: [...roles], division, department },
    ...(isPrivate && key !== undefined ? { actorIdentity: key } : {}),
    system: kind === 'system' && name !== undefined ? name.replace(/^system:/, '') : GATEWAY,
    authority: { role, reach, place },
    ...(told === undefined ? {} : { told }),
  };
}

/** Of what a wrapped system told by itself, or what became of work for it: its authority is its registration with the hub. */
export function testimonyOfSystem(
  system: string,
  hash: HashAlgorithm,
  rule: 'REPORT' | 'DELIVERY' = 'REPORT',
): Testimony {
  return { hash, actor: { kind: 'system', id: system }, system, authority: { rule } };
}

/** Of what the library does by a rule of its own. */
export function testimonyOfLibrary(rule: LibraryRule, hash: HashAlgorithm): Testimony {
  return { hash, actor: { kind: 'library', id: LIBRARY }, system: LIBRARY, authority: { rule } };
}

/** What a merging moves to the survivor: reports by their ids, of which each has evidence of its own. */
export function movedFields(
  reporters: readonly { readonly reportId: string }[],
  numbers: readonly { readonly kind: string; readonly number: string }[],
): EvidenceFields {
  const reports = [...new Set(reporters.map(({ reportId }) => reportId))].sort();
  return {
    moved: toValue({
      reports: reports.slice(0, MOVED_MAX),
      reportCount: reports.length,
      externalNumbers: numbers.slice(0, MOVED_MAX),
      externalNumberCount: numbers.length,
    }),
  };
}

/** A step as it was written, with what stands in no column of it. */
export interface WrittenStep extends Step {
  readonly requestId: string | null;
  readonly attemptRow: Attempt | null;
  readonly notifications: number | undefined;
}

/** Of a step of an incident that was there before. */
export function evidenceOfStep(
  step: WrittenStep,
  rows: { readonly before: Incident; readonly after: Incident },
  testimony: Testimony,
): NewEvidence {
  const { attemptRow, notifications, requestId } = step;
  const changed = COLUMNS.filter((name) => !isSame(rows.before[name], rows.after[name]));
  const names = [...new Set([...ALWAYS, ...changed])];
  const { evaluation } = rows.after;
  const isEvaluation = step.kind === 'EVALUATED';
  return {
    subject: subjectOf(step.incidentId),
    fields: {
      ...fieldsOf(step, testimony),
      before: pick(rows.before, names),
      after: pick(rows.after, names),
      // What the reporter said with the rating is the reason of that step, and theirs.
      reason: isEvaluation ? null : toValue(step.reason),
      ...(isEvaluation && evaluation !== null ? { evaluation: toValue(evaluation) } : {}),
      ...present({ requestId, notifications, ...detailOf(step) }),
      ...(step.attempt == null || attemptRow === null ? {} : { attempt: attemptOf(attemptRow) }),
      ...testimony.told,
    },
  };
}

/** Of the first step: what was reported is what is after it. */
export function evidenceOfReport(
  step: Step,
  row: Readonly<Record<string, unknown>>,
  { report, cause, testimony }: IdentifiedReport,
  reporters: readonly Readonly<Record<string, unknown>>[],
): NewEvidence {
  const { id: event, source, correlationid, traceparent } = cause ?? {};
  return {
    subject: subjectOf(step.incidentId),
    fields: {
      ...fieldsOf(step, testimony),
      before: null,
      after: toValue(pickPresent(row)),
      reason: null,
      reporters: toValue(reporters.map(({ reportId: _, ...reporter }) => reporter)),
      ...present({ description: report.description }),
      ...(report.externalNumbers.length === 0 ? {} : { externalNumbers: toValue(report.externalNumbers) }),
      ...(cause === undefined ? {} : { cause: present({ event, source, correlationid, traceparent }) }),
      ...testimony.told,
    },
  };
}

/** Columns that change with steps or are reported; what is personal, and what follows from others, is left out. */
const COLUMNS = [
  'title',
  'channel',
  'state',
  'matter',
  'division',
  'address',
  'department',
  'reportedAt',
  'urgency',
  'confidential',
  'longitude',
  'latitude',
  'centre',
  'mergedInto',
  'round',
  'attempt',
  'returnCount',
  'reworkCount',
  'verifiedAt',
  'extensionUntil',
  'supervisedAt',
  'rating',
  'closedAt',
  'replyDueAt',
  'replyOverdueAt',
  'dueAt',
] as const satisfies readonly (keyof Incident)[];
const ALWAYS = ['state', 'department', 'centre'] as const satisfies readonly (keyof Incident)[];

function fieldsOf(step: Step, testimony: Testimony): EvidenceFields {
  const { actor, actorIdentity, system, authority } = testimony;
  const { sequence, at, by, kind } = step;
  return {
    step: sequence,
    at: toValue(at),
    by: toValue(by),
    kind,
    actor: toValue(actor),
    ...present({ actorIdentity }),
    system,
    authority: toValue(authority),
  };
}

function detailOf(step: Step): Readonly<Record<string, unknown>> {
  const { kind, role, other, rating, department, centre } = step;
  const remark = isReportersWord(kind, role) ? { reporterRemark: step.remark } : { remark: step.remark };
  return { ...remark, other, rating, stepDepartment: department, stepCentre: centre };
}

/** The dispatch as it is after the step. */
function attemptOf({ incidentId: _, ...attempt }: Attempt): EvidenceValue {
  return present(attempt);
}

function pick(row: Incident, names: readonly (keyof Incident)[]): EvidenceValue {
  return Object.fromEntries(names.map((name) => [name, toValue(row[name])]));
}

function pickPresent(row: Readonly<Record<string, unknown>>): EvidenceFields {
  return present(Object.fromEntries(COLUMNS.map((name) => [name, row[name]])));
}

/** What is there; an absent field says the same as a null, and takes no place. */
function present(values: Readonly<Record<string, unknown>>): EvidenceFields {
  return Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) =>
      value === undefined || value === null ? [] : [[name, toValue(value)]],
    ),
  );
}

function isSame(one: unknown, other: unknown): boolean {
  if (one instanceof Date && other instanceof Date) return +one === +other;
  return one === other;
}

/** As JSON that RFC 8785 has a form for: no instant but as text, no half of a surrogate pair. */
function toValue(value: unknown): EvidenceValue {
  if (value === undefined || value === null) return null;
  if (typeof value === 'string') return value.toWellFormed();
  if (typeof value === 'number' || typeof value === 'boolean') return value;
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.map(toValue);
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [name.toWellFormed(), toValue(each)]),
  );
}
