// `weft bench`: reads the arguments, runs the bench, prints the tables, writes the document.
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { OperatorError } from '@weft/core/errors';
import { homeDirectory, ROOT } from '../checkout.ts';
import { runBench } from './bench.ts';
import { CANDIDATES, type Candidate, ofCheckout } from './candidates.ts';
import { findLoadTool } from './load/run-load.ts';
import { takeLock } from './lock.ts';
import {
  type BenchResult,
  type BenchSettings,
  disturbedOf,
  type Failure,
  type Measurement,
} from './measurement.ts';
import { writeKeepingNotes } from './notes.ts';
import { runPaired, tableOfPaired } from './paired.ts';
import { canPin } from './pinning.ts';
import { writeReport } from './report.ts';
import { formatPlain, tableOfQuery, tableOfTargets } from './table.ts';
import { judgeTargets } from './targets.ts';
import { QUERY_NAMES, type QueryName } from './workload/operations.ts';

const ROUNDS_DEFAULT = 3;
const ROUNDS_MAX = 100;
const TURNS_DEFAULT = 60;
const TURNS_MAX = 1_000;
const SECONDS_DEFAULT = 8;
const SECONDS_MAX = 600;
const WARM_UP_SECONDS_MAX = 5;
/** Fewer rounds say nothing about spread: such a run does not replace the document. */
const ROUNDS_OF_A_DOCUMENT_MIN = 3;
const LOCK_WAIT_MS_MAX = 120_000;

/**
 * `weft bench [--only NAMES] [--rounds N] [--seconds S] [--no-peers] [--report FILE]`.
 * A run of everything writes docs/benchmarks.md; a partial one writes a document only where `--report` says.
 * `weft bench --paired NAMES [--query federated|single] [--turns N]` compares the processor time of the
 * others with that of the first; `NAME@FOLDER` is the candidate as it is in another checkout.
 * The process ends with exit code 1 when a candidate could not be measured.
 * @throws OperatorError for a mistake in the arguments, while another bench runs, or when a peer cannot be installed
 */
export async function benchCommand(argv: readonly string[]): Promise<void> {
  const given = parseArguments(argv);
  const stopping = new AbortController();
  const stop = () => stopping.abort(new OperatorError('bench: ended early', { exitCode: 130 }));
  // Not once: npm forwards Ctrl-C, so it arrives twice, and the second must not cut off the clearing up.
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  const release = await takeLock(LOCK_WAIT_MS_MAX, stopping.signal);
  try {
    const folder = join(homeDirectory(process.env), 'bench');
    const { candidates, settings } = given;
    if (given.paired !== undefined) {
      const { query, turns } = given.paired;
      const results = await runPaired(
        { candidates, query, turns, settings, folder, onTurn: (turn) => tellTurn(turn, turns) },
        stopping.signal,
      );
      process.stdout.write(`\n${query}\n${formatPlain(tableOfPaired(results))}\n`);
      return;
    }
    const result = await runBench(
      { candidates, settings, folder, onProgress: tellProgress },
      stopping.signal,
    );
    const rawFile = join(folder, 'result.json');
    writeFileSync(rawFile, JSON.stringify(result, null, 2));
    printTables(result, candidates);
    process.stdout.write(`\nraw numbers: ${rawFile}\n`);
    writeDocument(given, result);
    if (result.failures.length > 0) process.exitCode = 1;
  } finally {
    release();
    process.off('SIGINT', stop);
    process.off('SIGTERM', stop);
  }
}

interface GivenArguments {
  readonly candidates: readonly Candidate[];
  readonly settings: BenchSettings;
  /** Undefined: in rounds, each candidate by itself. */
  readonly paired: { readonly query: QueryName; readonly turns: number } | undefined;
  /** Absolute; undefined when no document is to be written. */
  readonly reportFile: string | undefined;
}

const OPTIONS = {
  only: { type: 'string' },
  rounds: { type: 'string' },
  seconds: { type: 'string' },
  'no-peers': { type: 'boolean' },
  paired: { type: 'string' },
  query: { type: 'string' },
  turns: { type: 'string' },
  report: { type: 'string' },
} as const;

function parseArguments(argv: readonly string[]): GivenArguments {
  const { values } = parseStrictly(argv);
  const rounds = readWhole('rounds', values.rounds, ROUNDS_DEFAULT, ROUNDS_MAX);
  const isPaired = values.paired !== undefined;
  const seconds = readWhole('seconds', values.seconds, SECONDS_DEFAULT, SECONDS_MAX);
  const query = readQuery(values.query);
  const turns = readWhole('turns', values.turns, TURNS_DEFAULT, TURNS_MAX);
  const candidates =
    values.paired === undefined
      ? chooseCandidates(values.only, values['no-peers'] === true)
      : choosePaired(values.paired, query);
  const isWhole = candidates.length === CANDIDATES.length && rounds >= ROUNDS_OF_A_DOCUMENT_MIN;
  return {
    candidates,
    settings: {
      rounds,
      seconds,
      warmUpSeconds: Math.min(seconds, WARM_UP_SECONDS_MAX),
      loadTool: findLoadTool(),
      isPinning: canPin(),
    },
    paired: isPaired ? { query, turns } : undefined,
    reportFile:
      values.report !== undefined
        ? resolve(values.report)
        : isWhole
          ? join(ROOT, 'docs', 'benchmarks.md')
          : undefined,
  };
}

function parseStrictly(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options: OPTIONS, strict: true });
  } catch (cause) {
    throw new OperatorError(`bench: ${(cause as Error).message}`, { cause, exitCode: 2 });
  }
}

function readWhole(name: string, text: string | undefined, fallback: number, max: number): number {
  const value = text === undefined ? fallback : Number(text);
  if (Number.isSafeInteger(value) && value >= 1 && value <= max) return value;
  throw new OperatorError(`--${name}: expected a whole number from 1 to ${max}, got '${text}'`, {
    exitCode: 2,
  });
}

function chooseCandidates(only: string | undefined, isWithoutPeers: boolean): readonly Candidate[] {
  const names = only?.split(',').map((name) => name.trim());
  const unknown = names?.find((name) => !CANDIDATES.some((candidate) => candidate.name === name));
  if (unknown !== undefined) {
    const known = CANDIDATES.map(({ name }) => name).join(', ');
    throw new OperatorError(`--only: there is no candidate '${unknown}': expected some of ${known}`, {
      exitCode: 2,
    });
  }
  const chosen = CANDIDATES.filter(
    ({ name, kind }) => (names?.includes(name) ?? true) && !(isWithoutPeers && kind === 'peer'),
  );
  if (chosen.length > 0) return chosen;
  throw new OperatorError('--only names peers alone and --no-peers leaves them out: nothing is left', {
    exitCode: 2,
  });
}

function readQuery(text = 'federated'): QueryName {
  const query = QUERY_NAMES.find((name) => name === text);
  if (query !== undefined) return query;
  throw new OperatorError(`--query: expected one of ${QUERY_NAMES.join(', ')}, got '${text}'`, {
    exitCode: 2,
  });
}

/** In the order in which they are named; without a peer, which has a folder of its own to be installed into. */
function choosePaired(names: string, query: QueryName): readonly Candidate[] {
  const known = CANDIDATES.filter(({ kind, queries }) => kind !== 'peer' && queries.includes(query));
  return names.split(',').map((given) => {
    const [name = '', root] = given.trim().split('@');
    const candidate = known.find((one) => one.name === name);
    if (candidate !== undefined) return root === undefined ? candidate : ofCheckout(candidate, resolve(root));
    const expected = known.map((one) => one.name).join(', ');
    throw new OperatorError(`--paired: there is no candidate '${name}': expected some of ${expected}`, {
      exitCode: 2,
    });
  });
}

const TURNS_A_LINE = 10;

function tellTurn(turn: number, turns: number): void {
  if (turn % TURNS_A_LINE === 0) process.stderr.write(`bench: turn ${turn} of ${turns}\n`);
}

function tellProgress(done: Measurement | Failure): void {
  const head = `bench: round ${done.round} ${done.query} ${done.candidate}:`;
  process.stderr.write(
    'reason' in done
      ? `${head} not measured: ${done.reason}\n`
      : `${head} ${done.requestsPerSecond.toFixed(0)} requests/s\n`,
  );
}

function printTables(
  { measurements, failures, settings }: BenchResult,
  candidates: readonly Candidate[],
): void {
  for (const query of QUERY_NAMES) {
    process.stdout.write(`\n${query}\n${formatPlain(tableOfQuery(measurements, query))}\n`);
  }
  process.stdout.write(`\n${formatPlain(tableOfTargets(judgeTargets(measurements, candidates)))}\n`);
  for (const { candidate, query, reason } of failures) {
    process.stdout.write(`\nnot measured: ${candidate}, ${query}: ${reason}\n`);
  }
  const disturbed = disturbedOf(measurements).length;
  if (disturbed > 0) {
    process.stdout.write(
      `\ndisturbed: others took part of the candidate's core in ${disturbed} of ${measurements.length} measurements\n`,
    );
  }
  if (settings.loadTool === 'node') {
    process.stdout.write('\nload by the generator in Node: install wrk for figures to compare\n');
  }
  if (!settings.isPinning)
    process.stdout.write('\nnothing was pinned to a core: figures disturb each other\n');
}

function writeDocument({ candidates, reportFile }: GivenArguments, result: BenchResult): void {
  if (reportFile === undefined) {
    process.stdout.write(
      'docs/benchmarks.md is left as it is: it is written by a run of all candidates and three rounds or more\n',
    );
    return;
  }
  writeKeepingNotes(reportFile, writeReport(result, candidates));
  process.stdout.write(`document: ${reportFile}\n`);
}
