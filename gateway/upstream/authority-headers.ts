// The headers by which a subgraph knows the gateway, and for whom it is asked: those of a signed request.
import type { SubgraphKey } from '@weft/core/signatures/keys';
import { createRequestSigner, type RequestSigner } from '@weft/core/signatures/sign';
import { keyFor, REQUEST_TYPE } from '../fetch/signing.ts';
import type { GroupAuthority } from './channel.ts';

/** Names and values in turn, for one sending; none where no key is for the subgraph. */
export type SignUpstream = (body: string, authority: GroupAuthority) => readonly string[];

const UNSIGNED: readonly string[] = [];

/**
 * @param method `GET` for the upgrade to a WebSocket, whose body is empty, or `POST`
 * @param url ws, wss, http or https
 */
export function createUpstreamSigner(
  system: string,
  method: 'GET' | 'POST',
  url: URL,
  keys: readonly SubgraphKey[] | undefined,
): SignUpstream {
  const key = keyFor(system, keys);
  if (key === undefined) return () => UNSIGNED;
  const target = `${url.pathname}${url.search}`;
  const place = { method, authority: url.host, target, contentType: REQUEST_TYPE };
  const signer: RequestSigner = createRequestSigner({ key, ...place });
  return (body, authority) => signer.sign(body, authorityHeader(authority));
}

/** The value of `weft-principal` that names nobody. */
function authorityHeader({ roles, scopes }: GroupAuthority): string {
  return Buffer.from(JSON.stringify({ roles, scopes })).toString('base64');
}

/** Pairs in turn as an object. */
export function headersFrom(pairs: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = {};
  for (let index = 0; index + 1 < pairs.length; index += 2)
    headers[pairs[index] as string] = pairs[index + 1] as string;
  return headers;
}
