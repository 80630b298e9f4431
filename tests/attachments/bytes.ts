// Bytes of files as cameras and offices make them, and as attackers do; each the smallest that its signature needs.
import { crc32, deflateRawSync } from 'node:zlib';

const png = (...chunks: readonly (readonly [string, Buffer])[]) =>
  Buffer.concat([
    Buffer.from('89504e470d0a1a0a', 'hex'),
    ...chunks.map(([type, data]) => {
      const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
      const length = Buffer.alloc(4);
      length.writeUInt32BE(data.length);
      const check = Buffer.alloc(4);
      check.writeUInt32BE(crc32(body));
      return Buffer.concat([length, body, check]);
    }),
  ]);

/** @param salt makes it another picture */
export function pngOf(salt: string): Buffer {
  const header = Buffer.from('00000001000000010802000000', 'hex');
  return png(
    ['IHDR', header],
    ['tEXt', Buffer.from(salt)],
    ['IDAT', Buffer.alloc(8)],
    ['IEND', Buffer.alloc(0)],
  );
}

const box = (type: string, content: string) => {
  const size = Buffer.alloc(4);
  size.writeUInt32BE(content.length + 8);
  return Buffer.concat([size, Buffer.from(`${type}${content}`, 'latin1')]);
};

export const JPEG = Buffer.concat([Buffer.from('ffd8ffe000104a46494600', 'hex'), Buffer.alloc(100)]);
export const WEBP = Buffer.concat([Buffer.from('RIFF\x1a\0\0\0WEBPVP8 ', 'latin1'), Buffer.alloc(32)]);
export const HEIC = Buffer.concat([box('ftyp', 'heic\0\0\0\0mif1heic'), Buffer.alloc(64)]);
export const MP4 = Buffer.concat([box('ftyp', 'isom\0\0\x02\0isomiso2avc1mp41'), Buffer.alloc(64)]);
export const PDF = Buffer.from('%PDF-1.7\n1 0 obj <<>> endobj\n%%EOF\n');
export const SVG = '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>';
export const HTML = '\uFEFF \n<!DOCTYPE html><script>alert(document.domain)</script>';

/** @param files name to content @param inflated bytes that each says it inflates to; default what it does */
export function zipOf(files: Readonly<Record<string, string>>, inflated?: number): Buffer {
  const locals: Buffer[] = [];
  const entries: Buffer[] = [];
  let at = 0;
  for (const [name, content] of Object.entries(files)) {
    const data = deflateRawSync(content);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(8, 4);
    common.writeUInt32LE(crc32(content), 10);
    common.writeUInt32LE(data.length, 14);
    common.writeUInt32LE(inflated ?? Buffer.byteLength(content), 18);
    common.writeUInt16LE(Buffer.byteLength(name), 22);
    const local = Buffer.concat([Buffer.from('504b0304', 'hex'), common, Buffer.from(name), data]);
    const place = Buffer.alloc(14);
    place.writeUInt32LE(at, 10);
    entries.push(Buffer.concat([Buffer.from('504b01021400', 'hex'), common, place, Buffer.from(name)]));
    locals.push(local);
    at += local.length;
  }
  const directory = Buffer.concat(entries);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...locals, directory, end]);
}

export const DOCX = zipOf({ '[Content_Types].xml': '<Types/>', 'word/document.xml': '<document/>' });
export const XLSX = zipOf({ '[Content_Types].xml': '<Types/>', 'xl/workbook.xml': '<workbook/>' });
