// One condition that a supergraph puts on who may see something, and whether a principal meets it.
import type { Principal } from '../identity/principal.ts';

/** Sets of names of which one must be met whole. */
export type AnyOf = readonly (readonly string[])[];

/** `@authenticated`, `@requiresScopes`, `@policy` (https://specs.apollo.dev/authenticated/v0.1 and its siblings). */
export type Requirement =
  | { readonly kind: 'authenticated' }
  | { readonly kind: 'scopes'; readonly anyOf: AnyOf }
  | { readonly kind: 'policies'; readonly anyOf: AnyOf };

/** Who meets a policy: one who has one of the roles, if any are named, and all of the scopes. */
export interface Policy {
  readonly name: string;
  readonly roles: readonly string[];
  readonly scopes: readonly string[];
}

/** By name; a policy that is not here is met by nobody. */
export type Policies = ReadonlyMap<string, Policy>;

export function isMet(requirement: Requirement, principal: Principal, policies: Policies): boolean {
  if (!principal.isAuthenticated) return false;
  switch (requirement.kind) {
    case 'authenticated':
      return true;
    case 'scopes':
      return requirement.anyOf.some((all) => all.every((scope) => principal.scopes.includes(scope)));
    case 'policies':
      return requirement.anyOf.some((all) => all.every((name) => meetsPolicy(policies.get(name), principal)));
    default:
      return requirement satisfies never;
  }
}

function meetsPolicy(policy: Policy | undefined, { roles, scopes }: Principal): boolean {
  if (policy === undefined) return false;
  const hasRole = policy.roles.length === 0 || policy.roles.some((role) => roles.includes(role));
  return hasRole && policy.scopes.every((scope) => scopes.includes(scope));
}
