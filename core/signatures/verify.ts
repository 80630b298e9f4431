// Decides whether a request was signed by who has one of the keys, not long ago, and for the first time.
import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { SubgraphKey } from './keys.ts';
import { createSeenNonces } from './seen-nonces.ts';
import { COVERED_COMPONENTS, contentDigest, createHmacKey, hmac } from './sign.ts';
import { createSignatureBase, type SignableMessage } from './signature-base.ts';
import { readSignature, readSignatureInput, type SignatureInput } from './signature-fields.ts';

export interface SignatureLimits {
  /** That `created` may be in the past or in the future. */
  readonly createdSecondsMax: number;
  /** Nonces that are remembered. */
  readonly noncesMax: number;
}

export const SIGNATURE_LIMITS: SignatureLimits = Object.freeze({
  createdSecondsMax: 60,
  noncesMax: 200_000,
});

/** Why a request is refused, for the log: who sent it is told only that it is. */
export type Refusal =
  | 'it is not signed'
  | 'its signature is not readable'
  | 'a signed header is there more than once'
  | 'its signature does not cover what it must'
  | 'its key is not known'
  | 'it was created too long ago, or in the future: compare the clocks'
  | 'its signature is wrong'
  | 'its nonce was used before';

export interface RequestVerifier {
  /** Undefined: it is genuine, and its body is when `isBodyOf` says so. Its nonce is used up. */
  refuse(message: SignableMessage): Refusal | undefined;
}

export interface VerifierOptions {
  readonly keys: readonly SubgraphKey[];
  readonly limits?: Partial<SignatureLimits>;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

export function createRequestVerifier({
  keys,
  limits: given,
  now = Date.now,
}: VerifierOptions): RequestVerifier {
  const limits = { ...SIGNATURE_LIMITS, ...given };
  const secrets = new Map(keys.map((key) => [key.id, createHmacKey(key)]));
  const nonces = createSeenNonces(limits.createdSecondsMax, limits.noncesMax);
  return {
    refuse(message) {
      const read = readSigned(message);
      if (typeof read === 'string') return read;
      const { input, signature } = read;
      const secret = secrets.get(input.keyId);
      if (secret === undefined) return 'its key is not known';
      const nowSeconds = Math.floor(now() / 1_000);
      if (Math.abs(nowSeconds - input.created) > limits.createdSecondsMax)
        return 'it was created too long ago, or in the future: compare the clocks';
      const base = createSignatureBase(input.components, message, input.parameters);
      if (base === undefined) return 'its signature does not cover what it must';
      const expected = hmac(secret, base);
      if (signature.length !== expected.length || !timingSafeEqual(signature, expected))
        return 'its signature is wrong';
      // Last, so that only who has a key can fill the memory of nonces.
      return nonces.use(input.nonce, input.created, nowSeconds) ? undefined : 'its nonce was used before';
    },
  };
}

interface Signed {
  readonly input: SignatureInput;
  readonly signature: Buffer;
}

function readSigned(message: SignableMessage): Signed | Refusal {
  const [inputText, ...otherInputs] = message.fields('signature-input');
  const [signatureText, ...otherSignatures] = message.fields('signature');
  if (inputText === undefined || signatureText === undefined) return 'it is not signed';
  if (otherInputs.length + otherSignatures.length > 0) return 'a signed header is there more than once';
  const input = readSignatureInput(inputText);
  const signature = input === undefined ? undefined : readSignature(signatureText, input.label);
  if (input === undefined || signature === undefined) return 'its signature is not readable';
  if (!COVERED_COMPONENTS.every((name) => input.components.includes(name)))
    return 'its signature does not cover what it must';
  const isRepeated = [...input.components, 'host'].some((name) => message.fields(name).length > 1);
  return isRepeated ? 'a signed header is there more than once' : { input, signature };
}

/** Whether the body is the one whose digest was signed. */
export function isBodyOf(message: Pick<SignableMessage, 'fields'>, body: Buffer): boolean {
  return message.fields('content-digest')[0] === contentDigest(body);
}

/** A request as Node's server has it, with every header as often as it came. */
export function signableMessage(request: IncomingMessage): SignableMessage {
  const { headersDistinct } = request;
  return {
    method: request.method ?? '',
    authority: request.headers.host ?? '',
    target: request.url ?? '',
    fields: (name) => (Object.hasOwn(headersDistinct, name) ? (headersDistinct[name] ?? []) : []),
  };
}
