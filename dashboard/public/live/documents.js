// The GraphQL documents of the live page: all that it asks of the graph.

/**
 * @typedef {import('./incident-feed.js').Incident} Incident
 * @typedef {import('./systems-panel.js').System} System
 * @typedef {{ cursor: string, gap: { reason: string } | null }} Resumable
 */

/**
 * The text of a document that brings `Data`; of a subscription: the value of its root field.
 * @template Data
 * @typedef {string & { readonly brings?: Data }} Document
 */

const ROW = `
fragment Row on Incident {
  id title stateLabel reportedAt address
  division { code fullName }
  hotlineOrder { id status }
  grid { code name worker { id name } }
  policeCase { receiptNo status unit }
}`;

/** @type {Document<{ incidents: { edges: { node: Incident }[] } | null }>} */
export const INCIDENTS = `query LatestIncidents { incidents(first: 30) { edges { node { ...Row } } } }${ROW}`;

/** The first message has neither change nor incident: the stream stands. @type {Document<Resumable & { change: { kind: string } | null, incident: Incident | null }>} */
export const INCIDENT_CHANGED = `subscription IncidentChanged($after: Cursor) {
  incidentChanged(from: BOOKMARK, after: $after) { cursor gap { reason } change { kind } incident { ...Row } }
}${ROW}`;

/** @type {Document<{ systems: System[] | null }>} */
export const SYSTEMS = 'query Systems { systems { name title state reason since lastSeen } }';

/** @type {Document<Resumable & { system: System | null }>} */
export const SYSTEM_CHANGED = `subscription SystemChanged($after: Cursor) {
  systemChanged(after: $after) { cursor gap { reason } change { state } system { name title state reason since lastSeen } }
}`;

/** @type {Document<{ incidentCounts: { state: string, stateLabel: string, count: number }[] | null }>} */
export const COUNTS = 'query Counts { incidentCounts { state stateLabel count } }';
