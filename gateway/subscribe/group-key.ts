// Who get the same of every event: equal operation, authority, variables and forwarded headers.

import type { EventStreamField, PreparedOperation } from '../engine.ts';
import type { ClientHeaders, ForwardedHeaders } from '../fetch/forwarded-headers.ts';
import { ANONYMOUS, type Principal } from '../identity/principal.ts';

/** Numbers of the operations that somebody subscribed to: equal for one and the same object only. */
const numbers = new WeakMap<PreparedOperation, number>();
let operations = 0;

/** @param shared variables that matter for what comes, coerced where that is known */
export function groupKey(
  operation: PreparedOperation,
  authority: string,
  shared: Readonly<Record<string, unknown>>,
  headers: ForwardedHeaders,
): string {
  const number = numbers.getOrInsertComputed(operation, () => {
    operations += 1;
    return operations;
  });
  // JSON keeps the parts apart.
  return JSON.stringify([number, authority, headers, canonical(shared)]);
}

/** The variables that say what comes, rather than where to begin. */
export function sharedVariables(
  field: Pick<EventStreamField, 'sharedVariables'> | undefined,
  variables: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  return field === undefined ? variables : field.sharedVariables(variables);
}

/**
 * Who a group is to subgraphs: what its members may do, and none of them. Whoever answers by the name of the one who asks
 * cannot answer a group.
 */
export function groupPrincipal(principal: Principal): Principal {
  if (!principal.isAuthenticated) return ANONYMOUS;
  const { roles, scopes, division, department } = principal;
  const authority = JSON.stringify(['group', roles, scopes, division ?? null, department ?? null]);
  return Object.freeze({
    isAuthenticated: true,
    id: authority,
    authority,
    subject: undefined,
    issuer: undefined,
    roles,
    scopes,
    division,
    department,
    expiresAtMs: undefined,
  });
}

/** The picked headers as the engine takes them. */
export function headersOf(picked: ForwardedHeaders): ClientHeaders | undefined {
  if (picked.length === 0) return undefined;
  const headers: Record<string, string> = {};
  for (let index = 0; index < picked.length; index += 2)
    headers[picked[index] ?? ''] = picked[index + 1] ?? '';
  return headers;
}

/** Objects with their keys in order, so that equal values are equal texts. Variables are bounded in depth when they are coerced. */
function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, item]) => [key, canonical(item)] as const);
  return entries.sort(([left], [right]) => (left < right ? -1 : left > right ? 1 : 0));
}
