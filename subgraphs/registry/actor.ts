// Who asks the registry: read from what the gateway signs, never from what a client says.
import { HubError } from '@weft/core/errors';
import { z } from 'zod';

/** Of the registry's own mutations; OAuth 2.0 (RFC 6749, 3.3). */
export type RegistryScope = 'registry:publish' | 'registry:approve';

export const ADMIN_ROLE = 'registry-admin';

export interface Actor {
  /** Issuer and subject: one and the same asker. Undefined for who is not known. */
  readonly key: string | undefined;
  /** As the history has it. */
  readonly name: string;
  readonly isAdmin: boolean;
  readonly scopes: readonly string[];
  readonly department: string | undefined;
}

/** A known one. */
export interface KnownActor extends Actor {
  readonly key: string;
}

/** What the hub registers of its own stands under this name and owner. */
export const HUB_OWNER = 'hub';

/** The hub itself, when it starts. */
export const HUB: KnownActor = Object.freeze({
  key: 'hub',
  name: 'weft up',
  isAdmin: true,
  scopes: Object.freeze([]),
  department: HUB_OWNER,
});

const NOBODY: Actor = Object.freeze({
  key: undefined,
  name: 'nobody',
  isAdmin: false,
  scopes: Object.freeze([]),
  department: undefined,
});

const HEADER_LENGTH_MAX = 16_000;
const PRINCIPAL = z.object({
  subject: z.string().optional(),
  issuer: z.string().optional(),
  roles: z.array(z.string()).default([]),
  scopes: z.array(z.string()).default([]),
  department: z.string().optional(),
});

/**
 * @param header value of `weft-principal` of a request whose signature holds (ADR 13); undefined: of no such request
 * @throws HubError UNAUTHENTICATED when it is there and cannot be read: to pass it over would take one for another
 */
export function readActor(header: string | undefined): Actor {
  if (header === undefined) return NOBODY;
  const parsed = PRINCIPAL.safeParse(decode(header));
  if (!parsed.success) throw new HubError('UNAUTHENTICATED', 'weft-principal cannot be read');
  const { subject, issuer, roles, scopes, department } = parsed.data;
  if (subject === undefined) return NOBODY;
  const key = JSON.stringify([issuer ?? null, subject]);
  return { key, name: subject, isAdmin: roles.includes(ADMIN_ROLE), scopes, department };
}

function decode(header: string): unknown {
  if (header.length > HEADER_LENGTH_MAX) return undefined;
  try {
    return JSON.parse(Buffer.from(header, 'base64').toString('utf8'));
  } catch {
    // What is no JSON is no principal: the caller says so.
    return undefined;
  }
}

/** @throws HubError UNAUTHENTICATED for nobody */
export function requireKnown(actor: Actor): KnownActor {
  const { key } = actor;
  if (key === undefined)
    throw new HubError('UNAUTHENTICATED', 'the registry changes for those alone who give credentials');
  return { ...actor, key };
}

/** Whether it may act on what `owner` has. */
export function mayFor({ isAdmin, scopes, department }: Actor, scope: RegistryScope, owner: string): boolean {
  return isAdmin || (scopes.includes(scope) && department === owner);
}

/** @throws HubError FORBIDDEN naming what is missing */
export function requireMay(actor: Actor, scope: RegistryScope, system: string, owner: string): void {
  if (mayFor(actor, scope, owner)) return;
  const missing = actor.scopes.includes(scope)
    ? `${system} belongs to the department ${owner}`
    : `the scope ${scope} is missing`;
  throw new HubError('FORBIDDEN', `${system}: ${missing}`, { details: { owner, scope } });
}
