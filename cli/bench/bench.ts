// The rounds: each measures every candidate once, so that a change of the machine's speed hits all of them alike.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deadlineSignal } from '@weft/core/deadline';
import { invariant } from '@weft/core/errors';
import { compose } from '@weft/schema/compose';
import type { Candidate } from './candidates.ts';
import { openEdge } from './edge.ts';
import { describeMachine } from './machine.ts';
import { measure, type Workbench } from './measure.ts';
import type { BenchResult, BenchSettings, Failure, Measurement } from './measurement.ts';
import { installedVersions, installPeer, type PeerName } from './peers.ts';
import { LOAD_CORE, pinned, pinSelf } from './pinning.ts';
import { bareEnvironment, type Program, startProgram } from './program.ts';
import { QUERY_NAMES, type QueryName, requestBodyOf } from './workload/operations.ts';
import { SUBGRAPHS, sdlOf } from './workload/schemas.ts';

export interface BenchOptions {
  readonly candidates: readonly Candidate[];
  readonly settings: BenchSettings;
  /** Absolute: peers, logs and work files are kept there. */
  readonly folder: string;
  /** Called after each measurement. */
  onProgress(done: Measurement | Failure): void;
}

const SUBGRAPHS_START_MS_MAX = 20_000;

/**
 * Installs the peers that are asked for, starts the subgraphs, measures, stops everything.
 * A candidate that fails is told in the result and left out of the rounds that follow.
 * @throws OperatorError when a peer cannot be installed; the signal's reason when it aborts
 */
export async function runBench(options: BenchOptions, signal: AbortSignal): Promise<BenchResult> {
  const { folder, settings, candidates } = options;
  mkdirSync(join(folder, 'logs'), { recursive: true });
  const peerFolders = await installPeers(candidates, join(folder, 'peers'), signal);
  const versions = Object.fromEntries(
    [...peerFolders].map(([name, home]) => [name, installedVersions(name, home)]),
  );
  const { bench, close } = await openWorkbench(settings, folder, peerFolders, signal);
  try {
    const measured = await runRounds(bench, options, signal);
    return { machine: describeMachine(versions), settings, ...measured };
  } finally {
    await close();
  }
}

/**
 * Starts the subgraphs and writes what candidates are started with.
 * @param folder absolute, with a folder `logs`
 */
export async function openWorkbench(
  settings: BenchSettings,
  folder: string,
  peerFolders: ReadonlyMap<PeerName, string>,
  signal: AbortSignal,
): Promise<{ readonly bench: Workbench; close(): Promise<void> }> {
  if (settings.isPinning) pinSelf(LOAD_CORE);
  const logFolder = join(folder, 'logs');
  const subgraphs = startSubgraphs(settings, logFolder);
  try {
    const { subgraphs: origin = '' } = await subgraphs.ready(deadlineSignal(SUBGRAPHS_START_MS_MAX, signal));
    const bench: Workbench = {
      settings,
      subgraphsOrigin: origin,
      supergraphFile: writeSupergraph(folder, origin),
      edge: await openEdge(folder, origin),
      logFolder,
      bodyFile: (query) => join(folder, `${query}.json`),
      peerFolder: ({ peer }) => (peer === undefined ? '' : (peerFolders.get(peer) ?? '')),
    };
    for (const query of QUERY_NAMES) writeFileSync(bench.bodyFile(query), requestBodyOf(query));
    return { bench, close: () => subgraphs.stop() };
  } catch (thrown) {
    await subgraphs.stop();
    throw thrown;
  }
}

async function installPeers(
  candidates: readonly Candidate[],
  folder: string,
  signal: AbortSignal,
): Promise<ReadonlyMap<PeerName, string>> {
  const homes = new Map<PeerName, string>();
  for (const { peer } of candidates) {
    if (peer !== undefined && !homes.has(peer)) homes.set(peer, await installPeer(peer, folder, signal));
  }
  return homes;
}

function startSubgraphs({ isPinning }: BenchSettings, logFolder: string): Program {
  const script = join(import.meta.dirname, 'workload', 'subgraph-server.ts');
  return startProgram({
    name: 'subgraphs',
    command: pinned([process.execPath, script], LOAD_CORE, isPinning),
    env: bareEnvironment(),
    logFile: join(logFolder, 'subgraphs.log'),
  });
}

function writeSupergraph(folder: string, origin: string): string {
  const composition = compose(
    SUBGRAPHS.map((name) => ({ name, url: `${origin}/${name}`, sdl: sdlOf(name, 2) })),
  );
  invariant(composition.errors === undefined, `the workload composes: ${composition.errors?.[0]?.message}`);
  const file = join(folder, 'supergraph.graphql');
  writeFileSync(file, composition.supergraphSdl);
  return file;
}

async function runRounds(
  bench: Workbench,
  { candidates, settings, onProgress }: BenchOptions,
  signal: AbortSignal,
): Promise<Pick<BenchResult, 'measurements' | 'failures'>> {
  const measurements: Measurement[] = [];
  const failures: Failure[] = [];
  const hasFailed = (candidate: Candidate, query: QueryName) =>
    failures.some((failure) => failure.candidate === candidate.name && failure.query === query);
  for (let round = 1; round <= settings.rounds; round++) {
    for (const query of QUERY_NAMES) {
      for (const candidate of candidates) {
        if (!candidate.queries.includes(query) || hasFailed(candidate, query)) continue;
        const done = await attempt(bench, candidate, query, round, signal);
        if ('reason' in done) failures.push(done);
        else measurements.push(done);
        onProgress(done);
      }
    }
  }
  return { measurements, failures };
}

async function attempt(
  bench: Workbench,
  candidate: Candidate,
  query: QueryName,
  round: number,
  signal: AbortSignal,
): Promise<Measurement | Failure> {
  try {
    return await measure(bench, candidate, query, round, signal);
  } catch (thrown) {
    signal.throwIfAborted();
    return { candidate: candidate.name, query, round, reason: (thrown as Error).message };
  }
}
