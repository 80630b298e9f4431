// The CloudEvent that tells of one step of an incident.
import type { CloudEvent } from '@weft/events/envelope';
import type { IncidentState } from './labels.ts';
import type { ChangeKind } from './state-machine.ts';

/** The topic of every change of every incident. */
export const INCIDENT_TOPIC = 'incident';
/** As `source` of the events. */
const INCIDENTS_SOURCE = '/subgraphs/incidents';

/** One step, as it is stored and told. */
export interface Step {
  readonly incidentId: string;
  /** From 1. */
  readonly sequence: number;
  readonly kind: ChangeKind;
  readonly from: IncidentState | null;
  readonly to: IncidentState;
  readonly at: Date;
  readonly by: string;
}

/** What the event says besides the step; the trace of the report that caused it. */
export interface StepContext {
  readonly division: string | null;
  readonly channel: string;
  readonly cause?: Pick<CloudEvent, 'id' | 'correlationid' | 'traceparent'>;
}

/** Its id follows from the incident and the step: appended twice it is there once. */
export function incidentEvent(step: Step, { division, channel, cause }: StepContext): CloudEvent {
  const { incidentId, sequence, kind, from, to, by } = step;
  const at = step.at.toISOString();
  return {
    specversion: '1.0',
    id: `${incidentId}:${sequence}`,
    source: INCIDENTS_SOURCE,
    type: `dev.weft.incident.${kind.toLowerCase()}`,
    subject: `Incident:${incidentId}`,
    time: at,
    datacontenttype: 'application/json',
    sequence: String(sequence),
    partitionkey: incidentId,
    ...(cause?.correlationid === undefined ? {} : { correlationid: cause.correlationid }),
    ...(cause?.traceparent === undefined ? {} : { traceparent: cause.traceparent }),
    ...(cause === undefined ? {} : { causationid: cause.id }),
    data: { incident: { id: incidentId }, change: { kind, from, to, at, by }, division, channel },
  };
}
