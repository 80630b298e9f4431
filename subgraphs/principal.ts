// Who asks, as the gateway signs it for a subgraph (ADR 13): read here alone.
import { HubError } from '@weft/core/errors';
import { z } from 'zod';

/** Somebody known by credentials, or a group of live subscribers: then without subject. */
export interface Principal {
  readonly subject?: string | undefined;
  readonly issuer?: string | undefined;
  readonly roles: readonly string[];
  readonly division?: string | undefined;
  readonly department?: string | undefined;
}

const LENGTH_MAX = 16_000;
const PRINCIPAL = z.object({
  subject: z.string().optional(),
  issuer: z.string().optional(),
  roles: z.array(z.string()),
  division: z.string().optional(),
  department: z.string().optional(),
});

/**
 * @param header value of `weft-principal` of a request whose signature holds; undefined: of no such request
 * @returns undefined for the anonymous
 * @throws HubError UNAUTHENTICATED when it is there and cannot be read: to pass it over would take one for another
 */
export function readPrincipal(header: string | undefined): Principal | undefined {
  if (header === undefined) return undefined;
  const parsed = PRINCIPAL.safeParse(decode(header));
  if (!parsed.success) throw new HubError('UNAUTHENTICATED', 'weft-principal cannot be read');
  const { subject, roles, division, department } = parsed.data;
  // The gateway tells of the anonymous and of a group alike without a name; a group has what all its members have.
  const isNobody =
    subject === undefined && roles.length === 0 && division === undefined && department === undefined;
  return isNobody ? undefined : parsed.data;
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
