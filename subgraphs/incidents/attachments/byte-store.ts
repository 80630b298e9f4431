// The folder of the bytes: written beside, synced, renamed to their hash; what is there is whole.
import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { OperatorError } from '@weft/core/errors';

/** Bytes on their way in. */
export interface IncomingBytes {
  readonly file: FileHandle;
  /** They are on the disk before it resolves. */
  sync(): Promise<void>;
  /** Gives them their name, whether or not it is there: the bytes are the same. */
  keep(sha256: string): Promise<void>;
  /** Closes the file, and deletes what was not kept. */
  close(): Promise<void>;
}

export interface ByteStore {
  begin(): Promise<IncomingBytes>;
  /** Undefined when they are not there. The caller closes it. */
  open(sha256: string): Promise<FileHandle | undefined>;
  remove(sha256: string): Promise<void>;
  /** Hashes of what is kept and last written before a time; one folder of 256 after the other. */
  keptBefore(time: Date): AsyncIterable<string>;
  /** Deletes what was left on its way in by processes that ended. */
  removeIncomingBefore(time: Date): Promise<void>;
}

/** Nobody else of the machine may read them. */
const FOLDER_MODE = 0o700;
const FILE_MODE = 0o600;
const HASH_REST = /^[0-9a-f]{62}$/;
const FOLDERS = Array.from({ length: 256 }, (_, index) => index.toString(16).padStart(2, '0'));

/** @throws OperatorError when the folder cannot be made */
export function openByteStore(folder: string): ByteStore {
  const incoming = join(folder, 'incoming');
  const kept = join(folder, 'objects');
  try {
    for (const each of [incoming, kept]) mkdirSync(each, { recursive: true, mode: FOLDER_MODE });
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new OperatorError(`WEFT_ATTACHMENTS: ${folder} cannot be made (${code})`, { cause });
  }
  // Only ever a hash that was read by its pattern: no part of a path comes from outside.
  const place = (sha256: string) => [join(kept, sha256.slice(0, 2)), sha256.slice(2)] as const;
  return {
    begin: () => beginIncoming(join(incoming, randomUUID()), place),
    async open(sha256) {
      try {
        return await open(join(...place(sha256)), 'r');
      } catch (thrown) {
        if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
        throw thrown;
      }
    },
    remove: (sha256) => rm(join(...place(sha256)), { force: true }),
    async *keptBefore(time) {
      for (const each of FOLDERS) {
        const names = await namesIn(join(kept, each));
        for (const name of names)
          if (HASH_REST.test(name) && (await isBefore(join(kept, each, name), time))) yield `${each}${name}`;
      }
    },
    async removeIncomingBefore(time) {
      for (const name of await namesIn(incoming))
        if (await isBefore(join(incoming, name), time)) await rm(join(incoming, name), { force: true });
    },
  };
}

async function beginIncoming(
  path: string,
  place: (sha256: string) => readonly [string, string],
): Promise<IncomingBytes> {
  const file = await open(path, 'wx+', FILE_MODE);
  let isKept = false;
  return {
    file,
    sync: () => file.sync(),
    async keep(sha256) {
      const [folder, name] = place(sha256);
      await mkdir(folder, { recursive: true, mode: FOLDER_MODE });
      await rename(path, join(folder, name));
      isKept = true;
      await syncFolder(folder);
    },
    async close() {
      await file.close();
      if (!isKept) await rm(path, { force: true });
    },
  };
}

/** Without it the new name may be gone after a loss of power. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw thrown;
  }
}

/** False for what somebody else has just deleted. */
async function isBefore(path: string, time: Date): Promise<boolean> {
  try {
    return (await stat(path)).mtime < time;
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw thrown;
  }
}
