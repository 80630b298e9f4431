// A graph as the registry signs it: verified by key, hash and form before anything of it is believed.
import { hash, type KeyObject, verify } from 'node:crypto';
import { OperatorError } from '@weft/core/errors';
import { z } from 'zod';
import { type SubscriptionSetting, UPSTREAM_PROTOCOLS } from '../upstream/settings.ts';

const HASH = /^sha256:[0-9a-f]{64}$/;

/** `SignedSupergraph` of docs/registry.md; `payload` is null when the asker has the graph of that hash. */
export const SIGNED_SUPERGRAPH = z.object({
  variant: z.string(),
  publication: z.number().int().min(0),
  hash: z.string().regex(HASH),
  publishedAt: z.iso.datetime({ offset: true }),
  payload: z.string().nullable(),
  keyId: z.string(),
  signature: z.string(),
});

export type SignedSupergraph = z.infer<typeof SIGNED_SUPERGRAPH>;

const PAYLOAD = z.object({
  supergraphSdl: z.string().min(1),
  subgraphs: z.array(
    z.object({
      name: z.string().min(1),
      url: z.string().min(1),
      subscriptions: z
        .object({ url: z.string().optional(), protocol: z.enum(UPSTREAM_PROTOCOLS).optional() })
        .nullish(),
    }),
  ),
});

/** What of a payload a gateway serves. */
export interface GraphPayload {
  readonly supergraphSdl: string;
  readonly subgraphUrls: Readonly<Record<string, string>>;
  readonly subscriptions: Readonly<Record<string, SubscriptionSetting>>;
}

/** The text that is signed: nothing of it can be taken for that of another variant or publication. */
export function signedText({ variant, publication, hash }: Omit<SignedSupergraph, 'payload'>): string {
  return `weft-supergraph-1\n${variant}\n${publication}\n${hash}\n`;
}

const SIGNATURE = /^[A-Za-z0-9+/]{86}==$/;

/**
 * By any of the keys: which one it says that it is of is not believed either.
 * @throws OperatorError saying what does not hold
 */
export function verifySignature(
  signed: SignedSupergraph,
  variant: string,
  publicKeys: readonly KeyObject[],
): void {
  if (signed.variant !== variant)
    throw new OperatorError(`it is the graph variant ${JSON.stringify(signed.variant)}, not ${variant}`);
  const text = Buffer.from(signedText(signed));
  const isOf = (key: KeyObject) => verify(null, text, key, Buffer.from(signed.signature, 'base64'));
  if (!SIGNATURE.test(signed.signature) || !publicKeys.some(isOf))
    throw new OperatorError('its signature is of none of the keys in WEFT_REGISTRY_PUBLIC_KEYS_FILE');
}

/**
 * What the signed hash stands for.
 * @throws OperatorError when the text is another, or is not of the form
 */
export function readPayload(payload: string, signedHash: string): GraphPayload {
  if (`sha256:${hash('sha256', payload)}` !== signedHash)
    throw new OperatorError('its payload does not have the hash that is signed');
  const parsed = PAYLOAD.safeParse(parseJson(payload));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new OperatorError(`its payload has another form: ${issue?.path.join('.')}: ${issue?.message}`);
  }
  const { supergraphSdl, subgraphs } = parsed.data;
  const live = subgraphs.flatMap(({ name, subscriptions }) =>
    subscriptions === null || subscriptions === undefined ? [] : [[name, subscriptions] as const],
  );
  return {
    supergraphSdl,
    subgraphUrls: Object.fromEntries(subgraphs.map(({ name, url }) => [name, url])),
    subscriptions: Object.fromEntries(live),
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // No form is of undefined: the caller says so.
    return undefined;
  }
}
