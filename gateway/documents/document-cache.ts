// Keeps the documents used last, up to a number of them and of their bytes.
import type { DocumentLimits } from './limits.ts';

export interface DocumentCache {
  get(hash: string): string | undefined;
  set(hash: string, text: string): void;
}

/** A text in memory has up to two bytes a character. */
const BYTES_PER_CHAR = 2;

/** A Map keeps insertion order: reading an entry puts it last, and the first is the one not used for longest. */
export function createDocumentCache(limits: DocumentLimits): DocumentCache {
  const texts = new Map<string, string>();
  let bytes = 0;
  const remove = (hash: string) => {
    bytes -= (texts.get(hash)?.length ?? 0) * BYTES_PER_CHAR;
    texts.delete(hash);
  };
  return {
    get(hash) {
      const text = texts.get(hash);
      if (text === undefined) return undefined;
      texts.delete(hash);
      texts.set(hash, text);
      return text;
    },
    set(hash, text) {
      remove(hash);
      if (text.length > limits.automaticDocumentCharsMax) return;
      texts.set(hash, text);
      bytes += text.length * BYTES_PER_CHAR;
      for (const oldest of texts.keys()) {
        if (texts.size <= limits.automaticEntriesMax && bytes <= limits.automaticBytesMax) break;
        remove(oldest);
      }
    },
  };
}
