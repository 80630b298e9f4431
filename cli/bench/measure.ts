// One measurement: a fresh process of the candidate, its answer checked, warmed up, loaded, read out, stopped.
import { join } from 'node:path';
import { delay } from '@weft/core/deadline';
import { HubError } from '@weft/core/errors';
import type { Candidate } from './candidates.ts';
import type { Edge } from './edge.ts';
import { checkAnswer, findFreePort, readStats, type Target, untilAnswering } from './http-client.ts';
import { type LoadSpec, runLoad } from './load/run-load.ts';
import type { BenchSettings, Measurement } from './measurement.ts';
import { GATEWAY_CORE, LOAD_CORE, pinned } from './pinning.ts';
import { coreBusyMs, cpuMsOf, HAS_PROC, type RssWatch, rssPeakMiBOf, watchRss } from './process-stats.ts';
import { bareEnvironment, type Program, startProgram } from './program.ts';
import type { QueryName } from './workload/operations.ts';

/** What all measurements of a bench have in common. */
export interface Workbench {
  readonly settings: BenchSettings;
  readonly subgraphsOrigin: string;
  readonly supergraphFile: string;
  readonly edge: Edge;
  /** Absolute; the candidates' logs go there. */
  readonly logFolder: string;
  /** The file with the body to post. */
  bodyFile(query: QueryName): string;
  peerFolder(candidate: Candidate): string;
}

/** Processor time in a quarter of a second below which a process counts as quiet. */
const QUIET_CPU_MS = 20;
const QUIET_POLL_MS = 250;
const QUIET_POLLS_MAX = 60;
/** In a row. */
const QUIET_POLLS_MIN = 2;

/**
 * The first clients that leave in the middle of an answer make V8 compile anew what had never met one; that is done once in a
 * program's life, and is no part of what is measured.
 */
export const SECOND_WARM_UP_SECONDS_MAX = 2;

/** @throws HubError when the candidate does not start, answers wrongly, or fails requests; the signal's reason when it aborts */
export async function measure(
  bench: Workbench,
  candidate: Candidate,
  query: QueryName,
  round: number,
  signal: AbortSignal,
): Promise<Measurement> {
  const port = await findFreePort();
  const startedAt = performance.now();
  const program = startCandidate(bench, candidate, query, port);
  const rss = watchRss(program.pid);
  try {
    const authorization = candidate.hasEdge === true ? bench.edge.authorization : undefined;
    const target: Target = { url: `http://127.0.0.1:${port}/graphql`, authorization };
    await untilAnswering(program, target, query, signal);
    const answerBytes = await checkAnswer(target, query, signal);
    const readyMs = performance.now() - startedAt;
    const load: LoadSpec = {
      tool: bench.settings.loadTool,
      ...target,
      bodyFile: bench.bodyFile(query),
      seconds: bench.settings.warmUpSeconds,
      isPinning: bench.settings.isPinning,
    };
    for (const seconds of [load.seconds, Math.min(load.seconds, SECOND_WARM_UP_SECONDS_MAX)]) {
      await runLoad({ ...load, seconds }, signal);
      await untilQuiet(bench, program, signal);
    }
    const fetchesAlone = await countFetchesAlone(bench, target, query, signal);
    const figures = await runMeasuredLoad(
      bench,
      program,
      rss,
      { ...load, seconds: bench.settings.seconds },
      signal,
    );
    await checkAnswer(target, query, signal);
    return { candidate: candidate.name, query, round, ...figures, fetchesAlone, readyMs, answerBytes };
  } finally {
    rss.close();
    await program.stop();
  }
}

/** On the candidates' core. */
export function startCandidate(
  bench: Workbench,
  candidate: Candidate,
  query: QueryName,
  port: number,
): Program {
  const edge = candidate.hasEdge === true ? bench.edge : undefined;
  const { args, env, cwd } = candidate.command({
    subgraphsOrigin: bench.subgraphsOrigin,
    supergraphFile: (edge ?? bench).supergraphFile,
    port,
    peerFolder: bench.peerFolder(candidate),
  });
  return startProgram({
    name: candidate.name,
    command: pinned([process.execPath, ...args], GATEWAY_CORE, bench.settings.isPinning),
    env: bareEnvironment({ ...env, ...edge?.env }),
    ...(cwd === undefined ? {} : { cwd }),
    // A name may end with a path.
    logFile: join(bench.logFolder, `${candidate.name.replaceAll('/', '_')}-${query}.log`),
  });
}

/** Waits until the candidate is done with what the last load left in flight; goes on after 15 s in any case. */
async function untilQuiet(bench: Workbench, program: Program, signal: AbortSignal): Promise<void> {
  const look = async () => ({
    cpuMs: cpuMsOf(program.pid),
    requests: (await readStats(bench.subgraphsOrigin, 'stats', signal)).requests,
  });
  let before = await look();
  for (let polls = 0, quietPolls = 0; polls < QUIET_POLLS_MAX && quietPolls < QUIET_POLLS_MIN; polls++) {
    await delay(QUIET_POLL_MS, signal);
    const after = await look();
    // A candidate that others keep from its core is idle without being done: the subgraphs must be left alone too.
    const isQuiet = after.requests === before.requests && after.cpuMs - before.cpuMs <= QUIET_CPU_MS;
    quietPolls = isQuiet ? quietPolls + 1 : 0;
    before = after;
  }
}

async function countFetchesAlone(
  bench: Workbench,
  target: Target,
  query: QueryName,
  signal: AbortSignal,
): Promise<number> {
  await readStats(bench.subgraphsOrigin, 'reset', signal);
  await checkAnswer(target, query, signal);
  return (await readStats(bench.subgraphsOrigin, 'reset', signal)).requests;
}

type Figures = Omit<
  Measurement,
  'candidate' | 'query' | 'round' | 'fetchesAlone' | 'readyMs' | 'answerBytes'
>;

async function runMeasuredLoad(
  bench: Workbench,
  program: Program,
  rss: RssWatch,
  load: LoadSpec,
  signal: AbortSignal,
): Promise<Figures> {
  const before = readClocks(program);
  const result = await runLoad(load, signal);
  const after = readClocks(program);
  const stats = await readStats(bench.subgraphsOrigin, 'stats', signal);
  if (result.failures > 0 || result.requests === 0) {
    const ended = program.ended() ?? 'it still runs';
    throw new HubError(
      'UPSTREAM_INVALID',
      `${result.failures} requests failed under load, ${result.requests} did not (${ended})`,
    );
  }
  const wallMs = after.wallMs - before.wallMs;
  const cpuMs = after.cpuMs - before.cpuMs;
  const isPinned = bench.settings.isPinning && HAS_PROC;
  return {
    requestsPerSecond: (1_000 * result.requests) / result.elapsedMs,
    p50Ms: result.p50Ms,
    p99Ms: result.p99Ms,
    cpuMsPerRequest: HAS_PROC ? cpuMs / result.requests : undefined,
    rssPeakMiB: HAS_PROC ? rssPeakMiBOf(program.pid) : undefined,
    rssAtOnceMiB: HAS_PROC ? rss.peakMiB() : undefined,
    fetchesPerRequest: stats.requests / result.requests,
    subgraphMisses: stats.misses,
    gatewayShare: HAS_PROC ? cpuMs / wallMs : undefined,
    foreignShare: isPinned
      ? Math.max(0, (after.gatewayCoreMs - before.gatewayCoreMs - cpuMs) / wallMs)
      : undefined,
    loadCoreShare: isPinned ? (after.loadCoreMs - before.loadCoreMs) / wallMs : undefined,
  };
}

function readClocks(program: Program) {
  return {
    wallMs: performance.now(),
    cpuMs: cpuMsOf(program.pid),
    gatewayCoreMs: coreBusyMs(GATEWAY_CORE),
    loadCoreMs: coreBusyMs(LOAD_CORE),
  };
}
