// Tells when anything in a folder changed, once a burst.
import { watch } from 'node:fs';

/** Editors write a file in several steps. */
const QUIET_MS = 150;

/** @returns how to stop */
export function watchFolder(folder: string, onChange: () => void): () => void {
  let timer: NodeJS.Timeout | undefined;
  const watcher = watch(folder, { recursive: true }, () => {
    clearTimeout(timer);
    timer = setTimeout(onChange, QUIET_MS);
  });
  // A folder that was removed is told by the next check; a watcher that breaks must not end the server.
  watcher.on('error', onChange);
  return () => {
    clearTimeout(timer);
    watcher.close();
  };
}
