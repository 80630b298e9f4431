// How the reference engine reaches a subgraph: as @apollo/gateway does, signed where a key is for the subgraph.
import { RemoteGraphQLDataSource } from '@apollo/gateway';
import type { SubgraphKey } from '@weft/core/signatures/keys';
import { createRequestSigner } from '@weft/core/signatures/sign';
import { keyFor, principalHeader, REQUEST_TYPE } from '../fetch/signing.ts';

export function createDataSource(
  name: string,
  address: string,
  keys: readonly SubgraphKey[] | undefined,
): RemoteGraphQLDataSource {
  const source = new RemoteGraphQLDataSource({ url: address });
  const key = keyFor(name, keys);
  if (key === undefined) return source;
  const { host, pathname, search } = new URL(address);
  const place = { authority: host, target: `${pathname}${search}`, contentType: REQUEST_TYPE };
  const signer = createRequestSigner({ key, method: 'POST', ...place });
  const send = source.fetcher;
  source.fetcher = (url, init) => {
    const signed = signer.sign(String(init?.body ?? ''), principalHeader());
    const added = Object.fromEntries(
      signed.flatMap((header, index) => (index % 2 === 0 ? [[header, signed[index + 1] ?? '']] : [])),
    );
    return send(url, { ...init, headers: { ...init?.headers, 'content-type': REQUEST_TYPE, ...added } });
  };
  return source;
}
