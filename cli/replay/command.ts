// `weft replay`: reads the arguments, finds the simulators, shows how far it is and what came of it.
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { OperatorError } from '@weft/core/errors';
import { homeDirectory, ROOT } from '../checkout.ts';
import { readRun } from '../up/run-file.ts';
import { findMapping, readMapping } from './mapping.ts';
import type { OldSystemUrls } from './old-systems.ts';
import { type ReplayProgress, type ReplaySummary, replay } from './replay.ts';
import { readHeader } from './rows.ts';

const SPEED_DEFAULT = 60;
const PROGRESS_EVERY_MS = { terminal: 1_000, pipe: 10_000 } as const;
const REFUSED_SHOWN_MAX = 20;

const USAGE = `weft replay FILE [options]: feeds the municipal requests of a CSV into the simulated hotline

  --speed N|max    how many seconds of the file pass in one; max does not wait (default ${SPEED_DEFAULT})
  --mapping FILE   what the columns mean; default FILE.mapping.json beside FILE.csv, else a known one that fits
  --limit N        only the first N rows in order of creation
  --hotline URL    the hotline's simulator; default that of the hub that runs here
  --police URL     likewise the simulator of the police
  --help           this text

  The mapping is explained in docs/replay.md; 'weft replay cli/replay/sample.csv --speed max' replays a sample.
`;

/** The folders in which a mapping is looked for when none is named. */
const MAPPING_FOLDERS = ['cli/replay', 'tests/replay'];

/**
 * `weft replay FILE [--speed N|max] [--mapping FILE] [--hotline URL] [--police URL] [--limit N]`.
 * Without --hotline and --police the simulators of the running hub are taken. Ctrl-C ends it after the request in flight.
 * @throws OperatorError for a mistake in the arguments, the file or the mapping
 */
export async function replayCommand(argv: readonly string[]): Promise<void> {
  if (argv.includes('--help') || argv.includes('-h')) {
    process.stdout.write(USAGE);
    return;
  }
  const given = parseArguments(argv);
  const mappingFile =
    given.mapping ??
    findMapping(
      given.file,
      await readHeader(given.file),
      MAPPING_FOLDERS.map((folder) => resolve(ROOT, folder)),
    );
  const urls = createUrlReader(given);
  if (urls() === undefined) {
    throw new OperatorError(
      "no hub runs here: start it with 'npm start' first, or name the simulator with --hotline URL",
    );
  }
  const mapping = readMapping(mappingFile);
  if (
    urls()?.police === undefined &&
    Object.values(mapping.types).some((type) => type.police !== undefined)
  ) {
    throw new OperatorError(
      `mapping '${mapping.name}' tells the police too: name their simulator with --police URL`,
    );
  }
  const stopping = new AbortController();
  const stop = () => stopping.abort();
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  const display = createDisplay();
  try {
    const summary = await replay({
      file: given.file,
      mapping,
      speed: given.speed,
      rowsMax: given.limit,
      urls,
      signal: stopping.signal,
      onProgress: display.progress,
      onTrouble: display.trouble,
    });
    display.close();
    printSummary(summary);
    if (summary.isCut) process.exitCode = 130;
  } finally {
    display.close();
    process.off('SIGINT', stop);
    process.off('SIGTERM', stop);
  }
}

interface GivenArguments {
  readonly file: string;
  readonly speed: number;
  readonly mapping: string | undefined;
  readonly limit: number | undefined;
  readonly hotline: string | undefined;
  readonly police: string | undefined;
}

const OPTIONS = {
  speed: { type: 'string' },
  mapping: { type: 'string' },
  limit: { type: 'string' },
  hotline: { type: 'string' },
  police: { type: 'string' },
} as const;

function parseArguments(argv: readonly string[]): GivenArguments {
  let parsed: ReturnType<typeof parseArgs<{ options: typeof OPTIONS; allowPositionals: true }>>;
  try {
    parsed = parseArgs({ args: [...argv], options: OPTIONS, allowPositionals: true, strict: true });
  } catch (cause) {
    throw new OperatorError(`replay: ${(cause as Error).message}`, { cause, exitCode: 2 });
  }
  const { values, positionals } = parsed;
  const [file] = positionals;
  if (file === undefined || positionals.length > 1) {
    throw new OperatorError("expected 'weft replay FILE [--speed N]', with one file", { exitCode: 2 });
  }
  return {
    file,
    speed: readSpeed(values.speed),
    mapping: values.mapping,
    limit: values.limit === undefined ? undefined : readLimit(values.limit),
    hotline: readUrl('hotline', values.hotline),
    police: readUrl('police', values.police),
  };
}

function readSpeed(text: string | undefined): number {
  if (text === undefined) return SPEED_DEFAULT;
  if (text === 'max') return Number.POSITIVE_INFINITY;
  const speed = Number(text);
  if (Number.isFinite(speed) && speed > 0) return speed;
  throw new OperatorError(`--speed: expected a number above 0 (times real time) or 'max', got '${text}'`, {
    exitCode: 2,
  });
}

function readLimit(text: string): number {
  const limit = Number(text);
  if (Number.isSafeInteger(limit) && limit > 0) return limit;
  throw new OperatorError(`--limit: expected a whole number of rows above 0, got '${text}'`, { exitCode: 2 });
}

function readUrl(name: string, text: string | undefined): string | undefined {
  if (text === undefined || (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol))) return text;
  throw new OperatorError(`--${name}: expected an http or https URL, got '${text}'`, { exitCode: 2 });
}

/** Reads the run file at each call: a hub that was killed and started again may have other addresses. */
function createUrlReader(given: GivenArguments): () => OldSystemUrls | undefined {
  const home = homeDirectory(process.env);
  return () => {
    const urls = readRun(home)?.urls;
    const hotline = given.hotline ?? urls?.hotline;
    const police = given.police ?? urls?.policeControl ?? urls?.police;
    return hotline === undefined ? undefined : { hotline, police };
  };
}

interface Display {
  readonly progress: (progress: ReplayProgress) => void;
  readonly trouble: (trouble: string | undefined) => void;
  readonly close: () => void;
}

/** One line that is written over on a terminal; a new line now and then elsewhere. */
function createDisplay(): Display {
  const isTerminal = process.stderr.isTTY === true;
  const everyMs = isTerminal ? PROGRESS_EVERY_MS.terminal : PROGRESS_EVERY_MS.pipe;
  let last: ReplayProgress | undefined;
  let troubleNow: string | undefined;
  let isLineOpen = false;
  const write = () => {
    if (last === undefined && troubleNow === undefined) return;
    const text = [
      last === undefined ? undefined : describeProgress(last),
      troubleNow && `waiting: ${troubleNow}`,
    ]
      .filter(Boolean)
      .join('; ');
    process.stderr.write(isTerminal ? `\r\x1b[2K${text}` : `${text}\n`);
    isLineOpen = isTerminal;
  };
  const timer = setInterval(write, everyMs);
  return {
    progress: (progress) => {
      last = progress;
    },
    trouble: (trouble) => {
      troubleNow = trouble;
    },
    close: () => {
      clearInterval(timer);
      if (isLineOpen) process.stderr.write('\r\x1b[2K');
      isLineOpen = false;
    },
  };
}

function describeProgress(progress: ReplayProgress): string {
  const percent = Math.floor((100 * progress.rowsDone) / Math.max(1, progress.rowsTotal));
  return `replay: ${progress.rowsDone} of ${progress.rowsTotal} rows (${percent} %), ${progress.ordersMade} orders made, ${progress.ordersThere} already there, ${Math.round(progress.lagMs)} ms late`;
}

function printSummary(summary: ReplaySummary): void {
  const { refused } = summary;
  process.stdout.write(
    `${[
      `replay ${summary.isCut ? 'was ended early' : 'done'} in ${(summary.elapsedMs / 1_000).toFixed(1)} s`,
      `  rows read       ${summary.rowsRead}`,
      `  orders made     ${summary.ordersMade}`,
      `  already there   ${summary.ordersThere}`,
      `  police cases    ${summary.casesMade}`,
      `  default area    ${summary.areaDefaulted}`,
      `  refused         ${refused.length}`,
      ...refused.slice(0, REFUSED_SHOWN_MAX).map(({ line, reason }) => `    line ${line}: ${reason}`),
      ...(refused.length > REFUSED_SHOWN_MAX ? [`    … and ${refused.length - REFUSED_SHOWN_MAX} more`] : []),
      `  latest          ${Math.round(summary.lagMsMax)} ms behind the clock`,
    ].join('\n')}\n`,
  );
}
