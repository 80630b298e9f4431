// Every bound of attachments, by name, and what an operator may set.

/** What an operator decides. */
export interface AttachmentSettings {
  /** Where the bytes are kept; every process that serves the incident library must have the same one. */
  readonly folder: string;
  /** Of one. */
  readonly bytesMax: number;
  /** After so long what no incident refers to is deleted. */
  readonly unreferencedMs: number;
  /** Of what one principal has uploaded and no incident refers to. */
  readonly pendingBytesMax: number;
}

export const ATTACHMENT_SETTINGS: Omit<AttachmentSettings, 'folder'> = Object.freeze({
  bytesMax: 50_000_000,
  unreferencedMs: 86_400_000,
  pendingBytesMax: 200_000_000,
});

/** The most that may be set for one; also what the column of sizes holds. */
export const BYTES_MAX_MAX = 2_000_000_000;

/** Uploads of one principal that no incident refers to. */
export const PENDING_FILES_MAX = 50;
/** Uploads that a process takes at once, and those of one principal among them; the next is answered 429. */
export const UPLOADS_MAX = 32;
export const UPLOADS_PER_UPLOADER_MAX = 4;
/** Without a byte for so long an upload has ended. */
export const UPLOAD_IDLE_MS = 20_000;
/** From its first byte to its last. */
export const UPLOAD_MS = 600_000;
/** A download of which nothing is taken for so long has ended. */
export const DOWNLOAD_IDLE_MS = 30_000;
/** Of one step. */
export const ATTACHMENTS_PER_STEP_MAX = 9;
/** Of one incident, those that merging brought among them. */
export const ATTACHMENTS_PER_INCIDENT_MAX = 200;
/** Characters. */
export const NAME_CHARS_MAX = 100;
