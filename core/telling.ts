// How a reader asks to be told, beside an answer, how old its parts are and where they came from.

/** The header of a request, of a client's to the gateway and of the gateway's to a subgraph: `freshness`, `provenance`, or both with a comma between. */
export const TELL_HEADER = 'x-weft-tell';

/** What is stale is told in any case. */
export interface Telling {
  readonly freshness: boolean;
  readonly provenance: boolean;
}

/** Parts of one answer that are told: so many that are stale, and as many others. */
export const TOLD_MAX = 1_000;

const HEADER_CHARS_MAX = 100;
/** And nothing, as behind a last comma. */
const TOLD_WORDS: ReadonlySet<string> = new Set(['freshness', 'provenance', '']);

/** What a header asks for; anything else than the two words asks for nothing: `whyNoTelling` says so to a client. */
export function readTelling(header: unknown): Telling {
  const text = typeof header === 'string' && header.length <= HEADER_CHARS_MAX ? header : '';
  const words = text.split(',').map((word) => word.trim().toLowerCase());
  return { freshness: words.includes('freshness'), provenance: words.includes('provenance') };
}

/** What is wrong with a header, to be told to who sent it; undefined for nothing. */
export function whyNoTelling(header: unknown): string | undefined {
  if (header === undefined) return undefined;
  const text = typeof header === 'string' ? header : '';
  const words = text.split(',').map((word) => word.trim().toLowerCase());
  const isKnown = words.every((word) => TOLD_WORDS.has(word));
  if (isKnown && text.length <= HEADER_CHARS_MAX) return undefined;
  return `${TELL_HEADER}: expected freshness, provenance, or both with a comma between.`;
}

/** The header that asks for it; undefined for nothing. */
export function tellHeader({ freshness, provenance }: Telling): string | undefined {
  const words = [...(freshness ? ['freshness'] : []), ...(provenance ? ['provenance'] : [])];
  return words.length === 0 ? undefined : words.join(', ');
}
