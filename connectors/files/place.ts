// A folder into which an old system writes, wherever it is: what the ingest of files needs of it, and all that it may do to it.
import type { Writable } from 'node:stream';
import type { FilePattern } from './file-pattern.ts';

/** A plain file, as it was listed. */
export interface FoundFile {
  /** Below the source's folder, `/`-separated: `out/aq_20261122.csv`. */
  readonly path: string;
  readonly size: number;
  readonly modifiedMs: number;
}

export interface Listing {
  /** Of plain files whose name fits. */
  readonly files: readonly FoundFile[];
  /** Names of everything in the folder: markers are among them. */
  readonly names: ReadonlySet<string>;
  /** How many entries were refused: links that lead out of the folder, names that are none. */
  readonly refused: number;
}

/** One visit: what is opened for it is closed after it. Nothing here writes, moves or deletes. */
export interface FileVisit {
  /** @throws HubError UPSTREAM_UNAVAILABLE, or LIMIT_EXCEEDED for more than FOLDER_ENTRIES_MAX entries */
  list(pattern: FilePattern): Promise<Listing>;
  /** As it is now; undefined when it is gone. @throws HubError UPSTREAM_UNAVAILABLE */
  stat(file: FoundFile): Promise<Pick<FoundFile, 'size' | 'modifiedMs'> | undefined>;
  /** Its bytes, and the end. @throws HubError UPSTREAM_UNAVAILABLE, and what `into` throws */
  read(file: FoundFile, into: Writable): Promise<void>;
  close(): Promise<void>;
}

export interface FilePlace {
  /** @throws HubError UPSTREAM_UNAVAILABLE when it cannot be reached, or is not the server that it should be */
  visit(signal: AbortSignal): Promise<FileVisit>;
}

/** Entries of one folder; one that holds more is a mistake, and would be listed for ever. */
export const FOLDER_ENTRIES_MAX = 100_000;

/** The last part of a path. */
export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
