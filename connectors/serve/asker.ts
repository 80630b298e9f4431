// Who asks, of what the gateway has signed.
import { createHash } from 'node:crypto';

/**
 * Equal for two requests only when everything that is said of the asker is equal. Undefined for the anonymous, and for what
 * cannot be read: then nobody is known.
 * @param header the value of `weft-principal`, of a request whose signature was checked
 */
export function askerOf(header: unknown): string | undefined {
  if (typeof header !== 'string') return undefined;
  try {
    const principal: unknown = JSON.parse(Buffer.from(header, 'base64').toString('utf8'));
    const subject = (principal as { subject?: unknown } | null)?.subject;
    if (typeof subject !== 'string' || subject === '') return undefined;
    return createHash('sha256').update(header).digest('hex');
  } catch {
    // Not JSON: what is not understood names nobody.
    return undefined;
  }
}
