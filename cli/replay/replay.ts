// Feeds the requests of a CSV into the simulated hotline in order of creation, faster or slower than they came.
import { delay } from '@weft/core/deadline';
import type { Mapping } from './mapping.ts';
import { createOldSystems, type OldSystemsOptions } from './old-systems.ts';
import { type ReadRows, type RefusedRow, type ReplayRow, readRows } from './rows.ts';

export interface ReplayOptions extends OldSystemsOptions {
  /** The CSV. */
  readonly file: string;
  readonly mapping: Mapping;
  /** How many seconds of the file pass in one: 1 is as it was, 3600 an hour a second. Above 0; Infinity does not wait. */
  readonly speed: number;
  /** Only the first so many rows in order of creation. Default all. */
  readonly rowsMax?: number | undefined;
  /** Ends the replay after the request in flight; what was given stays given. */
  readonly signal?: AbortSignal | undefined;
  /** Called after each request. */
  readonly onProgress?: ((progress: ReplayProgress) => void) | undefined;
}

export interface ReplayProgress {
  readonly rowsTotal: number;
  readonly rowsDone: number;
  readonly ordersMade: number;
  readonly ordersThere: number;
  /** By how much the last request was late. */
  readonly lagMs: number;
}

export interface ReplaySummary {
  /** Rows of the file, those that cannot be used included. */
  readonly rowsRead: number;
  readonly ordersMade: number;
  /** Orders that an earlier replay of the file had made. */
  readonly ordersThere: number;
  readonly casesMade: number;
  /** Rows whose area is blank or unknown: they went to the mapping's default community. */
  readonly areaDefaulted: number;
  /** In the order of their lines. */
  readonly refused: readonly RefusedRow[];
  readonly lagMsMax: number;
  readonly elapsedMs: number;
  /** Whether the signal ended it before the last row. */
  readonly isCut: boolean;
}

/** As many orders as one request carries at most. */
const ROWS_PER_REQUEST_MAX = 100;
/** Timers count in 32 bits: a longer wait is made of several. */
const WAIT_MS_MAX = 60_000;

/**
 * Replays a file. Each row becomes one order of the hotline, known by the row's id: replaying again adds nothing.
 * @throws OperatorError when the file or the mapping cannot be used; HubError UPSTREAM_UNAVAILABLE when an old system
 * was silent for too long
 */
export async function replay(options: ReplayOptions): Promise<ReplaySummary> {
  const signal = options.signal ?? new AbortController().signal;
  const read = await readRows(options.file, options.mapping, signal);
  const rows = read.rows.slice(0, options.rowsMax ?? read.rows.length);
  const tally = new Tally(rows.length);
  const systems = createOldSystems(options);
  const startedMs = performance.now();
  const dueMsOf = createSchedule(rows, options.speed, startedMs);
  try {
    for (let from = 0; from < rows.length; ) {
      const dueMs = dueMsOf(from);
      await waitUntil(dueMs, signal);
      const batch = rows.slice(from, endOfDue(from, rows.length, dueMsOf));
      const lagMs = Number.isFinite(options.speed) ? Math.max(0, performance.now() - dueMs) : 0;
      const given = await systems.give(batch, signal);
      tally.add(batch.length, given, lagMs);
      options.onProgress?.(tally.progress());
      from += batch.length;
    }
  } catch (thrown) {
    if (!signal.aborted) throw thrown;
  }
  return tally.summarise(read, performance.now() - startedMs);
}

/** When each row is due on the monotonic clock: reckoned from the start, so that delays do not add up. */
function createSchedule(
  rows: readonly ReplayRow[],
  speed: number,
  startedMs: number,
): (index: number) => number {
  const firstMs = rows[0]?.createdAtMs ?? 0;
  return (index) => startedMs + ((rows[index]?.createdAtMs ?? firstMs) - firstMs) / speed;
}

/** The index after the last row that is due now, at most one request's worth on. */
function endOfDue(from: number, count: number, dueMsOf: (index: number) => number): number {
  const nowMs = performance.now();
  let end = from + 1;
  while (end < count && end - from < ROWS_PER_REQUEST_MAX && dueMsOf(end) <= nowMs) end += 1;
  return end;
}

async function waitUntil(dueMs: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  for (let leftMs = dueMs - performance.now(); leftMs > 0; leftMs = dueMs - performance.now()) {
    await delay(Math.min(WAIT_MS_MAX, Math.ceil(leftMs)), signal);
  }
}

/** Counts what became of the rows. */
class Tally {
  readonly #rowsTotal: number;
  readonly #refused: RefusedRow[] = [];
  #rowsDone = 0;
  #ordersMade = 0;
  #ordersThere = 0;
  #casesMade = 0;
  #lagMs = 0;
  #lagMsMax = 0;

  constructor(rowsTotal: number) {
    this.#rowsTotal = rowsTotal;
  }

  add(
    rows: number,
    given: Awaited<ReturnType<ReturnType<typeof createOldSystems>['give']>>,
    lagMs: number,
  ): void {
    this.#rowsDone += rows;
    this.#ordersMade += given.ordersMade;
    this.#ordersThere += given.ordersThere;
    this.#casesMade += given.casesMade;
    for (const { row, reason } of given.refused) this.#refused.push({ line: row.line, reason });
    this.#lagMs = lagMs;
    this.#lagMsMax = Math.max(this.#lagMsMax, lagMs);
  }

  progress(): ReplayProgress {
    return {
      rowsTotal: this.#rowsTotal,
      rowsDone: this.#rowsDone,
      ordersMade: this.#ordersMade,
      ordersThere: this.#ordersThere,
      lagMs: this.#lagMs,
    };
  }

  summarise(read: ReadRows, elapsedMs: number): ReplaySummary {
    return {
      rowsRead: read.rows.length + read.refused.length,
      ordersMade: this.#ordersMade,
      ordersThere: this.#ordersThere,
      casesMade: this.#casesMade,
      areaDefaulted: read.areaDefaulted,
      refused: [...read.refused, ...this.#refused].sort((a, b) => a.line - b.line),
      lagMsMax: this.#lagMsMax,
      elapsedMs,
      isCut: this.#rowsDone < this.#rowsTotal,
    };
  }
}
