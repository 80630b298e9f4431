// The id of an attachment, which is the hash of its bytes.

const PREFIX = 'sha256:';
const ID = /^sha256:([0-9a-f]{64})$/;

/** `sha256:<64 hex digits>`. */
export function attachmentId(sha256: string): string {
  return `${PREFIX}${sha256}`;
}

/** The hash in hex; undefined for what is no id, however it is written otherwise. */
export function readAttachmentId(id: string): string | undefined {
  return ID.exec(id)?.[1];
}
