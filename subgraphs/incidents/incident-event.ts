// The CloudEvent that tells of one step of an incident.
import type { CloudEvent, Json } from '@weft/events/envelope';
import { INCIDENT_TOPIC } from '@weft/schema/incident-dispatch';
import type { Incident } from './generated/client.ts';
import type { IncidentState } from './labels.ts';
import type { ChangeKind } from './state-machine.ts';

export { INCIDENT_TOPIC };

/** As `source` of the events. */
const INCIDENTS_SOURCE = '/subgraphs/incidents';
/** What live subscribers read in the place of who acted on what is confidential. */
const WITHHELD = '保密';

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
  readonly remark?: string | null;
  /** The role whose authority it was. */
  readonly role?: string | null;
  readonly reason?: string | null;
  readonly attempt?: number | null;
  readonly department?: string | null;
  readonly centre?: string | null;
  /** The other incident of a merging. */
  readonly other?: string | null;
  readonly rating?: number | null;
}

/** What a department is asked to do, in full: what carries it there needs nothing else (docs/incidents.md). */
export type Dispatch = Readonly<Record<string, Json>>;

/** What the event says besides the step; the trace of the report that caused it. */
export interface StepContext {
  readonly division: string | null;
  /** That owns it since, and that owned it before: of a move both are told. */
  readonly centre?: string | null;
  readonly centreBefore?: string | null;
  /** That it is with since, and that it was with before. */
  readonly department?: string | null;
  readonly departmentBefore?: string | null;
  readonly channel: string;
  readonly confidential?: boolean;
  readonly cause?: Pick<CloudEvent, 'id' | 'correlationid' | 'traceparent'>;
  readonly dispatch?: Dispatch;
  /** Numbers of the notifications that it made. */
  readonly notifications?: number;
}

/** Its id follows from the incident and the step: appended twice it is there once. */
export function incidentEvent(step: Step, context: StepContext): CloudEvent {
  const {
    division,
    centre = null,
    centreBefore = null,
    department = null,
    departmentBefore = null,
    channel,
    confidential = false,
    cause,
    dispatch,
    notifications,
  } = context;
  const { incidentId, sequence, kind, from, to, by, at: _at, ...detail } = step;
  const at = step.at.toISOString();
  const shownBy = confidential || to === 'DRAFT' ? WITHHELD : by;
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
    data: {
      incident: { id: incidentId },
      change: { kind, from, to, at, by: shownBy },
      division,
      centre,
      centreBefore,
      department,
      departmentBefore,
      channel,
      step: { sequence, by, ...detail },
      ...(dispatch === undefined ? {} : { dispatch }),
      ...(notifications === undefined ? {} : { notifications }),
    },
  };
}

/** What the event of a step says of the incident itself. */
export function contextOf(
  { division, centre, department, channel, confidential }: Incident,
  before: Incident,
): StepContext {
  const [centreBefore, departmentBefore] = [before.centre, before.department];
  return { division, centre, centreBefore, department, departmentBefore, channel, confidential };
}
