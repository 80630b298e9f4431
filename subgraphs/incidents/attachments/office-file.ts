// Whether an archive is a document of Office Open XML: by the names in its directory, without inflating anything.
import type { FileHandle } from 'node:fs/promises';
import type { MediaType } from './media-type.ts';
import { damaged, unsupported } from './refusal.ts';

/** APPNOTE 4.3.16: the end of the central directory, with its comment at the longest. */
const END_BYTES = 22;
const COMMENT_BYTES_MAX = 65_535;
const END_SIGNATURE = 0x06054b50;
/** APPNOTE 4.3.12 */
const ENTRY_BYTES = 46;
const ENTRY_SIGNATURE = 0x02014b50;
/** Of the directory; a document has some hundred parts. */
const DIRECTORY_BYTES_MAX = 2_000_000;
const ENTRIES_MAX = 10_000;
/** What an archive says that it inflates to, in all. */
const INFLATED_BYTES_MAX = 1_000_000_000;
/** And how many times that is what it has. */
const INFLATION_MAX = 200;

/** The part by which each is known. */
const MAIN_PARTS: readonly (readonly [string, MediaType])[] = [
  ['word/document.xml', 'application/vnd.openxmlformats-officedocument.wordprocessingml.document'],
  ['xl/workbook.xml', 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet'],
];
const CONTENT_TYPES = '[Content_Types].xml';
/** Programs that a document brings. */
const MACROS = /(?:^|\/)vbaProject\.bin$/i;

/**
 * @throws AttachmentRefusal 415 for another archive; 422 for one that is damaged, brings macros, or inflates beyond reason
 */
export async function readOfficeType(file: FileHandle, size: number): Promise<MediaType> {
  const { names, inflatedBytes } = await readDirectory(file, size);
  const main = MAIN_PARTS.find(([part]) => names.has(part));
  if (main === undefined || !names.has(CONTENT_TYPES)) throw unsupported();
  if ([...names].some((name) => MACROS.test(name))) throw damaged('expected a document without macros');
  if (inflatedBytes > INFLATED_BYTES_MAX || inflatedBytes > size * INFLATION_MAX)
    throw damaged(`expected a document that inflates to at most ${INFLATION_MAX} times its size`);
  return main[1];
}

interface Directory {
  readonly names: ReadonlySet<string>;
  readonly inflatedBytes: number;
}

async function readDirectory(file: FileHandle, size: number): Promise<Directory> {
  const tailBytes = Math.min(size, END_BYTES + COMMENT_BYTES_MAX);
  const tail = await readAt(file, size - tailBytes, tailBytes);
  let at = tail.length - END_BYTES;
  while (at >= 0 && tail.readUInt32LE(at) !== END_SIGNATURE) at -= 1;
  if (at < 0) throw damaged('the archive has no directory: it is cut off');
  const entries = tail.readUInt16LE(at + 10);
  const bytes = tail.readUInt32LE(at + 12);
  const start = tail.readUInt32LE(at + 16);
  // 64-bit archives write 0xffffffff here: no document of these sizes is one.
  if (entries > ENTRIES_MAX || bytes > DIRECTORY_BYTES_MAX || start + bytes > size)
    throw damaged('the directory of the archive cannot be read, or is too long');
  return parseDirectory(await readAt(file, start, bytes), entries);
}

function parseDirectory(directory: Buffer, entries: number): Directory {
  const names = new Set<string>();
  let inflatedBytes = 0;
  let at = 0;
  for (let entry = 0; entry < entries; entry += 1) {
    if (at + ENTRY_BYTES > directory.length || directory.readUInt32LE(at) !== ENTRY_SIGNATURE)
      throw damaged('the directory of the archive is damaged');
    inflatedBytes += directory.readUInt32LE(at + 24);
    const nameBytes = directory.readUInt16LE(at + 28);
    names.add(directory.toString('utf8', at + ENTRY_BYTES, at + ENTRY_BYTES + nameBytes));
    at += ENTRY_BYTES + nameBytes + directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32);
  }
  return { names, inflatedBytes };
}

async function readAt(file: FileHandle, position: number, bytes: number): Promise<Buffer> {
  const buffer = Buffer.alloc(bytes);
  const { bytesRead } = await file.read(buffer, 0, bytes, position);
  if (bytesRead < bytes) throw damaged('the archive is shorter than it says');
  return buffer;
}
