// Who acts on the incident library: read from what the gateway signs, never from what a client says.
import { HubError } from '@weft/core/errors';
import { z } from 'zod';

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

/** How somebody stands in steps, when they act by a role; undefined for who is not known by name. */
export function shownName({ name }: Actor, role: string): string | undefined {
  return name !== undefined && PRIVATE_ROLES.has(role) ? REPORTER_NAME : name;
}

const LENGTH_MAX = 16_000;
const PRINCIPAL = z.object({
  subject: z.string().optional(),
  issuer: z.string().optional(),
  roles: z.array(z.string()),
  division: z.string().optional(),
  department: z.string().optional(),
});

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

/** A department's own system, which acts with a handler's authority. @param system its name in the supergraph */
export function systemActor(system: string, department: string): Actor {
  const name = `system:${system}`;
  return { kind: 'system', key: name, name, roles: ['department-handler'], division: undefined, department };
}

/**
 * @param header value of `weft-principal` of a request whose signature holds (ADR 13); undefined: of no such request
 * @throws HubError UNAUTHENTICATED when it is there and cannot be read: to pass it over would take one for another
 */
export function readActor(header: string | undefined, may: AnonymousMay): Actor {
  if (header === undefined) return anonymousActor(may);
  const parsed = PRINCIPAL.safeParse(decode(header));
  if (!parsed.success) throw new HubError('UNAUTHENTICATED', 'weft-principal cannot be read');
  const { subject, issuer, roles, division, department } = parsed.data;
  // The gateway tells of the anonymous and of a group alike without a name; a group has what all its members have.
  if (subject === undefined && roles.length === 0 && division === undefined && department === undefined)
    return anonymousActor(may);
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

function decode(header: string): unknown {
  if (header.length > LENGTH_MAX) return undefined;
  try {
    return JSON.parse(Buffer.from(header, 'base64').toString('utf8'));
  } catch {
    // What is no JSON is no principal: the caller says so.
    return undefined;
  }
}
