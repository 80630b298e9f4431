// Signs what goes to a subgraph, and tells it who asks.
import type { SubgraphKey } from '@weft/core/signatures/keys';
import { createRequestSigner } from '@weft/core/signatures/sign';
import { ANONYMOUS, type Principal } from '../identity/principal.ts';

/** Of every request to a subgraph. */
export const REQUEST_TYPE = 'application/json';

export interface SubgraphSigner {
  /**
   * Headers, names and values in turn, for one sending of the request: a retry needs others.
   * @param principal undefined: the anonymous
   */
  sign(body: Buffer, principal: Principal | undefined): readonly string[];
}

/** Undefined when no key is for the subgraph. */
export function createSubgraphSigner(
  system: string,
  { host, pathname, search }: URL,
  keys: readonly SubgraphKey[] | undefined,
): SubgraphSigner | undefined {
  const key = keyFor(system, keys);
  if (key === undefined) return undefined;
  const target = `${pathname}${search}`;
  const place = { method: 'POST', authority: host, target, contentType: REQUEST_TYPE };
  const signer = createRequestSigner({ key, ...place });
  return { sign: (body, principal) => signer.sign(body, principalHeader(principal)) };
}

/** The first key that is for a subgraph. */
export function keyFor(system: string, keys: readonly SubgraphKey[] | undefined): SubgraphKey | undefined {
  return keys?.find(({ subgraphs }) => subgraphs === undefined || subgraphs.includes(system));
}

/** A principal asks many times, and each time of several subgraphs. */
const encoded = new WeakMap<Principal, string>();

/** The value of `weft-principal`; undefined stands for the anonymous. */
export function principalHeader(principal: Principal = ANONYMOUS): string {
  const known = encoded.get(principal);
  if (known !== undefined) return known;
  const { subject, issuer, roles, scopes, division, department } = principal;
  const text = JSON.stringify({ subject, issuer, roles, scopes, division, department });
  const header = Buffer.from(text).toString('base64');
  encoded.set(principal, header);
  return header;
}
