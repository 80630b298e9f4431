// One measurement: a fresh process of the row, clients connected, warmed up, counted, read out, stopped.
import { join } from 'node:path';
import { deadlineSignal, delay } from '@weft/core/deadline';
import { HubError } from '@weft/core/errors';
import { findFreePort, readStats, untilAnswering } from '../http-client.ts';
import { GATEWAY_CORE, LOAD_CORE, pinned } from '../pinning.ts';
import { coreBusyMs, cpuMsOf, HAS_PROC, rssMiBOf, rssPeakMiBOf } from '../process-stats.ts';
import { bareEnvironment, type Program, startProgram } from '../program.ts';
import type { LiveCandidate } from './candidates.ts';
import { LIVE_LIMITS } from './limits.ts';
import type { BeginQuestion, ConnectQuestion, LoadFigures } from './load-program.ts';
import type { LiveMeasurement } from './measurement.ts';
import { payloadsOf, type Shape } from './operations.ts';
import { emit, expectedDeliveries, type LiveWorkbench, type Row } from './row.ts';
import { openRedisLog, type RedisLog } from './services.ts';
import { untilDelivered, warmUp } from './warm-up.ts';

/** @throws HubError when the row does not start or its clients are refused or not all reached; the signal's reason when it aborts */
export async function measureLive(
  bench: LiveWorkbench,
  candidate: LiveCandidate,
  shape: Shape,
  round: number,
  signal: AbortSignal,
): Promise<LiveMeasurement> {
  const redis = candidate.hasRedis === true ? await openRedisLog(optionsOfRedis(bench), signal) : undefined;
  let gateway: Program | undefined;
  let load: Program | undefined;
  try {
    const port = await findFreePort();
    gateway = startGateway(bench, candidate, port, redis);
    const url = `http://127.0.0.1:${port}/graphql`;
    await untilAnswering(gateway, { url, authorization: undefined }, 'single', signal);
    const groups = shape === 'groups' ? bench.settings.groups : 1;
    const sockets = url.replace('http', 'ws');
    const place = { bench, candidate, groups, gateway, beside: redis?.relay };
    const begunSeq = await pilot(place, shape, sockets, signal);
    const idleMiB = rssMiBOf(gateway.pid);
    load = await startLoad(bench, `load-${candidate.name}`, signal);
    const row: Row = { ...place, load };
    await connectClients(row, shape, sockets, signal);
    const firstSeq = await warmUp(row, begunSeq, signal);
    const rssMiB = rssMiBOf(gateway.pid);
    const figures = await countDeliveries(row, firstSeq, signal);
    return {
      candidate: candidate.name,
      shape,
      round,
      ...figures,
      kibPerConnection: HAS_PROC ? ((rssMiB - idleMiB) * 1_024) / bench.settings.clients : undefined,
      rssMiB: HAS_PROC ? rssMiB : undefined,
      rssPeakMiB: HAS_PROC ? rssPeakMiBOf(gateway.pid) : undefined,
    };
  } finally {
    // The clients first: a gateway that closes waits for theirs.
    await load?.stop();
    await gateway?.stop();
    await redis?.stop();
  }
}

function optionsOfRedis({ folder, logFolder, databaseUrl, settings: { isPinning } }: LiveWorkbench) {
  return { folder, logFolder, databaseUrl, isPinning };
}

/** The row's gateway, on its core. @param more settings of it */
export function startGateway(
  bench: LiveWorkbench,
  candidate: LiveCandidate,
  port: number,
  redis: RedisLog | undefined,
  more: Readonly<Record<string, string>> = {},
): Program {
  const { args, env, cwd } = candidate.command({
    subgraphsOrigin: bench.subgraphsOrigin,
    supergraphFile: bench.supergraphFile,
    databaseUrl: bench.databaseUrl,
    redisUrl: redis?.url ?? '',
    port,
    peerFolder: bench.peerFolder(candidate),
  });
  return startProgram({
    name: candidate.name,
    command: pinned([process.execPath, ...args], GATEWAY_CORE, bench.settings.isPinning),
    env: bareEnvironment({ ...env, ...more }),
    ...(cwd === undefined ? {} : { cwd }),
    logFile: join(bench.logFolder, `live-${candidate.name}.log`),
  });
}

/** A process of clients, on the core of the load. */
export async function startLoad(
  { settings, logFolder }: Pick<LiveWorkbench, 'settings' | 'logFolder'>,
  name: string,
  signal: AbortSignal,
): Promise<Program> {
  const script = join(import.meta.dirname, 'load-program.ts');
  const load = startProgram({
    name,
    command: pinned([process.execPath, script], LOAD_CORE, settings.isPinning),
    env: bareEnvironment(),
    logFile: join(logFolder, `${name}.log`),
  });
  try {
    await load.ready(deadlineSignal(LIVE_LIMITS.startMsMax, signal));
    return load;
  } catch (thrown) {
    await load.stop();
    throw thrown;
  }
}

/**
 * A few clients come, have events and go: what a program grows by in its first seconds of work (heap, compiled code) is
 * not what a connection costs.
 * @returns the number of the next event
 */
async function pilot(
  place: Omit<Row, 'load'>,
  shape: Shape,
  url: string,
  signal: AbortSignal,
): Promise<number> {
  const { bench } = place;
  const clients = Math.min(bench.settings.clients, Math.max(LIVE_LIMITS.pilotClients, place.groups));
  const load = await startLoad(bench, `pilot-${place.candidate.name}`, signal);
  try {
    const row: Row = { ...place, load, bench: { ...bench, settings: { ...bench.settings, clients } } };
    await connectClients(row, shape, url, signal);
    return await warmUp(row, 0, signal);
  } finally {
    await load.stop();
    await delay(LIVE_LIMITS.settleMs, signal);
  }
}

export async function connectClients(
  row: Row,
  shape: Shape,
  url: string,
  signal: AbortSignal,
): Promise<void> {
  const { bench, candidate, load, groups } = row;
  const question: ConnectQuestion = {
    url,
    clients: bench.settings.clients,
    operationsPerClient: 1,
    payloads: payloadsOf(shape, groups, candidate.form),
  };
  await load.ask('connect', question, deadlineSignal(LIVE_LIMITS.connectMsMax, signal));
}

type Figures = Omit<
  LiveMeasurement,
  'candidate' | 'shape' | 'round' | 'kibPerConnection' | 'rssMiB' | 'rssPeakMiB'
>;

export async function countDeliveries(row: Row, firstSeq: number, signal: AbortSignal): Promise<Figures> {
  const { bench, load, groups } = row;
  const { clients, eventsPerSecond, seconds } = bench.settings;
  const events = eventsPerSecond * seconds;
  const expected = expectedDeliveries(firstSeq, events, clients, groups);
  await load.ask<undefined>('begin', { firstSeq, deliveriesMax: expected } satisfies BeginQuestion, signal);
  await readStats(bench.subgraphsOrigin, 'reset', signal);
  const before = readClocks(row);
  await emit(row, firstSeq, events, eventsPerSecond, signal);
  await untilDelivered(row, expected, LIVE_LIMITS.drainMsMax, signal);
  const after = readClocks(row);
  const { requests } = await readStats(bench.subgraphsOrigin, 'stats', signal);
  const got = await load.ask<LoadFigures>('finish', {}, signal);
  if (got.delivered === 0) {
    const ended = row.gateway.ended() ?? 'it still runs';
    throw new HubError(
      'UPSTREAM_INVALID',
      `nothing was delivered (${ended}): ${got.others.samples[0] ?? ''}`,
    );
  }
  const spentMs = Math.max(got.lastAtNs / 1e6 - before.monotonicMs, seconds * 1_000);
  const wallMs = after.wallMs - before.wallMs;
  const cpuMs = after.cpuMs - before.cpuMs;
  const isTold = bench.settings.isPinning && HAS_PROC;
  return {
    expected,
    delivered: got.delivered,
    deliveriesPerSecond: (1_000 * got.delivered) / spentMs,
    duplicates: got.duplicates,
    misordered: got.misordered,
    p50Ms: got.p50Ms,
    p99Ms: got.p99Ms,
    maxMs: got.maxMs,
    dueP99Ms: got.dueP99Ms,
    bunchedShare: bunchedShareOf(got.stampGapsMs, eventsPerSecond),
    fetchesPerEvent: row.candidate.kind === 'bare' ? undefined : requests / events,
    cpuShare: HAS_PROC ? cpuMs / wallMs : undefined,
    besideCpuShare: row.beside === undefined ? undefined : (after.besideMs - before.besideMs) / wallMs,
    foreignShare: isTold
      ? Math.max(0, (after.gatewayCoreMs - before.gatewayCoreMs - cpuMs) / wallMs)
      : undefined,
    loadCoreShare: isTold ? (after.loadCoreMs - before.loadCoreMs) / wallMs : undefined,
    clientShare: got.cpuMs / wallMs,
    deliveryBytes: Buffer.byteLength(got.sample),
  };
}

/** Of the events that follow another one, those that come less than half an interval after it. */
function bunchedShareOf(gapsMs: readonly number[], eventsPerSecond: number): number {
  const bunched = gapsMs.filter((gapMs) => gapMs < 500 / eventsPerSecond);
  return gapsMs.length === 0 ? 0 : bunched.length / gapsMs.length;
}

function readClocks({ gateway, beside }: Row) {
  return {
    wallMs: performance.now(),
    monotonicMs: Number(process.hrtime.bigint()) / 1e6,
    cpuMs: cpuMsOf(gateway.pid),
    besideMs: beside === undefined ? 0 : cpuMsOf(beside.pid),
    gatewayCoreMs: coreBusyMs(GATEWAY_CORE),
    loadCoreMs: coreBusyMs(LOAD_CORE),
  };
}
