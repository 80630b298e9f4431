// One bench at a time on this machine: two at once would measure each other.
import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { delay } from '@weft/core/deadline';
import { OperatorError } from '@weft/core/errors';

const POLL_MS = 250;

/** The same for every checkout of this machine. */
export const LOCK_FILE = join(tmpdir(), 'weft-bench.lock');

/**
 * Takes the lock, after waiting up to `waitMsMax` for another bench to end; one whose process is gone is taken over.
 * @returns what gives it back
 * @throws OperatorError when the other still runs, the signal's reason when it aborts
 */
export async function takeLock(
  waitMsMax: number,
  signal: AbortSignal,
  file = LOCK_FILE,
): Promise<() => void> {
  const until = performance.now() + waitMsMax;
  for (;;) {
    if (tryLock(file)) {
      // Two that find one dead owner may each remove the other's new lock: who still holds it a moment later has it.
      await delay(POLL_MS, signal);
      if (readOwner(file) === process.pid) return () => rmSync(file, { force: true });
      continue;
    }
    const owner = readOwner(file);
    if (!isAlive(owner)) {
      rmSync(file, { force: true });
      continue;
    }
    if (performance.now() >= until) {
      throw new OperatorError(
        `bench: another bench runs on this machine (process ${owner}): wait for it to end; its lock is ${file}`,
      );
    }
    await delay(POLL_MS, signal);
  }
}

function tryLock(file: string): boolean {
  const draft = `${file}.${process.pid}`;
  try {
    writeFileSync(draft, String(process.pid));
    // A link appears with its content: nobody ever reads a lock that is half written.
    linkSync(draft, file);
    return true;
  } catch (thrown) {
    if ((thrown as { readonly code?: string }).code === 'EEXIST') return false;
    throw new OperatorError(`bench: the lock ${file} cannot be written: ${(thrown as Error).message}`, {
      cause: thrown,
    });
  } finally {
    rmSync(draft, { force: true });
  }
}

/** NaN when the lock was given back between two looks. */
function readOwner(file: string): number {
  try {
    return Number.parseInt(readFileSync(file, 'utf8'), 10);
  } catch {
    // Gone already: the next try takes it.
    return Number.NaN;
  }
}

function isAlive(pid: number): boolean {
  if (!Number.isSafeInteger(pid)) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    // EPERM: it lives and belongs to somebody else.
    return (thrown as { readonly code?: string }).code === 'EPERM';
  }
}
