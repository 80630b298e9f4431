// The GraphQL documents of the overview, and what they bring.

/**
 * @typedef {import('./documents.js').Resumable} Resumable
 * @typedef {{ system: { name: string, title: string, state: string } | null, open: number | null, age: number | null, state: string, reason: string | null }} SystemCount
 *   age: seconds since the system was asked
 * @typedef {{ department: { code: string, name: string | null } | null, open: number, overdue: number }} DepartmentCount
 * @typedef {{ at: string, open: number, overdue: number, reportedLastHour: number,
 *   states: { state: string, stateLabel: string, count: number }[], departments: DepartmentCount[], systems: SystemCount[] | null }} Overview
 */

const FIELDS = `
fragment Whole on IncidentOverview {
  at open overdue reportedLastHour
  states { state stateLabel count }
  departments { department { code name } open overdue }
  systems { system { name title state } open age state reason }
}`;

/** @type {import('./documents.js').Document<{ overview: Overview | null }>} */
export const OVERVIEW = `query Overview { overview { ...Whole } }${FIELDS}`;

/** @type {import('./documents.js').Document<Resumable & { overview: Overview | null }>} */
export const OVERVIEW_CHANGED = `subscription OverviewChanged($after: Cursor) {
  overviewChanged(after: $after) { cursor gap { reason } overview { ...Whole } }
}${FIELDS}`;
