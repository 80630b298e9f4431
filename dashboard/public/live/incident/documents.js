// What the page asks of one incident.

/**
 * @typedef {{ name: string | null }} Named
 * @typedef {{ sequence: number, kind: string, kindLabel: string, at: string, by: string, role: string | null,
 *   remark: string | null, reason: string | null, attempt: number | null, rating: number | null,
 *   department: Named | null, centre: Named | null, otherIncident: { id: string, title: string } | null }} Step
 * @typedef {{ number: number, round: number, department: Named | null, routedAt: string, delivery: string | null,
 *   deliveryLabel: string | null, deliveryCode: string | null, externalNumber: { number: string } | null, signedAt: string | null,
 *   returnedAt: string | null, returnReasonLabel: string | null, returnText: string | null, returnedLate: boolean,
 *   fedBackAt: string | null, result: string | null, outcome: string | null, overdue: boolean }} Attempt
 * @typedef {{ kind: string, label: string, attempt: number | null, dueAt: string, metAt: string | null, overdue: boolean }} Deadline
 * @typedef {{ id: string, url: string, type: string, size: number, name: string, step: number }} Attachment
 * @typedef {{ sequence: number, kind: string, kindLabel: string, reporter: { kindLabel: string } | null, channelLabel: string,
 *   state: string, stateLabel: string, createdAt: string, at: string, system: string | null, code: string | null }} Notification
 * @typedef {{ id: string, title: string, version: number, stateLabel: string, channelLabel: string, urgencyLabel: string,
 *   reportedAt: string, address: string | null, round: number, returnCount: number, rating: number | null, supervised: boolean,
 *   division: { fullName: string } | null, centre: Named | null, department: Named | null,
 *   matter: { name: string } | null, mergedInto: { id: string, title: string } | null,
 *   reporters: { kindLabel: string, channelLabel: string }[], externalNumbers: { kind: string, number: string }[],
 *   attempts: Attempt[], deadlines: Deadline[], notifications: Notification[], steps: Step[],
 *   attachments?: Attachment[] | null }} WholeIncident attachments: absent where nobody is known to be asking
 */

const WHOLE = `
fragment Whole on Incident {
  id title version stateLabel channelLabel urgencyLabel reportedAt address round returnCount rating supervised
  division { code fullName } centre { code name } department { code name } matter { code name } mergedInto { id title }
  reporters { kindLabel channelLabel }
  externalNumbers { kind number }
  attempts {
    number round department { code name } routedAt delivery deliveryLabel deliveryCode externalNumber { number }
    signedAt returnedAt returnReasonLabel returnText returnedLate fedBackAt result outcome overdue
  }
  deadlines { kind label attempt dueAt metAt overdue }
  notifications { sequence kind kindLabel reporter { kindLabel } channelLabel state stateLabel createdAt at system code }
  steps {
    sequence kind kindLabel at by role remark reason attempt rating
    department { code name } centre { code name } otherIncident { id title }
  }
}`;

/** @type {import('../documents.js').Document<{ incident: WholeIncident | null }>} */
export const ONE_INCIDENT = `query OneIncident($id: ID!) { incident(id: $id) { ...Whole } }${WHOLE}`;

/** For who gives a token. @type {import('../documents.js').Document<{ incident: WholeIncident | null }>} */
export const ONE_INCIDENT_WITH_FILES = `query OneIncidentWithFiles($id: ID!) {
  incident(id: $id) { ...Whole attachments(first: 200) { id url type size name step } }
}${WHOLE}`;

/** @type {import('../documents.js').Document<import('../documents.js').Resumable & { incident: WholeIncident | null }>} */
export const ONE_INCIDENT_CHANGED = `subscription OneIncidentChanged($id: ID!, $after: Cursor) {
  incidentChanged(id: $id, from: BOOKMARK, after: $after) { cursor gap { reason } incident { ...Whole } }
}${WHOLE}`;
