// Undoes the one content coding that a subgraph's answer may have, bounded in what comes out.
import {
  type BrotliOptions,
  brotliDecompress,
  gunzip,
  inflate as inflateDeflate,
  inflateRaw,
  type ZlibOptions,
} from 'node:zlib';

export type ContentCoding = 'identity' | 'gzip' | 'deflate' | 'br';

const CODINGS: Readonly<Record<string, ContentCoding>> = {
  '': 'identity',
  identity: 'identity',
  gzip: 'gzip',
  'x-gzip': 'gzip',
  deflate: 'deflate',
  br: 'br',
};

/**
 * Undefined for an unknown coding and for a chain of them: a header of a thousand `gzip` would cost a thousand inflations
 * (CVE-2026-22036).
 */
export function readContentCoding(header: string | readonly string[] | undefined): ContentCoding | undefined {
  if (header === undefined) return 'identity';
  if (typeof header !== 'string') return undefined;
  const name = header.trim().toLowerCase();
  return Object.hasOwn(CODINGS, name) ? CODINGS[name] : undefined;
}

export type Inflated =
  | { readonly kind: 'bytes'; readonly bytes: Buffer }
  | { readonly kind: 'too-large' }
  | { readonly kind: 'damaged' };

type Inflater = (
  bytes: Buffer,
  options: ZlibOptions & BrotliOptions,
  done: (error: Error | null, bytes: Buffer) => void,
) => void;

/** Off the event loop; stops at `bytesMax` of what comes out. */
export function inflate(
  coding: Exclude<ContentCoding, 'identity'>,
  bytes: Buffer,
  bytesMax: number,
  done: (inflated: Inflated) => void,
): void {
  inflaterOf(coding, bytes)(bytes, { maxOutputLength: bytesMax }, (error, inflated) => {
    if (error === null) done({ kind: 'bytes', bytes: inflated });
    else done({ kind: codeOf(error) === 'ERR_BUFFER_TOO_LARGE' ? 'too-large' : 'damaged' });
  });
}

const ZLIB_METHOD_DEFLATE = 8;

function inflaterOf(coding: Exclude<ContentCoding, 'identity'>, bytes: Buffer): Inflater {
  switch (coding) {
    case 'gzip':
      return gunzip;
    case 'br':
      return brotliDecompress;
    case 'deflate':
      // `deflate` is the zlib format (https://www.rfc-editor.org/rfc/rfc9110#section-8.4.1.2), yet some servers send it bare.
      return ((bytes[0] ?? 0) & 0x0f) === ZLIB_METHOD_DEFLATE ? inflateDeflate : inflateRaw;
    default:
      return coding satisfies never;
  }
}

function codeOf(error: Error): unknown {
  return 'code' in error ? error.code : undefined;
}
