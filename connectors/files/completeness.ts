// Whether a file is whole: old systems write slowly, and say nothing when they are done.
import type { DoneWhen } from '../plan.ts';
import { type FoundFile, nameOf } from './place.ts';

/** A file as it was first seen in its present size and time. */
export interface Observed {
  readonly size: number;
  readonly modifiedMs: number;
  /** By a monotonic clock of ours: the server's clock may be any. */
  readonly sinceMs: number;
}

export interface Judged {
  readonly complete: readonly FoundFile[];
  /** Whether others are not complete yet. */
  readonly isWaiting: boolean;
  /** For the next look; a complete file stays known, so that one that fails in its middle need not wait again. */
  readonly observed: ReadonlyMap<string, Observed>;
}

/**
 * Which files are complete; pure.
 * @param names of everything in the folder
 * @param nowMs by the clock of `sinceMs`
 */
export function judgeFiles(
  files: readonly FoundFile[],
  names: ReadonlySet<string>,
  { stableForMs, markerSuffix }: DoneWhen,
  before: ReadonlyMap<string, Observed>,
  nowMs: number,
): Judged {
  // The marker's own name may fit the path: it is no file of records.
  const own = files.filter(({ path }) => markerSuffix === undefined || !path.endsWith(markerSuffix));
  const observed = new Map(own.map((file) => [file.path, observeFile(file, before.get(file.path), nowMs)]));
  const complete = own.filter(({ path }) => {
    const isMarked = markerSuffix !== undefined && names.has(`${nameOf(path)}${markerSuffix}`);
    const stableMs = nowMs - (observed.get(path)?.sinceMs ?? nowMs);
    return isMarked || (stableForMs !== undefined && stableMs >= stableForMs);
  });
  return { complete, isWaiting: complete.length < own.length, observed };
}

function observeFile({ size, modifiedMs }: FoundFile, known: Observed | undefined, nowMs: number): Observed {
  const isSame = known?.size === size && known.modifiedMs === modifiedMs;
  return isSame ? known : { size, modifiedMs, sinceMs: nowMs };
}
