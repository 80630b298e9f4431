// A webhook's secret as Standard Webhooks writes it: `whsec_` and 24 to 64 bytes in Base64.
import { createSecretKey, type KeyObject } from 'node:crypto';
import { OperatorError } from '@weft/core/errors';

const SECRET = /^whsec_([A-Za-z0-9+/]+={0,2})$/;
const BYTES_MIN = 24;
const BYTES_MAX = 64;

/**
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 * @throws OperatorError naming the secret, never telling it
 */
export function readSecret(name: string, text: string): KeyObject {
  const bytes = Buffer.from(SECRET.exec(text)?.[1] ?? '', 'base64');
  if (bytes.length >= BYTES_MIN && bytes.length <= BYTES_MAX) return createSecretKey(bytes);
  throw new OperatorError(
    `secret "${name}": expected whsec_ and ${BYTES_MIN} to ${BYTES_MAX} bytes in Base64: printf 'whsec_%s' "$(openssl rand -base64 32)" makes one`,
    { exitCode: 2 },
  );
}
