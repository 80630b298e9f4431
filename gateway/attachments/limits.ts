// Every bound of attachments at the gateway's door, by name.

export interface AttachmentLimits {
  /** Bytes of one; the incident library has a limit of its own. */
  readonly bytesMax: number;
  /** Uploads that a gateway takes at once; the next is answered 429. */
  readonly uploadsMax: number;
  /** Downloads that it serves at once; likewise. */
  readonly downloadsMax: number;
  /** Without a byte for so long an upload has ended. */
  readonly uploadIdleMs: number;
  /** From its first byte to its last: longer than what any other request may take. */
  readonly uploadMs: number;
  /** A download of which the client takes nothing for so long has ended. */
  readonly downloadIdleMs: number;
  /** Until the incident library begins its answer. */
  readonly answerMs: number;
  /** What still comes of an upload that is answered already is read for so long, so that its sender reads the answer. */
  readonly lingerMs: number;
}

/** Times are shorter than those of the incident library, so that the client learns why. */
export const ATTACHMENT_LIMITS: AttachmentLimits = Object.freeze({
  bytesMax: 50_000_000,
  uploadsMax: 64,
  downloadsMax: 256,
  uploadIdleMs: 15_000,
  uploadMs: 300_000,
  downloadIdleMs: 30_000,
  answerMs: 15_000,
  lingerMs: 5_000,
});

/** Of an error that the incident library answers with. */
export const ERROR_BYTES_MAX = 16_384;
