// Which media types are taken, and which one some bytes are: their signature decides, never what the sender says.
import type { FileHandle } from 'node:fs/promises';
import { fileTypeFromBuffer } from 'file-type';
import { readOfficeType } from './office-file.ts';
import { damaged, unsupported } from './refusal.ts';

/** Media type to the ending of a file's name. */
export const MEDIA_TYPES = {
  'image/jpeg': 'jpg',
  'image/png': 'png',
  'image/webp': 'webp',
  'image/heic': 'heic',
  'video/mp4': 'mp4',
  'application/pdf': 'pdf',
  'text/plain': 'txt',
  'application/vnd.openxmlformats-officedocument.wordprocessingml.document': 'docx',
  'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet': 'xlsx',
} as const;

export type MediaType = keyof typeof MEDIA_TYPES;

/** What `file-type` calls by another name: an animation in PNG, Apple's video in the container of MP4, HEIC of several pictures. */
const SAME_AS: Readonly<Record<string, MediaType>> = {
  'image/apng': 'image/png',
  'video/x-m4v': 'video/mp4',
  'image/heic-sequence': 'image/heic',
};

/** Bytes of the beginning that a signature is looked for in: `reasonableDetectionSizeInBytes` of file-type. */
const HEAD_BYTES = 4_100;
/** In hex: the local file header of ZIP, the end of an archive without files, the mark of one in parts. */
const ZIP_SIGNATURES: ReadonlySet<string> = new Set(['504b0304', '504b0506', '504b0708']);

/** Looks at bytes as they pass. */
export interface TypeWatch {
  push(chunk: Buffer): void;
  /**
   * When all have passed.
   * @param file what was written of them
   * @param size bytes
   * @throws AttachmentRefusal 415 for a type that is not taken, 422 for one that is and is damaged
   */
  conclude(file: FileHandle, size: number): Promise<MediaType>;
}

export function watchType(): TypeWatch {
  let head = Buffer.alloc(0);
  const text = watchText();
  return {
    push(chunk) {
      if (head.length < HEAD_BYTES) head = Buffer.concat([head, chunk.subarray(0, HEAD_BYTES - head.length)]);
      text.push(chunk);
    },
    async conclude(file, size) {
      if (size === 0) throw damaged('expected bytes: there are none');
      // Not by file-type, which inflates a part of the archive to know what it is.
      if (ZIP_SIGNATURES.has(head.toString('hex', 0, 4))) return await readOfficeType(file, size);
      const found = await fileTypeFromBuffer(head);
      if (found === undefined) {
        if (text.isText() && !isMarkup(head)) return 'text/plain';
        throw unsupported();
      }
      const type = SAME_AS[found.mime] ?? found.mime;
      if (Object.hasOwn(MEDIA_TYPES, type) && type !== 'text/plain') return type as MediaType;
      throw unsupported();
    },
  };
}

/** What a browser that guesses would take for HTML, SVG or XML: https://mimesniff.spec.whatwg.org/#identifying-a-resource-with-an-unknown-mime-type */
function isMarkup(head: Buffer): boolean {
  return head
    .toString('utf8')
    .replace(/^\uFEFF/, '')
    .trimStart()
    .startsWith('<');
}

/** Characters that no plain text has: those of C0 but tab, line feed, form feed and carriage return; and DEL. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
const NO_TEXT = /[\x00-\x08\x0b\x0e-\x1f\x7f]/;

function watchText(): { push(chunk: Buffer): void; isText(): boolean } {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let holds = true;
  const take = (decode: () => string) => {
    if (!holds) return;
    try {
      holds = !NO_TEXT.test(decode());
    } catch {
      // Not UTF-8: that is the answer.
      holds = false;
    }
  };
  return {
    push: (chunk) => take(() => decoder.decode(chunk, { stream: true })),
    isText() {
      take(() => decoder.decode());
      return holds;
    },
  };
}
