// An old system that leaves files in a folder: at once, slowly, by appending, with a marker behind; it counts nothing and knows nobody.
import { appendFileSync, mkdirSync, renameSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

export interface FolderWriter {
  readonly folder: string;
  /** Writes it whole; a reader may still see it half. */
  write(name: string, content: string | Uint8Array): void;
  /** Writes it under another name, then gives it its own: never seen half. */
  place(name: string, content: string | Uint8Array): void;
  /** Writes it in `pieces`, with a pause behind each but the last. */
  writeSlowly(name: string, content: Uint8Array, pieces: number, pauseMs: number): Promise<void>;
  append(name: string, content: string | Uint8Array): void;
  /** Says that a file is complete. */
  mark(name: string, suffix: string): void;
  /** Sets the time of change, in milliseconds since 1970. */
  touch(name: string, atMs: number): void;
}

export function openFolderWriter(folder: string): FolderWriter {
  const at = (name: string) => {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    return path;
  };
  mkdirSync(folder, { recursive: true });
  return {
    folder,
    write: (name, content) => writeFileSync(at(name), content),
    place(name, content) {
      writeFileSync(at(`.${name.replaceAll('/', '_')}.tmp`), content);
      renameSync(at(`.${name.replaceAll('/', '_')}.tmp`), at(name));
    },
    async writeSlowly(name, content, pieces, pauseMs) {
      const size = Math.ceil(content.length / pieces);
      writeFileSync(at(name), content.subarray(0, size));
      for (let piece = 1; piece < pieces; piece += 1) {
        await delay(pauseMs);
        appendFileSync(at(name), content.subarray(piece * size, (piece + 1) * size));
      }
    },
    append: (name, content) => appendFileSync(at(name), content),
    mark: (name, suffix) => writeFileSync(at(`${name}${suffix}`), ''),
    touch: (name, atMs) => utimesSync(at(name), atMs / 1000, atMs / 1000),
  };
}
