// The envelope of every event in the log: CloudEvents 1.0 in JSON.

/** JSON as it is kept and sent. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/**
 * A CloudEvent 1.0 in structured JSON with the extensions of docs/events.md
 * (https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md).
 * `source` and `id` together are unique in the log: appending the pair again changes nothing.
 */
export interface CloudEvent {
  readonly specversion: '1.0';
  /** Unique within `source`; derived from what happened, so that a second telling has the same id. */
  readonly id: string;
  /** The system that knows, as a URI reference: `/systems/hotline`. */
  readonly source: string;
  /** Reverse-DNS: `dev.weft.incident.reported`. */
  readonly type: string;
  /** The entity that it is about: `Incident:42`. */
  readonly subject: string;
  /** RFC 3339: when it happened, by the clock of the source. */
  readonly time: string;
  readonly datacontenttype: 'application/json';
  readonly data: { readonly [key: string]: Json };
  /** Order within the subject, as the source counts; compared as text of equal length or as decimal digits. */
  readonly sequence?: string;
  /** Events with equal keys keep their order. */
  readonly partitionkey?: string;
  readonly traceparent?: string;
  readonly correlationid?: string;
  readonly causationid?: string;
}
