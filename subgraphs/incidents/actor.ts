// Who acts on the incident library: read from what the gateway signs, never from what a client says.
import { readPrincipal } from '../principal.ts';

/** What those may do who give no credentials: `demo` as docs/incidents.md says, or `nothing`. */
export type AnonymousMay = 'demo' | 'nothing';

/** Somebody known by credentials, a system of a department, or nobody. */
export interface Actor {
  readonly kind: 'principal' | 'system' | 'anonymous';
  /** One and the same asker: what makes a report one's own. Undefined for the anonymous and for a group of live subscribers. */
  readonly key: string | undefined;
  /** As it stands in steps; undefined for who is not known by name. */
  readonly name: string | undefined;
  readonly roles: readonly string[];
  readonly division: string | undefined;
  readonly department: string | undefined;
}

/** What those are called in steps whose name is nobody else's business. */
const REPORTER_NAME = '上报人';
/** Of whom neither name nor id stands where others read. */
export const PRIVATE_ROLES: ReadonlySet<string> = new Set(['citizen', 'public', 'party-member', 'volunteer']);

/** Whether what was said at a step are a reporter's words: they may hold personal information, whoever has written them down. */
export function isReportersWord(kind: string, role: string | null | undefined): boolean {
  return kind === 'EVALUATED' || (typeof role === 'string' && PRIVATE_ROLES.has(role));
}

/** How somebody stands in steps, when they act by a role; undefined for who is not known by name. */
export function shownName({ name }: Actor, role: string): string | undefined {
  return name !== undefined && PRIVATE_ROLES.has(role) ? REPORTER_NAME : name;
}

/** The role of who gives no credentials, where they may do something. */
export const ANONYMOUS_ROLE = 'anonymous';

/** Nobody is known; with `demo` they have the role `anonymous`. */
export function anonymousActor(may: AnonymousMay): Actor {
  const roles = may === 'demo' ? [ANONYMOUS_ROLE] : [];
  return {
    kind: 'anonymous',
    key: undefined,
    name: undefined,
    roles,
    division: undefined,
    department: undefined,
  };
}

/** Before the name of a system that acts, in steps. */
export const SYSTEM_PREFIX = 'system:';

/** A department's own system, which acts with a handler's authority. @param system its name in the supergraph */
export function systemActor(system: string, department: string): Actor {
  const name = `${SYSTEM_PREFIX}${system}`;
  return { kind: 'system', key: name, name, roles: ['department-handler'], division: undefined, department };
}

/**
 * @param header value of `weft-principal` of a request whose signature holds (ADR 13); undefined: of no such request
 * @throws HubError UNAUTHENTICATED when it is there and cannot be read: to pass it over would take one for another
 */
export function readActor(header: string | undefined, may: AnonymousMay): Actor {
  const principal = readPrincipal(header);
  if (principal === undefined) return anonymousActor(may);
  const { subject, issuer, roles, division, department } = principal;
  const key = subject === undefined ? undefined : JSON.stringify([issuer ?? null, subject]);
  return {
    kind: 'principal',
    key,
    name: subject,
    roles: roles.filter((role) => role !== ANONYMOUS_ROLE),
    division,
    department,
  };
}
