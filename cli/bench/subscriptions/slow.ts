// Clients that stop reading beside many that read: what the others notice of it, what it costs, and whether nothing is lost.
import { closeSync, openSync, readSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deadlineSignal, delay } from '@weft/core/deadline';
import { HubError } from '@weft/core/errors';
import { findFreePort, untilAnswering } from '../http-client.ts';
import { LOAD_CORE, pinned } from '../pinning.ts';
import { HAS_PROC, processTree, rssMiBOf, rssPeakMiBOf } from '../process-stats.ts';
import { bareEnvironment, type Program, startProgram } from '../program.ts';
import { LIVE_CANDIDATES } from './candidates.ts';
import { readMetric } from './idle.ts';
import { LIVE_LIMITS } from './limits.ts';
import { connectClients, countDeliveries, startGateway, startLoad } from './measure.ts';
import { emit, type LiveWorkbench, type Row } from './row.ts';
import type { SlowConnectQuestion, SlowEnd, SlowProgress } from './slow-program.ts';
import { warmUp } from './warm-up.ts';

export interface SlowSettings {
  readonly sockets: number;
}

/** The others while there are no slow ones, or while these read nothing. */
export interface SlowPhase {
  readonly expected: number;
  readonly delivered: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Of the gateway's RSS at the most, from the begin of the phase; undefined where there is no /proc. */
  readonly grownMiB: number | undefined;
}

export interface SlowRound {
  readonly alone: SlowPhase;
  readonly stopped: SlowPhase;
  readonly end: SlowEnd;
  /** Events that the slow ones did not get, or twice, once they had come back. */
  readonly lost: number;
  readonly doubled: number;
}

export interface SlowFigures {
  readonly clients: number;
  readonly sockets: number;
  readonly operationsPerSocket: number;
  readonly rounds: readonly SlowRound[];
}

/** The row whose gateway serves them. */
const SERVER = 'weft-postgres';
/** As many as a gateway takes on a socket: it has to be full within seconds. */
const OPERATIONS_PER_SOCKET = 100;

/** @throws HubError when a slow client is not cut off, or does not come back; the signal's reason when it aborts */
export async function measureSlow(
  bench: LiveWorkbench,
  { sockets }: SlowSettings,
  signal: AbortSignal,
): Promise<SlowFigures> {
  const candidate = LIVE_CANDIDATES.find(({ name }) => name === SERVER);
  if (candidate === undefined) throw new HubError('NOT_FOUND', `there is no row ${SERVER}`);
  const port = await findFreePort();
  const origin = `http://127.0.0.1:${port}`;
  const gateway = startGateway(bench, candidate, port, undefined, { WEFT_METRICS: 'main' });
  const programs: Program[] = [];
  try {
    await untilAnswering(gateway, { url: `${origin}/graphql`, authorization: undefined }, 'single', signal);
    const url = `${origin.replace('http', 'ws')}/graphql`;
    const load = await startLoad(bench, 'load-slow', signal);
    programs.push(load);
    const slow = await startSlow(bench, signal);
    programs.push(slow);
    const row: Row = { bench, candidate, groups: 1, gateway, beside: undefined, load };
    await connectClients(row, 'broadcast', url, signal);
    let seq = await warmUp(row, 0, signal);
    const rounds: SlowRound[] = [];
    for (let round = 0; round < bench.settings.rounds; round += 1) {
      const question: SlowConnectQuestion = { url, sockets, operationsPerSocket: OPERATIONS_PER_SOCKET };
      const measured = await measureRound({ row, slow, origin, question }, seq, signal);
      rounds.push(measured.round);
      seq = measured.nextSeq;
    }
    return { clients: bench.settings.clients, sockets, operationsPerSocket: OPERATIONS_PER_SOCKET, rounds };
  } finally {
    for (const program of programs) await program.stop();
    await gateway.stop();
  }
}

async function startSlow({ settings, logFolder }: LiveWorkbench, signal: AbortSignal): Promise<Program> {
  const name = 'slow-clients';
  const script = join(import.meta.dirname, 'slow-program.ts');
  const program = startProgram({
    name,
    command: pinned([process.execPath, script], LOAD_CORE, settings.isPinning),
    env: bareEnvironment(),
    logFile: join(logFolder, `${name}.log`),
  });
  try {
    await program.ready(deadlineSignal(LIVE_LIMITS.startMsMax, signal));
    return program;
  } catch (thrown) {
    await program.stop();
    throw thrown;
  }
}

interface SlowPlace {
  readonly row: Row;
  readonly slow: Program;
  readonly origin: string;
  readonly question: SlowConnectQuestion;
}

async function measureRound(
  { row, slow, origin, question }: SlowPlace,
  firstSeq: number,
  signal: AbortSignal,
): Promise<{ readonly round: SlowRound; readonly nextSeq: number }> {
  const { clients, eventsPerSecond, seconds } = row.bench.settings;
  const operations = question.sockets * question.operationsPerSocket;
  const events = eventsPerSecond * seconds;
  const alone = await measurePhase(row, firstSeq, signal);
  await slow.ask('connect', question, signal);
  await untilStanding(origin, clients + operations, signal);
  const readSeq = firstSeq + events;
  await emit(row, readSeq, eventsPerSecond, eventsPerSecond, signal);
  const stoppedSeq = readSeq + eventsPerSecond;
  await untilReached(slow, operations, stoppedSeq - 1, signal);
  const logStart = statSync(row.gateway.logFile).size;
  await slow.ask('stop', {}, signal);
  // They look as soon as they are cut off: what they are told is kept for them for a while only.
  const cutOff = untilCutOff(row.gateway, logStart, operations, seconds * 1_000, signal).then(() =>
    slow.ask<SlowEnd>('resume', {}, signal),
  );
  const [stopped, end] = await Promise.all([measurePhase(row, stoppedSeq, signal), cutOff]);
  await slow.ask('comeBack', {}, signal);
  const nextSeq = stoppedSeq + events;
  const { lost, doubled } = await untilReached(slow, operations, nextSeq - 1, signal);
  await slow.ask('leave', {}, signal);
  await untilStanding(origin, clients, signal);
  return { round: { alone, stopped, end, lost, doubled }, nextSeq };
}

async function measurePhase(row: Row, firstSeq: number, signal: AbortSignal): Promise<SlowPhase> {
  const { pid } = row.gateway;
  // https://man7.org/linux/man-pages/man5/proc_pid_clear_refs.5.html
  if (HAS_PROC) for (const member of processTree(pid)) writeFileSync(`/proc/${member}/clear_refs`, '5');
  const before = rssMiBOf(pid);
  const { expected, delivered, p50Ms, p99Ms } = await countDeliveries(row, firstSeq, signal);
  const grownMiB = HAS_PROC ? rssPeakMiBOf(pid) - before : undefined;
  return { expected, delivered, p50Ms, p99Ms, grownMiB };
}

/** Until every operation of the slow ones has the event of this number. */
async function untilReached(
  slow: Program,
  operations: number,
  seq: number,
  signal: AbortSignal,
): Promise<SlowProgress> {
  const until = performance.now() + LIVE_LIMITS.connectMsMax;
  for (;;) {
    const progress = await slow.ask<SlowProgress>('look', {}, signal);
    if (progress.reached === operations && progress.lastSeqMin >= seq) return progress;
    if (performance.now() > until)
      throw new HubError(
        'DEADLINE_EXCEEDED',
        `a slow client has the event ${progress.lastSeqMin} and not ${seq}; ${progress.reached} of ${operations} operations were reached`,
      );
    await delay(LIVE_LIMITS.pollMs, signal);
  }
}

/**
 * Until so many operations were cut off, as the gateway's log has it: its metrics take it milliseconds to tell, which those
 * who are measured meanwhile would wait for.
 */
async function untilCutOff(
  gateway: Program,
  logStart: number,
  wanted: number,
  measuredMs: number,
  signal: AbortSignal,
): Promise<void> {
  const until = performance.now() + LIVE_LIMITS.drainMsMax + measuredMs;
  for (;;) {
    const ended = countCutOff(gateway, logStart);
    if (ended >= wanted) return;
    if (performance.now() > until)
      throw new HubError('DEADLINE_EXCEEDED', `${ended} operations were cut off, and ${wanted} should be`);
    await delay(LIVE_LIMITS.pollMs, signal);
  }
}

/** Behind a place of the log: all of it is much to read twenty times a second beside what is measured. */
function countCutOff({ logFile }: Program, logStart: number): number {
  const bytes = Buffer.alloc(statSync(logFile).size - logStart);
  const log = openSync(logFile, 'r');
  try {
    const length = readSync(log, bytes, 0, bytes.length, logStart);
    return bytes.toString('utf8', 0, length).split('"code":"LIMIT_EXCEEDED"').length - 1;
  } finally {
    closeSync(log);
  }
}

/** Until so many stand in a stream. */
async function untilStanding(origin: string, wanted: number, signal: AbortSignal): Promise<void> {
  const until = performance.now() + LIVE_LIMITS.drainMsMax;
  for (;;) {
    const standing = await readMetric(origin, 'weft_live_streams', signal);
    if (standing === wanted) return;
    if (performance.now() > until)
      throw new HubError('DEADLINE_EXCEEDED', `${standing} subscriptions stand, and ${wanted} should`);
    await delay(LIVE_LIMITS.pollMs, signal);
  }
}
