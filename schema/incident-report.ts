// The report that any system's change can make to the incident library: the data of an event in the topic `incident-report`.

/** The topic that the incident library reads. */
export const INCIDENT_REPORT_TOPIC = 'incident-report';

/** Field names and whether they must be there; the connector compiler checks a `report` mapping against this table. */
export const INCIDENT_REPORT_FIELDS = {
  channel: 'required',
  title: 'required',
  reportedAt: 'required',
  externalNumbers: 'required',
  description: 'optional',
  matter: 'optional',
  division: 'optional',
  address: 'optional',
  urgency: 'optional',
  confidential: 'optional',
  longitude: 'optional',
  latitude: 'optional',
  reporterKind: 'optional',
  reporterName: 'optional',
  reporterContact: 'optional',
} as const satisfies Record<string, 'required' | 'optional'>;

export interface IncidentReport {
  /** A value of the enum Channel. */
  readonly channel: string;
  readonly title: string;
  /** RFC 3339 with an offset. */
  readonly reportedAt: string;
  /** Kind to number; a null number is left out. */
  readonly externalNumbers: Readonly<Record<string, string | null>>;
  readonly description?: string | null;
  /** Code of GB/T 47678.5-2026, 5 digits. */
  readonly matter?: string | null;
  /** Division code of 6, 9 or 12 digits. */
  readonly division?: string | null;
  readonly address?: string | null;
  /** A value of the enum Urgency; default NORMAL. */
  readonly urgency?: string | null;
  /** true, false, or as text; what cannot be read counts as true. */
  readonly confidential?: boolean | string | null;
  /** CGCS2000, degrees. */
  readonly longitude?: number | string | null;
  readonly latitude?: number | string | null;
  /** A value of the enum ReporterKind. */
  readonly reporterKind?: string | null;
  readonly reporterName?: string | null;
  /** Personal information. */
  readonly reporterContact?: string | null;
}
