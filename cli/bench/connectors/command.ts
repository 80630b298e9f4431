// `weft bench connectors`: reads the arguments, measures, prints the table, writes the document.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { OperatorError } from '@weft/core/errors';
import { homeDirectory, ROOT } from '../../checkout.ts';
import { takeLock } from '../lock.ts';
import { MAPPING_CASES } from '../mapping/cases.ts';
import { measureMapping } from '../mapping/measure.ts';
import { writeKeepingNotes } from '../notes.ts';
import { canPin } from '../pinning.ts';
import { HAS_PROC } from '../process-stats.ts';
import { formatPlain } from '../table.ts';
import { measureConnectors } from './measure.ts';
import { tableOfConnectors, writeConnectorsReport } from './report.ts';

const TURNS = 10;
const TURNS_MAX = 1_000;
const ROUNDS = 6;
const ROUNDS_MAX = 50;
/** Fewer say too little about spread: such a run does not replace the document. */
const TURNS_OF_A_DOCUMENT_MIN = 40;
const LOCK_WAIT_MS_MAX = 120_000;

/**
 * `weft bench connectors [--turns N] [--rounds N] [--report FILE]`; a run of 40 turns or more in all its rounds writes docs/benchmarks-connectors.md.
 * @throws OperatorError for a mistake in the arguments, or where the system tells no processor time; HubError as `measureConnectors`
 */
export async function benchConnectorsCommand(argv: readonly string[]): Promise<void> {
  const { turns, rounds, reportFile } = readArguments(argv);
  if (!HAS_PROC)
    throw new OperatorError(
      'bench connectors reads the processor time of processes from /proc: it needs Linux',
    );
  const stopping = new AbortController();
  const stop = () => stopping.abort(new OperatorError('bench: ended early', { exitCode: 130 }));
  process.on('SIGINT', stop).on('SIGTERM', stop);
  const release = await takeLock(LOCK_WAIT_MS_MAX, stopping.signal);
  try {
    const folder = join(homeDirectory(process.env), 'bench', 'connectors');
    mkdirSync(folder, { recursive: true });
    const all = turns * rounds;
    const onTurn = (turn: number) => process.stderr.write(`\rturn ${turn} of ${all}`);
    const options = { turns, rounds, isPinning: canPin(), folder, onTurn };
    const result = await measureConnectors(options, stopping.signal);
    const mappings = MAPPING_CASES.map((each) => measureMapping(each, all));
    writeFileSync(join(folder, 'result.json'), JSON.stringify({ result, mappings }, null, 2));
    process.stdout.write(`\n${formatPlain(tableOfConnectors(result))}\n`);
    if (reportFile === undefined) return;
    writeKeepingNotes(reportFile, writeConnectorsReport(result, mappings));
    process.stdout.write(`\nwrote ${reportFile}\n`);
  } finally {
    release();
    process.off('SIGINT', stop).off('SIGTERM', stop);
  }
}

function readArguments(argv: readonly string[]) {
  const options = {
    turns: { type: 'string' },
    rounds: { type: 'string' },
    report: { type: 'string' },
  } as const;
  const { values } = parseStrictly(() => parseArgs({ args: [...argv], options, strict: true }));
  const turns = readCount('turns', values.turns ?? String(TURNS), TURNS_MAX);
  const rounds = readCount('rounds', values.rounds ?? String(ROUNDS), ROUNDS_MAX);
  const document =
    turns * rounds >= TURNS_OF_A_DOCUMENT_MIN ? join(ROOT, 'docs', 'benchmarks-connectors.md') : undefined;
  return { turns, rounds, reportFile: values.report === undefined ? document : resolve(values.report) };
}

function readCount(name: string, text: string, max: number): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1 && count <= max) return count;
  throw new OperatorError(`--${name} is a whole number from 1 to ${max}`, { exitCode: 2 });
}

function parseStrictly<Parsed>(parse: () => Parsed): Parsed {
  try {
    return parse();
  } catch (cause) {
    throw new OperatorError(`bench: ${(cause as Error).message}`, { cause, exitCode: 2 });
  }
}
