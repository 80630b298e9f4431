// A folder of this machine, or one that is mounted here.
import { constants, type Dirent } from 'node:fs';
import { lstat, open, opendir, realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { HubError } from '@weft/core/errors';
import { type CallContext, upstreamError } from '../upstream-error.ts';
import { type FilePattern, isPlainName } from './file-pattern.ts';
import { type FilePlace, FOLDER_ENTRIES_MAX, type FoundFile, type Listing } from './place.ts';

/** @param root absolute path of the source's folder */
export function localPlace(root: string, context: CallContext): FilePlace {
  return {
    async visit(signal) {
      const attempt = <Value>(work: () => Promise<Value>) =>
        work().catch((thrown) => refuse(thrown, context));
      const base = await attempt(() => realpath(root));
      return {
        list: (pattern) => attempt(() => listFolder(base, pattern, context, signal)),
        stat: (file) => attempt(() => statFile(base, file)),
        read: (file, into) => readFile(base, file, into, context, signal),
        close: async () => undefined,
      };
    },
  };
}

function refuse(thrown: unknown, context: CallContext): never {
  if (thrown instanceof HubError) throw thrown;
  const { code = 'UNKNOWN' } = thrown as NodeJS.ErrnoException;
  throw upstreamError(
    'UPSTREAM_UNAVAILABLE',
    `the folder cannot be read (${code})`,
    context,
    { reason: code },
    thrown,
  );
}

async function listFolder(
  base: string,
  pattern: FilePattern,
  context: CallContext,
  signal: AbortSignal,
): Promise<Listing> {
  const folder = await realpath(join(base, pattern.folder));
  if (!isWithin(base, folder)) {
    throw upstreamError('UPSTREAM_INVALID', 'the folder of the path is a link that leads out', context);
  }
  const names = new Set<string>();
  const files: FoundFile[] = [];
  let refused = 0;
  for await (const entry of await opendir(folder)) {
    signal.throwIfAborted();
    names.add(entry.name);
    if (names.size > FOLDER_ENTRIES_MAX) throw tooMany(context);
    if (!pattern.name.test(entry.name)) continue;
    const found = isPlainName(entry.name) ? await findFile(base, folder, pattern, entry) : 'refused';
    if (found === 'refused') refused += 1;
    else if (found !== undefined) files.push(found);
  }
  return { files, names, refused };
}

/** A link counts as the file that it leads to, as long as that lies within the source's folder. */
async function findFile(
  base: string,
  folder: string,
  pattern: FilePattern,
  entry: Dirent,
): Promise<FoundFile | 'refused' | undefined> {
  const path = pattern.folder === '' ? entry.name : `${pattern.folder}/${entry.name}`;
  try {
    const real = await realpath(join(folder, entry.name));
    if (!isWithin(base, real)) return 'refused';
    const found = await stat(real);
    if (!found.isFile()) return entry.isDirectory() ? undefined : 'refused';
    return { path, size: found.size, modifiedMs: Math.floor(found.mtimeMs) };
  } catch (thrown) {
    // Gone between two looks, or a link that leads nowhere: there is nothing to take.
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw thrown;
  }
}

async function statFile(base: string, { path }: FoundFile) {
  try {
    const found = await stat(join(base, path));
    return found.isFile() ? { size: found.size, modifiedMs: Math.floor(found.mtimeMs) } : undefined;
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw thrown;
  }
}

async function readFile(
  base: string,
  { path }: FoundFile,
  into: Writable,
  context: CallContext,
  signal: AbortSignal,
): Promise<void> {
  const handle = await openWithin(base, path).catch((thrown: unknown) => refuse(thrown, context));
  try {
    await pipeline(handle.createReadStream({ autoClose: false }), into, { signal });
  } catch (thrown) {
    signal.throwIfAborted();
    refuse(thrown, context);
  } finally {
    await handle.close();
  }
}

/** What is opened is what was judged: a link that was put there meanwhile is refused, as is anything but a plain file. */
async function openWithin(base: string, path: string) {
  const real = await realpath(join(base, path));
  if (!isWithin(base, real) || !(await lstat(real)).isFile()) throw new TypeError('not a file of the folder');
  // A pipe would keep an opener waiting.
  return open(real, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
}

function isWithin(base: string, path: string): boolean {
  return path === base || path.startsWith(base.endsWith(sep) ? base : base + sep);
}

function tooMany(context: CallContext): HubError {
  const message = `${context.system}: expected at most ${FOLDER_ENTRIES_MAX} entries in a folder`;
  const details = { source: context.source, operation: context.operation, limit: 'FOLDER_ENTRIES_MAX' };
  return new HubError('LIMIT_EXCEEDED', message, { system: context.system, details });
}
