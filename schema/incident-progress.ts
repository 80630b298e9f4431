// What any system's change can tell of the work on an incident: the data of an event in the topic `incident.progress`.

/** The topic that the incident library reads. */
export const INCIDENT_PROGRESS_TOPIC = 'incident.progress';

/** The steps of a department that its own system can tell. */
export const PROGRESS_STATES = ['SIGNED', 'RETURNED', 'FED_BACK'] as const;

export type ProgressState = (typeof PROGRESS_STATES)[number];

/** Field names and whether they must be there; the connector compiler checks a `progress` mapping against this table. */
export const INCIDENT_PROGRESS_FIELDS = {
  kind: 'required',
  number: 'required',
  state: 'required',
  at: 'required',
  reason: 'optional',
  result: 'optional',
  by: 'optional',
} as const satisfies Record<string, 'required' | 'optional'>;

export interface IncidentProgress {
  /** Of the external number by which the department knows the incident. */
  readonly kind: string;
  readonly number: string;
  readonly state: ProgressState;
  /** RFC 3339 with an offset: when the department did it. */
  readonly at: string;
  /** RETURNED: a value of the enum ReturnReason, or text. */
  readonly reason?: string | null;
  /** FED_BACK: what was done. */
  readonly result?: string | null;
  /** Who did it there. */
  readonly by?: string | null;
}
