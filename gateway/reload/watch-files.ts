// Tells when files have changed: by events of their folders, since a file may be replaced, and by looking, since events get lost.
import { type FSWatcher, watch } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Logger } from '@weft/core/logger';
import type { ReloadLimits } from './limits.ts';

export interface FileWatch {
  /**
   * The files that count from now on. Call it before they are read: a new one is a change when it differs from its state
   * at this call, one that was there already when it differs from what was told last.
   */
  setFiles(files: readonly string[]): Promise<void>;
  close(): void;
}

export interface WatchOptions {
  readonly limits: Pick<ReloadLimits, 'debounceMs' | 'pollMs'>;
  readonly logger: Logger;
  /** Called when files have changed and then stood still for `debounceMs`; must not throw. */
  onChange(): void;
}

/** File to what `stat` says of it. */
type States = ReadonlyMap<string, string>;

/** Watches nothing until `setFiles`. Does not keep the process alive. */
export function watchFiles({ limits, logger, onChange }: WatchOptions): FileWatch {
  let seen: States = new Map();
  let unsettled: States = seen;
  let watchers: ReadonlyMap<string, FSWatcher> = new Map();
  let closed = false;
  let timer: NodeJS.Timeout | undefined;
  const look = async () => {
    const before = seen;
    const states = await statesOf([...before.keys()]);
    if (closed || before !== seen || isEqual(states, seen)) return;
    if (isEqual(states, unsettled)) {
      seen = states;
      onChange();
      return;
    }
    // It may be in the middle of being written.
    unsettled = states;
    lookSoon();
  };
  const lookSoon = () => {
    timer ??= setTimeout(() => {
      timer = undefined;
      void look();
    }, limits.debounceMs).unref();
  };
  const poll = setInterval(() => void look(), limits.pollMs).unref();
  return {
    async setFiles(files) {
      watchers = watchFolders(watchers, files, lookSoon, logger);
      const added = await statesOf(files.filter((file) => !seen.has(file)));
      seen = new Map(files.map((file) => [file, seen.get(file) ?? added.get(file) ?? '']));
    },
    close() {
      closed = true;
      clearInterval(poll);
      clearTimeout(timer);
      for (const watcher of watchers.values()) watcher.close();
    },
  };
}

/** Keeps the watchers of folders that are still wanted. */
function watchFolders(
  old: ReadonlyMap<string, FSWatcher>,
  files: readonly string[],
  onEvent: () => void,
  logger: Logger,
): ReadonlyMap<string, FSWatcher> {
  const wanted = new Set(files.map(dirname));
  for (const [folder, watcher] of old) if (!wanted.has(folder)) watcher.close();
  const watchers = new Map<string, FSWatcher>();
  for (const folder of wanted) {
    const watcher = old.get(folder) ?? watchFolder(folder, onEvent, logger);
    if (watcher !== undefined) watchers.set(folder, watcher);
  }
  return watchers;
}

function watchFolder(folder: string, onEvent: () => void, logger: Logger): FSWatcher | undefined {
  try {
    const watcher = watch(folder, { persistent: false }, onEvent);
    watcher.on('error', (err) => logger.debug({ err, folder }, 'a folder gives no events: it is polled'));
    return watcher;
  } catch (err) {
    // No such folder, or the system has no watches left: polling finds the change.
    logger.debug({ err, folder }, 'a folder gives no events: it is polled');
    return undefined;
  }
}

/** Follows links, as deployments that replace a link to a folder need it. */
async function statesOf(files: readonly string[]): Promise<States> {
  const states = files.map(async (file) => {
    try {
      const { ino, size, mtimeNs, ctimeNs } = await stat(file, { bigint: true });
      return [file, `${ino} ${size} ${mtimeNs} ${ctimeNs}`] as const;
    } catch (thrown) {
      return [file, (thrown as { readonly code?: string }).code ?? 'unreadable'] as const;
    }
  });
  return new Map(await Promise.all(states));
}

function isEqual(one: States, other: States): boolean {
  return one.size === other.size && [...one].every(([file, state]) => other.get(file) === state);
}
