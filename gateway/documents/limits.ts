// Every bound of stored documents, by name.

export interface DocumentLimits {
  /** Documents that clients stored; the one not used for longest goes first. */
  readonly automaticEntriesMax: number;
  /** Bytes of them all, as they lie in memory. */
  readonly automaticBytesMax: number;
  /** Characters of one; a longer one is run if it may be, and not kept. */
  readonly automaticDocumentCharsMax: number;
}

export const DOCUMENT_LIMITS: DocumentLimits = Object.freeze({
  automaticEntriesMax: 10_000,
  automaticBytesMax: 20_000_000,
  automaticDocumentCharsMax: 50_000,
});
