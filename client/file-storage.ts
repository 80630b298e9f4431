// Keeps committed cursors in a folder, one file a consumer: for Node alone.
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { CursorStorage } from './storage.ts';

/** What is committed outlives a crash of the machine; a reader never sees half of it. */
export function fileStorage(folder: string): CursorStorage {
  const fileOf = (name: string) => join(folder, `${encodeURIComponent(name)}.cursor`);
  const writing = new Map<string, Promise<void>>();
  return {
    async read(name) {
      try {
        return (await readFile(fileOf(name), 'utf8')).trim() || undefined;
      } catch (thrown) {
        if ((thrown as { readonly code?: string }).code === 'ENOENT') return undefined;
        throw thrown;
      }
    },
    write(name, cursor) {
      // In the order of the commits: two renames at once could leave the older one.
      const before = writing.get(name) ?? Promise.resolve();
      const now = before.catch(() => undefined).then(() => replace(folder, fileOf(name), cursor));
      writing.set(name, now);
      return now;
    },
  };
}

async function replace(folder: string, file: string, text: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const handle = await open(`${file}.new`, 'w', 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(`${file}.new`, file);
}
