// Takes in the files of one `@ingest`: looks at the folder by its schedule, and takes what is complete, until closed.
import { delay } from '@weft/core/deadline';
import { HubError, invariant } from '@weft/core/errors';
import type { Logger } from '@weft/core/logger';
import type { Secrets } from '@weft/core/secrets';
import type { EventAppender } from '@weft/events/event-log';
import { judgeFiles, type Observed } from '../files/completeness.ts';
import { type FilePattern, parseFilePattern } from '../files/file-pattern.ts';
import { openPlace } from '../files/open-place.ts';
import type { FilePlace, FileVisit, FoundFile } from '../files/place.ts';
import { readRows } from '../files/rows.ts';
import { untilNextLookMs } from '../files/schedule.ts';
import { spoolFile, tooLarge } from '../files/spool.ts';
import type { RunningSystem } from '../load/system.ts';
import type { FilesPlan, FilesSource, IngestPlan } from '../plan.ts';
import { beginFile, findUnsettled } from './file-book.ts';
import { type FileOutcome, type FileTask, rejectFile, takeRows } from './file-rows.ts';
import type { Store } from './store.ts';

export interface FileIngestOptions {
  readonly store: Store;
  readonly appender: EventAppender;
  readonly secrets: Secrets;
  readonly logger: Logger;
  /** Told why the folder cannot be read, and undefined when it can again. */
  onBlind?(reason: string | undefined): void;
  /** Told of every look that found the folder. */
  onSeen?(): void;
}

/** A look that failed is tried again: soon, then less often, and no later than the schedule says. */
const BACK_OFF_MS = 1_000;
const BACK_OFF_MS_MAX = 60_000;
/** A file that waits for its marker is looked at again no later than this, whatever the schedule. */
const MARKER_AGAIN_MS = 60_000;

interface Ingest {
  readonly system: RunningSystem;
  readonly source: FilesSource;
  readonly ingest: IngestPlan;
  readonly plan: FilesPlan;
  readonly pattern: FilePattern;
  readonly place: FilePlace;
  readonly options: FileIngestOptions;
  readonly signal: AbortSignal;
  /** Of files that are not taken yet, by path. */
  observed: ReadonlyMap<string, Observed>;
}

/**
 * Takes in until closed; a folder or a database that is away makes it slower, never ends it.
 * @throws OperatorError for an address that is none or a secret that is missing
 */
export function startFileIngest(
  system: RunningSystem,
  ingest: IngestPlan,
  options: FileIngestOptions,
): { close(): Promise<void> } {
  const source = system.plan.sources.get(ingest.source);
  const { from } = ingest;
  invariant(source?.protocol === 'files' && from.kind === 'files', 'files are taken from a files source');
  const parsed = parseFilePattern(from.path);
  invariant(parsed.ok, 'the compiler has checked the path');
  const closing = new AbortController();
  const place = openPlace(
    system.plan.name,
    source,
    { env: system.env, timezone: source.timezone },
    options.secrets,
  );
  const { signal } = closing;
  const { pattern } = parsed;
  const running = lookForEver({
    system,
    source,
    ingest,
    plan: from,
    pattern,
    place,
    options,
    signal,
    observed: new Map(),
  });
  return {
    async close() {
      closing.abort();
      await running;
    },
  };
}

async function lookForEver(task: Ingest): Promise<void> {
  const { signal, source, plan, options } = task;
  let failures = 0;
  while (!signal.aborted) {
    let waitMs = untilNextLookMs(plan.schedule, source.timezone, new Date());
    try {
      waitMs = Math.min(waitMs, await look(task));
      options.onBlind?.(undefined);
      options.onSeen?.();
      failures = 0;
    } catch (thrown) {
      if (signal.aborted) return;
      failures += 1;
      const error = HubError.from(thrown);
      waitMs = Math.min(waitMs, BACK_OFF_MS * 2 ** Math.min(failures - 1, 10), BACK_OFF_MS_MAX);
      if (failures === 1)
        options.logger.warn(
          { err: error, type: task.ingest.type, waitMs },
          'a look for files failed and will be tried again',
        );
      if (error.origin === 'PROVIDER')
        options.onBlind?.(`files cannot be read (${error.details.reason ?? error.code})`);
    }
    await delay(waitMs, signal).catch(() => undefined); // Aborted: the loop's condition ends it.
  }
}

/** Takes all that is complete. @returns how long what is not complete may be left alone, in milliseconds */
async function look(task: Ingest): Promise<number> {
  const { place, pattern, source, options, signal } = task;
  const owner = { system: task.system.plan.name, type: task.ingest.type };
  const visit = await place.visit(signal);
  try {
    const { files, names, refused } = await visit.list(pattern);
    if (refused > 0)
      options.logger.warn(
        { type: task.ingest.type, refused },
        'entries of the folder are links that lead out of it, or no files, and are left alone',
      );
    const unsettled = await options.store.transaction((transaction) =>
      findUnsettled(transaction, owner, files),
    );
    const judged = judgeFiles(unsettled, names, source.doneWhen, task.observed, performance.now());
    const { complete, isWaiting, observed } = judged;
    task.observed = observed;
    const due = complete.toSorted((a, b) => a.modifiedMs - b.modifiedMs || (a.path < b.path ? -1 : 1));
    for (const file of due.slice(0, source.limits.filesMax)) await takeFile(task, visit, file);
    if (due.length > source.limits.filesMax) return 0;
    return isWaiting ? (source.doneWhen.stableForMs ?? MARKER_AGAIN_MS) : Number.POSITIVE_INFINITY;
  } finally {
    await visit.close();
  }
}

async function takeFile(task: Ingest, visit: FileVisit, file: FoundFile): Promise<void> {
  const { system, source, ingest, plan, options, signal } = task;
  signal.throwIfAborted();
  const owner = { system: system.plan.name, type: ingest.type };
  const { fileBytesMax } = source.limits;
  const isTooLarge = file.size > fileBytesMax;
  const spooled = isTooLarge ? undefined : await spoolFile(visit, file, fileBytesMax, signal);
  try {
    const now = await visit.stat(file);
    // Written to meanwhile: it was not complete after all.
    if (now?.size !== file.size || now.modifiedMs !== file.modifiedMs) return;
    // A file that is too large is known by its size and time: its content is nobody's business.
    const sha256 = spooled?.sha256 ?? `size:${file.size}:${file.modifiedMs}`;
    const taken = await options.store.transaction((transaction) =>
      beginFile(transaction, owner, file, sha256),
    );
    if (taken.state !== 'TAKING') return;
    const fileTask: FileTask = {
      store: options.store,
      appender: options.appender,
      system: system.plan.name,
      ingest,
      plan,
      scope: { env: system.env, timezone: source.timezone },
      path: file.path,
      taken,
      signal,
    };
    const reason = tooLarge(fileBytesMax).message;
    const { encoding, limits } = source;
    const outcome =
      spooled === undefined
        ? await rejectFile(fileTask, reason, Buffer.from(reason))
        : await takeRows(fileTask, () => readRows(spooled.path, { plan, encoding, limits }));
    tellOutcome(options.logger, ingest.type, file, outcome);
  } finally {
    await spooled?.remove();
  }
}

function tellOutcome(logger: Logger, type: string, { path }: FoundFile, outcome: FileOutcome): void {
  if (outcome.kind === 'DONE') logger.info({ type, path, ...outcome }, 'a file was taken in');
  else if (outcome.kind === 'REJECTED')
    logger.warn({ type, path, reason: outcome.reason }, 'a file was rejected: its word is in quarantine');
}
