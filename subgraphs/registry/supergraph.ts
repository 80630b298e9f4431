// The graph of now as gateways take it: by its content, and signed.
import { createPublicKey, type KeyObject, sign } from 'node:crypto';
import { HubError } from '@weft/core/errors';
import { thumbprint } from '@weft/evidence/checkpoint';
import type { PrismaClient } from './generated/client.ts';

/** Signs what gateways are given. */
export interface SupergraphSigner {
  /** JWK thumbprint of the public key (RFC 7638). */
  readonly keyId: string;
  /** Ed25519 (RFC 8032), Base64, over `weft-supergraph-1`, variant, publication and hash, each with a line feed behind it. */
  sign(variant: string, publication: number, hash: string): string;
}

/** @param privateKey Ed25519 */
export function createSupergraphSigner(privateKey: KeyObject): SupergraphSigner {
  return {
    keyId: thumbprint(createPublicKey(privateKey)),
    sign: (variant, publication, hash) =>
      sign(null, Buffer.from(signedText(variant, publication, hash), 'utf8'), privateKey).toString('base64'),
  };
}

/** What a signature is over. */
export function signedText(variant: string, publication: number, hash: string): string {
  return `weft-supergraph-1\n${variant}\n${publication}\n${hash}\n`;
}

export interface SignedSupergraph {
  readonly variant: string;
  readonly publication: number;
  readonly hash: string;
  readonly publishedAt: Date;
  readonly payload: string | null;
  readonly keyId: string;
  readonly signature: string;
}

/**
 * Null before the first publication.
 * @param have the hash that the asker has already: then `payload` is null
 * @throws HubError NOT_FOUND for a variant that there is not, and without a key to sign with
 */
export async function readSignedSupergraph(
  prisma: PrismaClient,
  signer: SupergraphSigner | undefined,
  variant: string,
  have: string | null | undefined,
): Promise<SignedSupergraph | null> {
  if (signer === undefined)
    throw new HubError('NOT_FOUND', 'the registry has no key to sign with: set WEFT_REGISTRY_KEY_FILE');
  const latest = await prisma.publication.findFirst({
    orderBy: { number: 'desc' },
    select: { number: true, at: true, graphs: { where: { variant }, select: { hash: true } } },
  });
  if (latest === null) return null;
  const [graph] = latest.graphs;
  if (graph === undefined)
    throw new HubError('NOT_FOUND', `there is no graph ${JSON.stringify(variant.slice(0, 100))}`, {
      details: { argument: 'variant' },
    });
  const { number: publication, at: publishedAt } = latest;
  const { hash } = graph;
  const payload = hash === have ? null : (await prisma.payload.findUniqueOrThrow({ where: { hash } })).text;
  const signature = signer.sign(variant, publication, hash);
  return { variant, publication, hash, publishedAt, payload, keyId: signer.keyId, signature };
}
