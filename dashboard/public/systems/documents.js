// The GraphQL documents of the registry's page: all that it asks of the graph.

/**
 * @typedef {{ state: string, instance: string, seenAt: string, expiresAt: string }} Lease
 * @typedef {{ id: string, number: number, commit: string | null, pushedAt: string }} Version
 * @typedef {{ name: string, title: string, state: string, reason: string | null, lastSeen: string | null, owner: string | null,
 *   version: Version | null, lease: Lease | null, quarantine: { mode: string, reason: string, since: string } | null,
 *   drift: { since: string } | null,
 *   latency: { p50Ms: number | null, p99Ms: number | null } | null, errorRate: number | null,
 *   contracts?: Contract[] | null }} RegisteredSystem
 * @typedef {{ source: string, drift: { verdict: string, changes: string[], changeCount: number, checkedAt: string } | null }} Contract
 * @typedef {{ source: string, protocol: string, ratePerSecond: number | null, burst: number | null, concurrency: number,
 *   quietHours: string[], isQuiet: boolean, breaker: string, callsLastMinute: number, lastFailureCode: string | null }} Budget
 * @typedef {Version & { url: string | null, pushedBy: string | null, approvals: { by: string, at: string, remark: string | null }[] | null }} FullVersion
 * @typedef {{ name: string, title: string, contact: string | null, dataSharingBasis: string | null, requiresApproval: boolean | null,
 *   registeredAt: string | null, version: { id: string } | null, drift: { since: string, differences: string[] } | null, versions: FullVersion[] | null, budgets: Budget[] | null,
 *   contracts: Contract[] | null }} SystemDetail
 * @typedef {{ system: string, before: { number: number } | null, after: { number: number } | null }} MemberChange
 * @typedef {{ number: number, kind: string, at: string, by: string, reason: string | null, rolledBackTo: number | null,
 *   difference: MemberChange[] | null }} Publication
 * @typedef {{ at: string, by: string, action: string, systems: string[], reason: string | null, outcome: string, detail: string | null }} AuditEntry
 * @typedef {{ hash: string, name: string, clientName: string, clientVersion: string, count: number, errors: number, lastSeen: string }} OperationUse
 */

/**
 * @template Data
 * @typedef {import('../live/documents.js').Document<Data>} Document
 */

const SYSTEM = `
fragment Registered on System {
  name title state reason lastSeen owner
  version { id number commit pushedAt }
  lease { state instance seenAt expiresAt }
  quarantine { mode reason since }
  drift { since }
  latency { p50Ms p99Ms }
  errorRate
}`;

/** What everybody may see. @type {Document<{ systems: RegisteredSystem[] | null }>} */
export const REGISTERED = `query RegisteredSystems { systems(first: 500) { ...Registered } }${SYSTEM}`;

/** With what needs `connectors:read`. @type {Document<{ systems: RegisteredSystem[] | null }>} */
export const REGISTERED_WITH_CONTRACTS = `query RegisteredSystemsAndContracts {
  systems(first: 500) { ...Registered contracts { source drift { verdict changes changeCount checkedAt } } }
}${SYSTEM}`;

/** @type {Document<{ departments: { code: string, name: string }[] | null }>} */
export const DEPARTMENTS = 'query DepartmentNames { departments { code name } }';

/** @type {Document<import('../live/documents.js').Resumable & { system: { name: string } | null }>} */
export const SYSTEM_SIGNS = `subscription SystemSigns($after: Cursor) {
  systemChanged(after: $after) { cursor gap { reason } change { state } system { name } }
}`;

/** @type {Document<{ system: SystemDetail | null }>} */
export const DETAIL = `query SystemDetail($name: ID!) {
  system(name: $name) {
    name title contact dataSharingBasis requiresApproval registeredAt
    version { id }
    drift { since differences }
    versions(first: 20) { id number commit pushedAt url pushedBy approvals { by at remark } }
    budgets { source protocol ratePerSecond burst concurrency quietHours isQuiet breaker callsLastMinute lastFailureCode }
    contracts { source drift { verdict changes changeCount checkedAt } }
  }
}`;

/** @type {Document<{ publications: Publication[] | null }>} */
export const PUBLICATIONS = `query Publications {
  publications(first: 20) {
    number kind at by reason rolledBackTo
    difference { system before { number } after { number } }
  }
}`;

/** @type {Document<{ registryAudit: AuditEntry[] | null }>} */
export const AUDIT =
  'query RegistryAudit { registryAudit(first: 50) { at by action systems reason outcome detail } }';

/** @type {Document<{ usage: OperationUse[] | null }>} */
export const USAGE = `query Usage($coordinate: String!) {
  usage(coordinate: $coordinate) { hash name clientName clientVersion count errors lastSeen }
}`;
