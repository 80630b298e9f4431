// One measurement: a fresh process of the row, clients connected, warmed up, counted, read out, stopped.
import { join } from 'node:path';
import { deadlineSignal, delay } from '@weft/core/deadline';
import { HubError } from '@weft/core/errors';
import { findFreePort, readStats, untilAnswering } from '../http-client.ts';
import { GATEWAY_CORE, LOAD_CORE, pinned } from '../pinning.ts';
import { coreBusyMs, cpuMsOf, HAS_PROC, rssMiBOf, rssPeakMiBOf } from '../process-stats.ts';
import { bareEnvironment, type Program, startProgram } from '../program.ts';
import type { LiveCandidate, LiveWorkplace } from './candidates.ts';
import { LIVE_LIMITS } from './limits.ts';
import type { EmitQuestion } from './live-subgraphs.ts';
import type { BeginQuestion, ConnectQuestion, LoadFigures, Progress } from './load-program.ts';
import type { LiveMeasurement, LiveSettings } from './measurement.ts';
import { payloadsOf, type Shape } from './operations.ts';
import { openRedisLog, type RedisLog } from './services.ts';

/** What all measurements of a bench have in common. */
export interface LiveWorkbench extends Omit<LiveWorkplace, 'port' | 'peerFolder' | 'redisUrl'> {
  readonly settings: LiveSettings;
  /** The subgraphs' program, which is the source of events too. */
  readonly subgraphs: Program;
  /** Absolute. */
  readonly folder: string;
  readonly logFolder: string;
  peerFolder(candidate: LiveCandidate): string;
}

/** One row of one round, with what it started. */
export interface Row {
  readonly bench: LiveWorkbench;
  readonly candidate: LiveCandidate;
  readonly groups: number;
  readonly gateway: Program;
  readonly beside: Program | undefined;
  readonly load: Program;
}

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

/** So many events, at a rate; resolves when they are out. */
export function emit(
  row: Row,
  firstSeq: number,
  events: number,
  eventsPerSecond: number,
  signal: AbortSignal,
) {
  const { bench, candidate, gateway, groups } = row;
  const question: EmitQuestion = {
    firstSeq,
    events,
    eventsPerSecond,
    groups,
    ...(candidate.source === 'outbox' ? { databaseUrl: bench.databaseUrl } : {}),
  };
  const source = candidate.source === 'own' ? gateway : bench.subgraphs;
  return source.ask<undefined>('emit', question, signal);
}

/**
 * Events go out until every client has had one, then until nothing more comes.
 * @returns the number of the next event
 */
export async function warmUp(row: Row, firstSeq: number, signal: AbortSignal): Promise<number> {
  const { settings } = row.bench;
  const begunAt = performance.now();
  let seq = firstSeq;
  let reached = 0;
  while (reached < settings.clients || performance.now() - begunAt < LIVE_LIMITS.warmUpMsMin) {
    if (performance.now() - begunAt > LIVE_LIMITS.warmUpMsMax) {
      const { others } = await row.load.ask<LoadFigures>('finish', {}, signal);
      throw new HubError(
        'DEADLINE_EXCEEDED',
        `only ${reached} of ${settings.clients} clients had an event after ${LIVE_LIMITS.warmUpMsMax} ms: ${row.gateway.ended() ?? ''} ${others.samples[0] ?? ''}`,
      );
    }
    // A second's worth, or one for each group.
    const events = Math.max(settings.eventsPerSecond, row.groups);
    await emit(row, seq, events, events, signal);
    seq += events;
    ({ reached } = await row.load.ask<Progress>('progress', {}, signal));
  }
  await untilQuiet(row, signal);
  return seq;
}

async function untilQuiet({ load }: Row, signal: AbortSignal): Promise<void> {
  const until = performance.now() + LIVE_LIMITS.drainMsMax;
  let last = -1;
  while (performance.now() < until) {
    const { delivered } = await load.ask<Progress>('progress', {}, signal);
    if (delivered === last) return;
    last = delivered;
    await delay(LIVE_LIMITS.quietMs, signal);
  }
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
  await untilDelivered(row, expected, signal);
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

/** Client `i` is of group `i % groups`, event `n` of group `n % groups`. */
export function expectedDeliveries(
  firstSeq: number,
  events: number,
  clients: number,
  groups: number,
): number {
  const sizes = Array.from({ length: groups }, (_, group) => Math.ceil((clients - group) / groups));
  let expected = 0;
  for (let seq = firstSeq; seq < firstSeq + events; seq++) expected += sizes[seq % groups] ?? 0;
  return expected;
}

async function untilDelivered({ load }: Row, expected: number, signal: AbortSignal): Promise<void> {
  const until = performance.now() + LIVE_LIMITS.drainMsMax;
  while (performance.now() < until) {
    const { delivered } = await load.ask<Progress>('progress', {}, signal);
    if (delivered >= expected) return;
    await delay(LIVE_LIMITS.pollMs, signal);
  }
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
