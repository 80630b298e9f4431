// Candidates side by side: all stay up on one core and take short turns, so that whatever else the machine does hits all alike.
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openWorkbench } from './bench.ts';
import type { Candidate } from './candidates.ts';
import { checkAnswer, findFreePort, type Target, untilAnswering } from './http-client.ts';
import { type ExactLoad, openExactLoad } from './load/exact-load.ts';
import { startCandidate, type Workbench } from './measure.ts';
import type { BenchSettings } from './measurement.ts';
import { preciseCpuMsOf, processTree, rssPeakMiBOf } from './process-stats.ts';
import type { Program } from './program.ts';
import { type Quartiles, quartilesOf } from './statistics.ts';
import type { Table } from './table.ts';
import type { QueryName } from './workload/operations.ts';

export interface PairedOptions {
  /** The first is the one that the others are compared with. */
  readonly candidates: readonly Candidate[];
  readonly query: QueryName;
  readonly turns: number;
  readonly settings: BenchSettings;
  /** Absolute; logs and work files are kept there. */
  readonly folder: string;
  /** Called after each turn that counts, from 1, with what is known by then. */
  onTurn(turn: number, results: readonly PairedResult[]): void;
}

export interface PairedResult {
  readonly candidate: string;
  /** Of the turns. */
  readonly cpuMsPerRequest: Quartiles;
  /** Requests that a second of processor time serves, to those of the first candidate; of turns that follow each other. */
  readonly ratio: Quartiles;
  /** The same of the turn of each that took the least: what others do to a core's caches only adds to a turn. */
  readonly ratioOfLeast: number;
  readonly rssPeakMiB: number;
}

interface Contender {
  readonly candidate: Candidate;
  readonly program: Program;
  readonly target: Target;
  readonly load: ExactLoad;
  readonly cpuMsPerRequest: number[];
}

/** A turn lasts a fraction of a second. */
const REQUESTS: Readonly<Record<QueryName, number>> = { federated: 100, single: 600 };
/** Before the first that counts: code is compiled, and memory has grown. */
const WARM_UP_TURNS = 12;

/**
 * Processor time, not the clock, is what is compared: it says the same on a machine that has more to do.
 * @throws HubError when a candidate does not start, answers wrongly, or fails requests; the signal's reason when it aborts
 */
export async function runPaired(
  options: PairedOptions,
  signal: AbortSignal,
): Promise<readonly PairedResult[]> {
  const { folder, settings, candidates, query, turns } = options;
  mkdirSync(join(folder, 'logs'), { recursive: true });
  const { bench, close } = await openWorkbench(settings, folder, new Map(), signal);
  const contenders: Contender[] = [];
  try {
    for (const candidate of candidates) contenders.push(await open(bench, candidate, query, signal));
    for (let turn = -WARM_UP_TURNS; turn < turns; turn++) {
      // Nobody is always the one who comes after another.
      for (const contender of turn % 2 === 0 ? contenders : contenders.toReversed()) {
        signal.throwIfAborted();
        const spentMs = await takeTurn(contender, REQUESTS[query]);
        if (turn >= 0) contender.cpuMsPerRequest.push(spentMs / REQUESTS[query]);
      }
      if (turn >= 0) options.onTurn(turn + 1, compareAll(contenders));
    }
    for (const { target } of contenders) await checkAnswer(target, query, signal);
    return compareAll(contenders);
  } finally {
    await Promise.all(contenders.map(({ load }) => load.close()));
    await Promise.all(contenders.map(({ program }) => program.stop()));
    await close();
  }
}

async function open(
  bench: Workbench,
  candidate: Candidate,
  query: QueryName,
  signal: AbortSignal,
): Promise<Contender> {
  const port = await findFreePort();
  const authorization = candidate.hasEdge === true ? bench.edge.authorization : undefined;
  const target: Target = { url: `http://127.0.0.1:${port}/graphql`, authorization };
  const program = startCandidate(bench, candidate, query, port);
  try {
    await untilAnswering(program, target, query, signal);
    await checkAnswer(target, query, signal);
  } catch (thrown) {
    await program.stop();
    throw thrown;
  }
  const load = openExactLoad(target, readFileSync(bench.bodyFile(query)));
  return { candidate, program, target, load, cpuMsPerRequest: [] };
}

/** Gives the processor time that the requests took, in ms. */
async function takeTurn({ program, load }: Contender, requests: number): Promise<number> {
  const members = processTree(program.pid);
  const before = preciseCpuMsOf(members);
  await load.ask(requests);
  return preciseCpuMsOf(members) - before;
}

function compareAll(contenders: readonly Contender[]): readonly PairedResult[] {
  return contenders.map((contender) => compare(contender, contenders[0] ?? contender));
}

function compare({ candidate, program, cpuMsPerRequest }: Contender, first: Contender): PairedResult {
  const ratios = cpuMsPerRequest.map((own, turn) => (first.cpuMsPerRequest[turn] ?? Number.NaN) / own);
  const own = quartilesOf(cpuMsPerRequest);
  return {
    candidate: candidate.name,
    cpuMsPerRequest: own,
    ratio: quartilesOf(ratios),
    ratioOfLeast: quartilesOf(first.cpuMsPerRequest).least / own.least,
    rssPeakMiB: rssPeakMiBOf(program.pid),
  };
}

/** One row a candidate, in the order in which they were given. */
export function tableOfPaired(results: readonly PairedResult[]): Table {
  const cell = ({ lower, median, upper }: Quartiles) =>
    `${median.toFixed(3)} (${lower.toFixed(3)}–${upper.toFixed(3)})`;
  return [
    [
      'candidate',
      'CPU ms/req (quartiles)',
      `to ${results[0]?.candidate} (quartiles)`,
      'least CPU ms/req',
      'to its least',
      'peak RSS MiB',
    ],
    ...results.map(({ candidate, cpuMsPerRequest, ratio, ratioOfLeast, rssPeakMiB }) => [
      candidate,
      cell(cpuMsPerRequest),
      cell(ratio),
      cpuMsPerRequest.least.toFixed(3),
      ratioOfLeast.toFixed(3),
      rssPeakMiB.toFixed(0),
    ]),
  ];
}
