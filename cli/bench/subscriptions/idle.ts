// Many sockets that hold many idle subscriptions in one gateway: what they cost, and whether all of it comes back.

import { join } from 'node:path';
import { deadlineSignal, delay } from '@weft/core/deadline';
import { HubError } from '@weft/core/errors';
import { findFreePort, untilAnswering } from '../http-client.ts';
import { GATEWAY_CORE, pinned } from '../pinning.ts';
import { descriptorsMax, descriptorsOf, rssMiBOf } from '../process-stats.ts';
import { bareEnvironment, type Program, startProgram } from '../program.ts';
import { LIVE_CANDIDATES } from './candidates.ts';
import { collectGarbage } from './inspector.ts';
import { LIVE_LIMITS } from './limits.ts';
import type { ConnectQuestion, OperationsQuestion, Progress } from './load-program.ts';
import { startLoad } from './measure.ts';
import { payloadsOf } from './operations.ts';
import type { LiveWorkbench } from './row.ts';

export interface IdleSettings {
  /** As was asked for: fewer where a process may not open so many descriptors. */
  readonly sockets: number;
  readonly subscriptions: number;
  /** Subscriptions that are begun and ended again afterwards. */
  readonly cycles: number;
}

/** How the gateway's process stands at one moment. */
export interface ProcessState {
  readonly rssMiB: number;
  /** JavaScript's heap in use, as `/metrics` tells it after its garbage was collected. */
  readonly heapMiB: number;
  readonly descriptors: number;
}

export interface IdleFigures {
  readonly asked: IdleSettings;
  readonly sockets: number;
  readonly subscriptions: number;
  /** Of one process; the reason where fewer sockets were opened than asked for. */
  readonly descriptorsMax: number;
  /** From the first connection to the last subscription that stood. */
  readonly openedMs: number;
  readonly empty: ProcessState;
  readonly held: ProcessState;
  readonly cycled: ProcessState;
  /** All sockets closed. */
  readonly released: ProcessState;
  readonly rssPeakCycleMiB: number;
}

/** The row whose gateway holds them. */
const HOLDER = 'weft-postgres';
const BYTES_PER_MIB = 2 ** 20;

/** @throws HubError when the gateway takes fewer subscriptions than it is given; the signal's reason when it aborts */
export async function measureIdle(
  bench: LiveWorkbench,
  asked: IdleSettings,
  signal: AbortSignal,
): Promise<IdleFigures> {
  const most = descriptorsMax();
  const sockets = Math.min(
    asked.sockets,
    Number.isNaN(most) ? asked.sockets : most - LIVE_LIMITS.descriptorsReserved,
  );
  const port = await findFreePort();
  const origin = `http://127.0.0.1:${port}`;
  const inspectorPort = await findFreePort();
  const gateway = startGateway(bench, port, inspectorPort);
  const look = () => readState(gateway, origin, inspectorPort, signal);
  const loads: Program[] = [];
  try {
    await untilAnswering(gateway, { url: `${origin}/graphql`, authorization: undefined }, 'single', signal);
    const empty = await look();
    const begunAt = performance.now();
    const perSocket = Math.ceil(asked.subscriptions / sockets);
    await openSockets(bench, loads, `${origin.replace('http', 'ws')}/graphql`, sockets, perSocket, signal);
    const subscriptions = perSocket * sockets;
    await untilStanding(gateway, origin, subscriptions, signal);
    const openedMs = performance.now() - begunAt;
    const held = await look();
    const rssPeakCycleMiB = await runCycles(loads, gateway, origin, subscriptions, asked.cycles, signal);
    const cycled = await look();
    for (const load of loads.splice(0)) await load.stop();
    await untilStanding(gateway, origin, 0, signal);
    const released = await look();
    return {
      asked,
      sockets,
      subscriptions,
      descriptorsMax: most,
      openedMs,
      empty,
      held,
      cycled,
      released,
      rssPeakCycleMiB,
    };
  } finally {
    for (const load of loads) await load.stop();
    await gateway.stop();
  }
}

function startGateway(bench: LiveWorkbench, port: number, inspectorPort: number): Program {
  const candidate = LIVE_CANDIDATES.find(({ name }) => name === HOLDER);
  const command = candidate?.command({ ...bench, port, peerFolder: '', redisUrl: '' });
  return startProgram({
    name: 'idle',
    command: pinned(
      [process.execPath, `--inspect=127.0.0.1:${inspectorPort}`, ...(command?.args ?? [])],
      GATEWAY_CORE,
      bench.settings.isPinning,
    ),
    env: bareEnvironment({ ...command?.env, WEFT_METRICS: 'main' }),
    logFile: join(bench.logFolder, 'live-idle.log'),
  });
}

async function openSockets(
  bench: LiveWorkbench,
  loads: Program[],
  url: string,
  sockets: number,
  perSocket: number,
  signal: AbortSignal,
): Promise<void> {
  for (let left = sockets; left > 0; left -= LIVE_LIMITS.clientsPerProcessMax) {
    const load = await startLoad(bench, `load-idle-${loads.length}`, signal);
    loads.push(load);
    const question: ConnectQuestion = {
      url,
      clients: Math.min(left, LIVE_LIMITS.clientsPerProcessMax),
      operationsPerClient: perSocket,
      payloads: payloadsOf('broadcast', 1, 'event-log'),
    };
    await load.ask('connect', question, deadlineSignal(LIVE_LIMITS.connectMsMax, signal));
  }
}

/** Until so many subscriptions stand in a stream, as the gateway itself counts them. */
async function untilStanding(
  gateway: Program,
  origin: string,
  wanted: number,
  signal: AbortSignal,
): Promise<void> {
  const until = performance.now() + LIVE_LIMITS.connectMsMax;
  let standing = Number.NaN;
  while (performance.now() < until) {
    standing = await readMetric(origin, 'weft_live_streams', signal);
    if (standing === wanted) return;
    await delay(LIVE_LIMITS.pollMs, signal);
  }
  throw new HubError(
    'DEADLINE_EXCEEDED',
    `${standing} of ${wanted} subscriptions stand after ${LIVE_LIMITS.connectMsMax} ms: ${gateway.ended() ?? 'it still runs'}`,
  );
}

/** @returns the highest RSS that was seen */
async function runCycles(
  loads: readonly Program[],
  gateway: Program,
  origin: string,
  held: number,
  cycles: number,
  signal: AbortSignal,
): Promise<number> {
  const [payload] = payloadsOf('broadcast', 1, 'event-log');
  const [load] = loads;
  let peakMiB = 0;
  if (payload === undefined || load === undefined) return peakMiB;
  for (let first = 0; first < cycles; first += LIVE_LIMITS.cycleOperations) {
    const count = Math.min(LIVE_LIMITS.cycleOperations, cycles - first);
    const question: OperationsQuestion = { first, count, payload };
    await load.ask('subscribe', question, signal);
    await untilStanding(gateway, origin, held + count, signal);
    peakMiB = Math.max(peakMiB, rssMiBOf(gateway.pid));
    await load.ask('complete', question, signal);
    await untilStanding(gateway, origin, held, signal);
  }
  const { closed } = await load.ask<Progress>('progress', {}, signal);
  if (closed > 0) throw new HubError('UPSTREAM_INVALID', `${closed} sockets were closed by the gateway`);
  return peakMiB;
}

async function readState(
  gateway: Program,
  origin: string,
  inspectorPort: number,
  signal: AbortSignal,
): Promise<ProcessState> {
  await delay(LIVE_LIMITS.settleMs, signal);
  await collectGarbage(inspectorPort, signal);
  const heap = await readMetric(origin, 'nodejs_heap_size_used_bytes', signal);
  return {
    rssMiB: rssMiBOf(gateway.pid),
    heapMiB: heap / BYTES_PER_MIB,
    descriptors: descriptorsOf(gateway.pid),
  };
}

const METRICS_MS_MAX = 30_000;

/** One figure of a gateway's `/metrics`; NaN where it has none of the name. */
export async function readMetric(origin: string, name: string, signal: AbortSignal): Promise<number> {
  const response = await fetch(`${origin}/metrics`, { signal: deadlineSignal(METRICS_MS_MAX, signal) });
  const text = await response.text();
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1] ?? Number.NaN);
}
