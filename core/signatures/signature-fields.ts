// Reads `Signature-Input` and `Signature` of a request that has one signature, in the one way that RFC 9421 serialises them.

export interface SignatureInput {
  readonly label: string;
  /** What is signed, in this order. */
  readonly components: readonly string[];
  /** As received: the value of `@signature-params`. */
  readonly parameters: string;
  readonly created: number;
  readonly nonce: string;
  readonly keyId: string;
}

const FIELD_CHARS_MAX = 2_000;
const NONCE_CHARS_MAX = 64;

/** Components without parameters of their own: none of ours has any. */
const INPUT =
  /^([a-z][a-z0-9_.*-]*)=(\(((?:"[@a-z0-9_.-]+")?(?: "[@a-z0-9_.-]+")*)\)((?:;[a-z]+=(?:\d{1,12}|"[\x20\x21\x23-\x5b\x5d-\x7e]*"))*))$/;
const PARAMETER = /;([a-z]+)=(?:(\d+)|"([^"]*)")/g;
const SIGNATURE = /^([a-z][a-z0-9_.*-]*)=:([A-Za-z0-9+/]+={0,2}):$/;

/** Undefined for what is not a single signature with exactly `created`, `nonce` and `keyid`, in any order. */
export function readSignatureInput(text: string): SignatureInput | undefined {
  const match = text.length > FIELD_CHARS_MAX ? null : INPUT.exec(text);
  if (match === null) return undefined;
  const [, label = '', parameters = '', list = '', tail = ''] = match;
  const components = list === '' ? [] : list.slice(1, -1).split('" "');
  if (new Set(components).size < components.length) return undefined;
  const given = [...tail.matchAll(PARAMETER)];
  const numbers = new Map(
    given.flatMap(([, name, number]) => (number === undefined ? [] : [[name, number]])),
  );
  const texts = new Map(given.flatMap(([, name, , value]) => (value === undefined ? [] : [[name, value]])));
  const created = numbers.get('created');
  const nonce = texts.get('nonce');
  const keyId = texts.get('keyid');
  if (given.length !== 3 || created === undefined || keyId === undefined) return undefined;
  if (nonce === undefined || nonce === '' || nonce.length > NONCE_CHARS_MAX) return undefined;
  return { label, components, parameters, created: Number(created), nonce, keyId };
}

/** The bytes of the one signature, when it has this label. */
export function readSignature(text: string, label: string): Buffer | undefined {
  const match = text.length > FIELD_CHARS_MAX ? null : SIGNATURE.exec(text);
  return match === null || match[1] !== label ? undefined : Buffer.from(match[2] ?? '', 'base64');
}
