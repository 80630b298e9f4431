// Where committed cursors are kept, by the name of their consumer.

export interface CursorStorage {
  read(name: string): string | undefined | Promise<string | undefined>;
  /** Resolves when it is kept: `commit` waits for that. */
  write(name: string, cursor: string): void | Promise<void>;
}

/** For as long as the process or the page lives. */
export function memoryStorage(): CursorStorage {
  const cursors = new Map<string, string>();
  return {
    read: (name) => cursors.get(name),
    write(name, cursor) {
      cursors.set(name, cursor);
    },
  };
}

/** What a browser's `localStorage` has of the Web Storage API. */
export interface WebStorage {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
}

/** @param prefix of the keys */
export function webStorage(storage: WebStorage, prefix = 'weft:'): CursorStorage {
  return {
    read: (name) => storage.getItem(prefix + name) ?? undefined,
    write: (name, cursor) => storage.setItem(prefix + name, cursor),
  };
}
