// HMAC-SHA256 (RFC 2104) of many short texts that begin alike, in two one-shot hashes over memory that is there already.
import { hash } from 'node:crypto';
import type { SubgraphKey } from './keys.ts';

const BLOCK_BYTES = 64;
const HASH_BYTES = 32;
const INNER_PAD = 0x36;
const OUTER_PAD = 0x5c;
/** Of a text behind what all begin with; memory grows when one is longer. */
const TEXT_BYTES = 2_048;
/** Of a UTF-16 code unit in UTF-8. */
const BYTES_PER_UNIT_MAX = 3;

/**
 * A third of what `createHmac` takes, which makes an object outside of the heap for each text.
 * @param prefix what every text begins with
 * @returns from the rest of a text to the code in Base64
 */
export function createPrefixedHmac(
  { secret }: Pick<SubgraphKey, 'secret'>,
  prefix: string,
): (rest: string) => string {
  const key = blockOf(secret);
  const outer = Buffer.alloc(BLOCK_BYTES + HASH_BYTES);
  outer.set(key.map((byte) => byte ^ OUTER_PAD));
  const head = Buffer.concat([key.map((byte) => byte ^ INNER_PAD), Buffer.from(prefix)]);
  let inner = Buffer.concat([head], head.length + TEXT_BYTES);
  return (rest) => {
    const bytesMax = head.length + rest.length * BYTES_PER_UNIT_MAX;
    if (bytesMax > inner.length) inner = Buffer.concat([head], bytesMax);
    const end = head.length + inner.write(rest, head.length, 'utf8');
    outer.write(hash('sha256', inner.subarray(0, end), 'latin1'), BLOCK_BYTES, 'latin1');
    return hash('sha256', outer, 'base64');
  };
}

/** https://www.rfc-editor.org/rfc/rfc2104#section-2: a key that is longer than a block is hashed, and filled up with zeros. */
function blockOf(secret: string): Buffer {
  const bytes = Buffer.from(secret);
  const key = bytes.length > BLOCK_BYTES ? hash('sha256', bytes, 'buffer') : bytes;
  return Buffer.concat([key], BLOCK_BYTES);
}
