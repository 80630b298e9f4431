// `weft bench subscriptions`: reads the arguments, runs the bench with live clients, prints the tables, writes the document.
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { OperatorError } from '@weft/core/errors';
import { homeDirectory } from '../../checkout.ts';
import { takeLock } from '../lock.ts';
import { writeKeepingNotes } from '../notes.ts';
import { canPin } from '../pinning.ts';
import { formatPlain, tableOfTargets } from '../table.ts';
import { runLiveBench } from './bench.ts';
import { LIVE_CANDIDATES, type LiveCandidate } from './candidates.ts';
import type { IdleFigures, IdleSettings } from './idle.ts';
import { LIVE_LIMITS } from './limits.ts';
import type { LiveFailure, LiveMeasurement, LiveResult, LiveSettings } from './measurement.ts';
import { SHAPES, type Shape } from './operations.ts';
import { writeLiveReport } from './report.ts';
import type { SlowFigures, SlowSettings } from './slow.ts';
import { describeIdle, describeSlow, tableOfIdle, tableOfShape, tableOfSlow } from './table.ts';
import { judgeLive } from './targets.ts';

const LOCK_WAIT_MS_MAX = 120_000;
/** Or as many as there are clients. */
const GROUPS_DEFAULT = 100;

const OPTIONS = {
  only: { type: 'string' },
  shape: { type: 'string' },
  clients: { type: 'string', default: '5000' },
  groups: { type: 'string' },
  rate: { type: 'string', default: '20' },
  seconds: { type: 'string', default: '20' },
  rounds: { type: 'string', default: '3' },
  'no-peers': { type: 'boolean', default: false },
  idle: { type: 'boolean', default: false },
  sockets: { type: 'string', default: '15000' },
  subscriptions: { type: 'string', default: '50000' },
  cycles: { type: 'string', default: '10000' },
  slow: { type: 'boolean', default: false },
  'slow-sockets': { type: 'string', default: '4' },
  report: { type: 'string' },
} as const;

/**
 * `weft bench subscriptions [--only NAMES] [--shape broadcast|groups] [--clients N] [--groups N] [--rate N] [--seconds S]
 * [--rounds N] [--no-peers] [--idle [--sockets N] [--subscriptions N] [--cycles N]] [--slow [--slow-sockets N]] [--report FILE]`.
 * `--only ''` measures no row, for `--idle` or `--slow` alone. The process ends with exit code 1 when a row could not be measured.
 * @throws OperatorError for a mistake in the arguments, while another bench runs, or when a peer cannot be installed
 */
export async function benchSubscriptionsCommand(argv: readonly string[]): Promise<void> {
  const given = parseArguments(argv);
  const stopping = new AbortController();
  const stop = () => stopping.abort(new OperatorError('bench: ended early', { exitCode: 130 }));
  // Not once: npm forwards Ctrl-C, so it arrives twice, and the second must not cut off the clearing up.
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  const release = await takeLock(LOCK_WAIT_MS_MAX, stopping.signal);
  try {
    const folder = join(homeDirectory(process.env), 'bench');
    const result = await runLiveBench({ ...given, folder, onProgress: tellProgress }, stopping.signal);
    const rawFile = join(folder, 'subscriptions.json');
    writeFileSync(rawFile, JSON.stringify(result, null, 2));
    printTables(result);
    process.stdout.write(`\nraw numbers: ${rawFile}\n`);
    if (given.reportFile !== undefined) {
      writeKeepingNotes(given.reportFile, writeLiveReport(result));
      process.stdout.write(`document: ${given.reportFile}\n`);
    }
    if (result.failures.length > 0) process.exitCode = 1;
  } finally {
    release();
    process.off('SIGINT', stop);
    process.off('SIGTERM', stop);
  }
}

interface GivenArguments {
  readonly candidates: readonly LiveCandidate[];
  readonly settings: LiveSettings;
  readonly idle: IdleSettings | undefined;
  readonly slow: SlowSettings | undefined;
  /** Absolute; undefined when no document is to be written. */
  readonly reportFile: string | undefined;
}

function parseArguments(argv: readonly string[]): GivenArguments {
  const values = parseStrictly(argv);
  const whole = (name: keyof typeof values, max: number) => readWhole(name, String(values[name]), max);
  const clients = whole('clients', LIVE_LIMITS.clientsMax);
  return {
    candidates: chooseCandidates(values.only, values['no-peers']),
    settings: {
      clients,
      groups: readWhole(
        'groups',
        values.groups ?? String(Math.min(GROUPS_DEFAULT, clients)),
        Math.min(LIVE_LIMITS.groupsMax, clients),
      ),
      eventsPerSecond: whole('rate', LIVE_LIMITS.eventsPerSecondMax),
      seconds: whole('seconds', LIVE_LIMITS.secondsMax),
      rounds: whole('rounds', LIVE_LIMITS.roundsMax),
      shapes: chooseShapes(values.shape),
      isPinning: canPin(),
    },
    idle: values.idle
      ? {
          sockets: whole('sockets', LIVE_LIMITS.clientsMax),
          subscriptions: whole('subscriptions', LIVE_LIMITS.subscriptionsMax),
          cycles: whole('cycles', LIVE_LIMITS.cyclesMax),
        }
      : undefined,
    slow: values.slow ? { sockets: whole('slow-sockets', LIVE_LIMITS.slowSocketsMax) } : undefined,
    reportFile: values.report === undefined ? undefined : resolve(values.report),
  };
}

function parseStrictly(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options: OPTIONS, strict: true }).values;
  } catch (cause) {
    throw new OperatorError(`bench subscriptions: ${(cause as Error).message}`, { cause, exitCode: 2 });
  }
}

function readWhole(name: string, text: string, max: number): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 1 && value <= max) return value;
  throw new OperatorError(`--${name}: expected a whole number from 1 to ${max}, got '${text}'`, {
    exitCode: 2,
  });
}

function chooseShapes(given: string | undefined): readonly Shape[] {
  if (given === undefined) return SHAPES;
  const chosen = SHAPES.filter((shape) => shape === given);
  if (chosen.length > 0) return chosen;
  throw new OperatorError(`--shape: expected one of ${SHAPES.join(', ')}, got '${given}'`, { exitCode: 2 });
}

function chooseCandidates(only: string | undefined, isWithoutPeers: boolean): readonly LiveCandidate[] {
  const names = only?.split(',').flatMap((name) => (name.trim() === '' ? [] : [name.trim()]));
  const unknown = names?.find((name) => !LIVE_CANDIDATES.some((candidate) => candidate.name === name));
  if (unknown !== undefined) {
    const known = LIVE_CANDIDATES.map(({ name }) => name).join(', ');
    throw new OperatorError(`--only: there is no row '${unknown}': expected some of ${known}`, {
      exitCode: 2,
    });
  }
  return LIVE_CANDIDATES.filter(
    ({ name, kind }) => (names?.includes(name) ?? true) && !(isWithoutPeers && kind === 'peer'),
  );
}

function tellProgress(done: LiveMeasurement | LiveFailure | IdleFigures | SlowFigures): void {
  if ('held' in done) {
    process.stderr.write(`bench: idle: ${describeIdle(done)}\n`);
    return;
  }
  if ('operationsPerSocket' in done) {
    process.stderr.write(`bench: slow: ${describeSlow(done)}\n`);
    return;
  }
  const head = `bench: round ${done.round} ${done.shape} ${done.candidate}:`;
  process.stderr.write(
    'reason' in done
      ? `${head} not measured: ${done.reason}\n`
      : `${head} ${done.deliveriesPerSecond.toFixed(0)} deliveries/s, ${done.delivered} of ${done.expected}\n`,
  );
}

function printTables({ measurements, failures, settings, idle, slow }: LiveResult): void {
  const targets = judgeLive(measurements);
  if (targets.length > 0) process.stdout.write(`\n${formatPlain(tableOfTargets(targets))}\n`);
  for (const shape of settings.shapes)
    process.stdout.write(`\n${shape}\n${formatPlain(tableOfShape(measurements, shape))}\n`);
  if (idle !== undefined)
    process.stdout.write(`\nidle: ${describeIdle(idle)}\n${formatPlain(tableOfIdle(idle))}\n`);
  if (slow !== undefined)
    process.stdout.write(`\nslow: ${describeSlow(slow)}\n${formatPlain(tableOfSlow(slow))}\n`);
  for (const { candidate, shape, reason } of failures)
    process.stdout.write(`\nnot measured: ${candidate}, ${shape}: ${reason}\n`);
  if (!settings.isPinning)
    process.stdout.write('\nnothing was pinned to a core: figures disturb each other\n');
}
