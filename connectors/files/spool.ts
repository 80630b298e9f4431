// Brings a file here as it is at one moment: what is read afterwards does not change under the reader.
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { HubError } from '@weft/core/errors';
import type { FileVisit, FoundFile } from './place.ts';

export interface SpooledFile {
  /** On this machine. */
  readonly path: string;
  /** Of its bytes, in hex. */
  readonly sha256: string;
  remove(): Promise<void>;
}

/**
 * Copies a file to a place of its own in the temporary folder.
 * @throws HubError UPSTREAM_UNAVAILABLE, or LIMIT_EXCEEDED when it has more bytes than it may
 */
export async function spoolFile(
  visit: FileVisit,
  file: FoundFile,
  fileBytesMax: number,
  signal: AbortSignal,
): Promise<SpooledFile> {
  const folder = await mkdtemp(join(tmpdir(), 'weft-file-'));
  const remove = () => rm(folder, { recursive: true, force: true });
  const path = join(folder, 'content');
  const hash = createHash('sha256');
  let bytes = 0;
  const measure = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      if (bytes > fileBytesMax) return done(tooLarge(fileBytesMax));
      hash.update(chunk);
      done(null, chunk);
    },
  });
  try {
    const entry = new PassThrough();
    const written = pipeline(entry, measure, createWriteStream(path, { mode: 0o600 }), { signal });
    // The limit's own word goes before the reader's, whose stream it broke.
    await Promise.all([written, visit.read(file, entry)].map((work) => work.catch(preferLimit(measure))));
    // A connection that ends early may look like the end of the file.
    if (bytes !== file.size) throw cutShort(file.size, bytes);
    return { path, sha256: hash.digest('hex'), remove };
  } catch (thrown) {
    await remove();
    throw thrown;
  }
}

/** Not of the file but of the way here: the next look tries again. */
function cutShort(expected: number, got: number): HubError {
  return new HubError('UPSTREAM_UNAVAILABLE', `expected ${expected} bytes of a file, got ${got}`, {
    details: { reason: 'CUT_SHORT' },
  });
}

function preferLimit(measure: Transform): (thrown: unknown) => never {
  return (thrown) => {
    throw measure.errored instanceof HubError ? measure.errored : thrown;
  };
}

/** A file of more bytes than `limits.fileBytes`. */
export function tooLarge(fileBytesMax: number): HubError {
  return new HubError('LIMIT_EXCEEDED', `expected a file of at most ${fileBytesMax} bytes`, {
    details: { limit: 'fileBytes' },
  });
}
