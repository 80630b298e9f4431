// Reads one change of a record out of what a system sent, and makes its events; pure.
import type { CloudEvent, Json } from '@weft/events/envelope';
import { INCIDENT_REPORT_FIELDS, INCIDENT_REPORT_TOPIC } from '@weft/schema/incident-report';
import type { MappingScope } from '@weft/schema/mapping/compile';
import { toDateTime } from '@weft/schema/mapping/date-time';
import type { IngestPlan } from '../plan.ts';
import { recordKey, scalarText } from '../record-key.ts';
import { decodeProgress, progressEvent } from './progress.ts';
import { formatUtc, parseTimeText } from './time-text.ts';

/** A change that was understood. */
export interface Change {
  readonly system: string;
  readonly type: string;
  readonly key: string;
  /** Its version in a form that compares as text. */
  readonly orderKey: string;
  readonly data: { readonly [key: string]: Json };
  readonly event: CloudEvent;
  readonly topic: string;
  /** Handed to the incident library when the record is first heard of. */
  readonly report: CloudEvent | undefined;
  /** Why there is no report though the plan asks for one: the change itself stands all the same. */
  readonly reportProblem: string | undefined;
  /** What it tells of the work on an incident. */
  readonly progress?: CloudEvent | undefined;
  /** Why it tells nothing though the plan asks for it: the change itself stands all the same. */
  readonly progressProblem?: string | undefined;
  /** Its version says only when it came: it is told only where its data differs from what is known. */
  readonly toldWhenDifferent?: boolean;
}

export type DecodedChange =
  | { readonly kind: 'change'; readonly change: Change }
  /** The payload holds no record of this type. */
  | { readonly kind: 'other' }
  | { readonly kind: 'bad'; readonly reason: string };

export { INCIDENT_REPORT_TOPIC };

const ORDER_DIGITS = 24;
const KEY_LENGTH_MAX = 200;

/**
 * @param payload what the mappings see as `$`: a webhook's body, a polled row
 * @param scope `$env` and the zone of the source
 * @param arrival the version of what carries none: digits that grow with each that comes
 */
export function decodeChange(
  system: string,
  plan: IngestPlan,
  payload: unknown,
  scope: MappingScope,
  receivedAt: Date,
  arrival?: string,
): DecodedChange {
  const payloadScope = { ...scope, $: payload };
  const selected = plan.select.evaluate(payloadScope);
  if (!isObject(selected)) return { kind: 'other' };
  const keyFields = plan.keyFields ?? [plan.keyField];
  const key = recordKey(keyFields, selected);
  if (key === undefined) return { kind: 'other' };
  if (key.length > KEY_LENGTH_MAX || key.includes('\0'))
    return bad(`expected a key of at most ${KEY_LENGTH_MAX} characters`);
  const order = plan.orderField === undefined ? arrival : scalarText(selected[plan.orderField]);
  if (order === undefined) return bad(`expected a version in ${plan.orderField ?? 'its place'}`);
  const orderKey = sortableOrder(order, scope.timezone);
  if (orderKey === undefined)
    return bad(`expected ${plan.orderField} to be a number or a time, got another text`);
  const report = decodeReport(plan, payloadScope);
  const time = rfc3339(plan.time?.evaluate(payloadScope)) ?? receivedAt.toISOString();
  const data = { ...(selected as Record<string, Json>), [plan.entityField]: keyObject(keyFields, selected) };
  const record = { system, plan, key, time };
  const event = changedEvent(record, order, data);
  const progress = plan.progress && decodeProgress(plan.progress.evaluate(payloadScope));
  return {
    kind: 'change',
    change: {
      system,
      type: plan.type,
      key,
      orderKey,
      data,
      topic: plan.topic,
      event,
      report: report?.kind === 'report' ? reportEvent(record, report.data) : undefined,
      reportProblem: report?.kind === 'bad' ? report.reason : undefined,
      progress: progress?.kind === 'progress' ? progressEvent(event, progress.data) : undefined,
      progressProblem: progress?.kind === 'bad' ? progress.reason : undefined,
      toldWhenDifferent: plan.orderField === undefined,
    },
  };
}

/** Why a change goes to quarantine although it stands. */
export function changeProblem({ reportProblem, progressProblem }: Change): string {
  return reportProblem ?? progressProblem ?? '';
}

/**
 * A version in a form that compares as text: digits are padded, a time becomes UTC with a fixed number of digits.
 * @param timezone of a time without an offset; default UTC
 * @returns undefined for what is neither a whole number nor a time
 */
export function sortableOrder(order: string, timezone = 'UTC'): string | undefined {
  if (/^\d+$/.test(order)) return order.length > ORDER_DIGITS ? undefined : order.padStart(ORDER_DIGITS, '0');
  const time = parseTimeText(order);
  if (time === undefined) return undefined;
  if (time.offset !== undefined) return formatUtc(time.atNs);
  const atMs = Date.parse(toDateTime(`${time.date} ${time.clock}`, timezone) ?? '');
  if (Number.isNaN(atMs)) return undefined;
  const fractionNs = BigInt((time.fraction ?? '').padEnd(9, '0'));
  return formatUtc(BigInt(atMs) * 1_000_000n + fractionNs);
}

interface RecordIdentity {
  readonly system: string;
  readonly plan: IngestPlan;
  readonly key: string;
  readonly time: string;
}

function changedEvent(
  { system, plan, key, time }: RecordIdentity,
  order: string,
  data: Change['data'],
): CloudEvent {
  return {
    specversion: '1.0',
    id: `${plan.type}:${key}:${order}`,
    source: `/systems/${system}`,
    type: `dev.weft.${plan.type.toLowerCase()}.changed`,
    subject: `${plan.type}:${key}`,
    time,
    datacontenttype: 'application/json',
    data,
    sequence: order,
    partitionkey: key,
    correlationid: key,
  };
}

/** One a record, ever: its id has no version in it. */
function reportEvent({ system, plan, key, time }: RecordIdentity, data: CloudEvent['data']): CloudEvent {
  return {
    specversion: '1.0',
    id: `report:${plan.type}:${key}`,
    source: `/systems/${system}`,
    type: 'dev.weft.incident.report',
    subject: `${plan.type}:${key}`,
    time,
    datacontenttype: 'application/json',
    data,
    partitionkey: key,
    correlationid: key,
  };
}

type DecodedReport =
  | { readonly kind: 'report'; readonly data: CloudEvent['data'] }
  | { kind: 'bad'; reason: string };

function decodeReport(plan: IngestPlan, scope: MappingScope): DecodedReport | undefined {
  if (plan.report === undefined) return undefined;
  const report = plan.report.evaluate(scope);
  if (!isObject(report)) return bad('expected a report, got nothing');
  for (const [field, need] of Object.entries(INCIDENT_REPORT_FIELDS)) {
    const value = report[field];
    if (need === 'required' && (value === null || value === undefined))
      return bad(`report: expected ${field}`);
  }
  const reportedAt = rfc3339(report.reportedAt);
  if (reportedAt === undefined) return bad('report: expected reportedAt to be a time');
  const data = withoutNul(report) as Record<string, Json>;
  return { kind: 'report', data: { ...data, reportedAt } };
}

/** No text in PostgreSQL holds a NUL: an order must not be lost for one. */
function withoutNul(value: unknown): unknown {
  if (typeof value === 'string') return value.replaceAll('\0', '');
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, withoutNul(part)]));
}

function bad(reason: string): { readonly kind: 'bad'; readonly reason: string } {
  return { kind: 'bad', reason };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The key's fields as texts: how events name the entity. */
function keyObject(
  fields: readonly string[],
  selected: Readonly<Record<string, unknown>>,
): Record<string, Json> {
  return Object.fromEntries(fields.map((field) => [field, scalarText(selected[field]) ?? null]));
}

function rfc3339(value: unknown): string | undefined {
  return typeof value === 'string' && !Number.isNaN(Date.parse(value)) ? value : undefined;
}
