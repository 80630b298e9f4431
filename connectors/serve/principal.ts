// Who asks, as the gateway says it in the header that its signature covers.
import { z } from 'zod';

const PRINCIPAL = z.object({ subject: z.string().nullish(), issuer: z.string().nullish() });

/**
 * The asker's name, the same for the same one: the issuer and subject of the credentials as JSON.
 * @param header of `weft-principal`: JSON in base64; what cannot be read counts as nobody
 * @returns empty for the anonymous
 */
export function principalOf(header: string | readonly string[] | undefined): string {
  if (typeof header !== 'string') return '';
  const parsed = PRINCIPAL.safeParse(parseJson(Buffer.from(header, 'base64').toString('utf8')));
  const { subject, issuer } = parsed.data ?? {};
  return subject === undefined || subject === null ? '' : JSON.stringify([issuer ?? null, subject]);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // A header that is no JSON names nobody.
    return undefined;
  }
}
