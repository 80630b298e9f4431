// The rounds of live clients: each measures every row once for each shape, so that a change of the machine's speed hits all alike.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deadlineSignal } from '@weft/core/deadline';
import { invariant } from '@weft/core/errors';
import { compose } from '@weft/schema/compose';
import { describeMachine } from '../machine.ts';
import { installedVersions, installPeer, type PeerName } from '../peers.ts';
import { LOAD_CORE, pinned, pinSelf } from '../pinning.ts';
import { bareEnvironment, startProgram } from '../program.ts';
import { SUBGRAPHS } from '../workload/schemas.ts';
import type { LiveCandidate } from './candidates.ts';
import { type IdleFigures, type IdleSettings, measureIdle } from './idle.ts';
import { LIVE_LIMITS } from './limits.ts';
import { measureLive } from './measure.ts';
import type { LiveFailure, LiveMeasurement, LiveResult, LiveSettings } from './measurement.ts';
import type { Shape } from './operations.ts';
import type { LiveWorkbench } from './row.ts';
import { type LiveForm, liveSdlOf } from './schemas.ts';
import { openOutboxDatabase } from './services.ts';
import { measureSlow, type SlowFigures, type SlowSettings } from './slow.ts';

export interface LiveBenchOptions {
  readonly candidates: readonly LiveCandidate[];
  readonly settings: LiveSettings;
  /** Undefined: idle subscriptions are not measured. */
  readonly idle: IdleSettings | undefined;
  /** The same of clients that stop reading. */
  readonly slow: SlowSettings | undefined;
  /** Absolute: peers, logs, the database and work files are kept there. */
  readonly folder: string;
  /** Called after each measurement. */
  onProgress(done: LiveMeasurement | LiveFailure | IdleFigures | SlowFigures): void;
}

/**
 * Installs the peers that are asked for, starts what all rows need, measures, stops everything.
 * A row that fails is told in the result and left out of the rounds that follow.
 * @throws OperatorError when a peer cannot be installed or PostgreSQL not be started; the signal's reason when it aborts
 */
export async function runLiveBench(options: LiveBenchOptions, signal: AbortSignal): Promise<LiveResult> {
  const { folder, settings, candidates } = options;
  const logFolder = join(folder, 'logs');
  mkdirSync(logFolder, { recursive: true });
  const homes = await installPeers(candidates, join(folder, 'peers'), signal);
  const versions = Object.fromEntries(
    [...homes].map(([name, home]) => [name, installedVersions(name, home)]),
  );
  if (settings.isPinning) pinSelf(LOAD_CORE);
  const database = await openOutboxDatabase(folder);
  const subgraphs = startProgram({
    name: 'live-subgraphs',
    command: pinned(
      [process.execPath, join(import.meta.dirname, 'live-subgraphs.ts')],
      LOAD_CORE,
      settings.isPinning,
    ),
    env: bareEnvironment(),
    logFile: join(logFolder, 'live-subgraphs.log'),
  });
  try {
    const { subgraphs: origin = '' } = await subgraphs.ready(deadlineSignal(LIVE_LIMITS.startMsMax, signal));
    const bench: LiveWorkbench = {
      settings,
      subgraphs,
      subgraphsOrigin: origin,
      databaseUrl: database.url,
      folder,
      logFolder,
      supergraphFile: supergraphWriter(folder, origin),
      peerFolder: ({ peer }) => (peer === undefined ? '' : (homes.get(peer) ?? '')),
    };
    const measured = await runRounds(bench, options, signal);
    const idle = options.idle === undefined ? undefined : await measureIdle(bench, options.idle, signal);
    if (idle !== undefined) options.onProgress(idle);
    const slow = options.slow === undefined ? undefined : await measureSlow(bench, options.slow, signal);
    if (slow !== undefined) options.onProgress(slow);
    return { machine: describeMachine(versions), settings, ...measured, idle, slow };
  } finally {
    await subgraphs.stop();
    await database.stop();
  }
}

async function installPeers(
  candidates: readonly LiveCandidate[],
  folder: string,
  signal: AbortSignal,
): Promise<ReadonlyMap<PeerName, string>> {
  const homes = new Map<PeerName, string>();
  for (const { peer } of candidates) {
    if (peer !== undefined && !homes.has(peer)) homes.set(peer, await installPeer(peer, folder, signal));
  }
  return homes;
}

/** Composes when it is first asked for. */
function supergraphWriter(folder: string, origin: string): (form: LiveForm) => string {
  const files = new Map<LiveForm, string>();
  return (form) => {
    const known = files.get(form);
    if (known !== undefined) return known;
    const composition = compose(
      SUBGRAPHS.map((name) => ({ name, url: `${origin}/${name}`, sdl: liveSdlOf(name, 2, form) })),
    );
    invariant(
      composition.errors === undefined,
      `the live workload composes: ${composition.errors?.map(({ message }) => message).join('; ')}`,
    );
    const file = join(folder, `live-${form}.graphql`);
    writeFileSync(file, composition.supergraphSdl);
    files.set(form, file);
    return file;
  };
}

async function runRounds(
  bench: LiveWorkbench,
  { candidates, settings, onProgress }: LiveBenchOptions,
  signal: AbortSignal,
): Promise<Pick<LiveResult, 'measurements' | 'failures'>> {
  const measurements: LiveMeasurement[] = [];
  const failures: LiveFailure[] = [];
  const hasFailed = (candidate: LiveCandidate, shape: Shape) =>
    failures.some((failure) => failure.candidate === candidate.name && failure.shape === shape);
  for (let round = 1; round <= settings.rounds; round++) {
    for (const shape of settings.shapes) {
      for (const candidate of candidates) {
        if (hasFailed(candidate, shape)) continue;
        const done = await attempt(bench, candidate, shape, round, signal);
        if ('reason' in done) failures.push(done);
        else measurements.push(done);
        onProgress(done);
      }
    }
  }
  return { measurements, failures };
}

async function attempt(
  bench: LiveWorkbench,
  candidate: LiveCandidate,
  shape: Shape,
  round: number,
  signal: AbortSignal,
): Promise<LiveMeasurement | LiveFailure> {
  try {
    return await measureLive(bench, candidate, shape, round, signal);
  } catch (thrown) {
    signal.throwIfAborted();
    return { candidate: candidate.name, shape, round, reason: (thrown as Error).message };
  }
}
