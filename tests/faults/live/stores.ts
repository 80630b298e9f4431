// One gateway, clients that resume, numbered events and HTTP queries, while a part of the log is stopped, locked or slow for a time.
import { delay } from '@weft/core/deadline';
import { openStream } from '../../sse/stream-client.ts';
import { type GatewayProcess, startGatewayProcess } from '../../support/gateway-process.ts';
import { waitFor } from '../../support/wait.ts';
import { judge, type Verdict } from './check.ts';
import { numbersInLog, warmUp, withoutWarmUp } from './restarts.ts';
import { type ResumingClient, startResumingClient } from './resuming-client.ts';
import { openWriter, startThings, TICKS, type Writer } from './ticks.ts';

/** What is done to a store. */
export interface StoreFault {
  readonly name: string;
  begin(): Promise<void>;
  end(): Promise<void>;
}

export interface StoresOptions {
  /** Of the outbox, as the writer sees it. */
  readonly databaseUrl: string;
  /** Settings of the gateway. */
  readonly env: Readonly<Record<string, string>>;
  readonly fault: StoreFault;
  readonly clients: number;
  readonly perSecond: number;
  readonly faultMs: number;
  /** Nothing can be appended while it lasts: the writer waits. */
  readonly isWriterStopped?: boolean;
}

export interface StoresReport extends Verdict {
  /** HTTP queries that have nothing to do with the store, while the fault lasted. */
  readonly queries: QueryFigures;
  /** The same, just before. */
  readonly queriesBefore: QueryFigures;
  /** Bytes by which the gateway's RSS was larger at the most, from just before the fault to the end. */
  readonly grownBytes: number;
  /** Clients that came new during the fault, by the status that they were answered with. */
  readonly newcomers: Readonly<Record<string, number>>;
  /** The longest time from the end of the fault until every client had what was written before it. */
  readonly healedMs: number;
  readonly events: number;
}

export interface QueryFigures {
  readonly count: number;
  readonly failed: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const QUERY = '{ thing(id: "1") { title } }';
const QUERY_EVERY_MS = 50;
const NEWCOMER_EVERY_MS = 1_000;
const BASELINE_MS = 5_000;
const AFTERWARDS_MS = 3_000;
const HEALED_MS_MAX = 60_000;

export async function runStoreFault(options: StoresOptions): Promise<StoresReport> {
  const things = await startThings();
  const gateway = await startGatewayProcess([things], options.env);
  const writer = openWriter(options.databaseUrl);
  const urls = [`${gateway.origin.replace('http', 'ws')}/graphql`];
  const clients = Array.from({ length: options.clients }, (_, client) =>
    startResumingClient(client, urls, Math.random),
  );
  try {
    await warmUp(writer, clients);
    return await measure(options, gateway, writer, clients);
  } finally {
    await Promise.all(clients.map((client) => client.stop()));
    await gateway.stop();
    await writer.close();
    await things.close();
  }
}

async function measure(
  { databaseUrl, fault, perSecond, faultMs, isWriterStopped = false }: StoresOptions,
  gateway: GatewayProcess,
  writer: Writer,
  clients: readonly ResumingClient[],
): Promise<StoresReport> {
  const pen = startPen(writer, perSecond);
  // All that the fault's time does, so that what it loads is there already.
  const [queriesBefore] = await Promise.all([ask(gateway, BASELINE_MS), comeNew(gateway, BASELINE_MS)]);
  if (isWriterStopped) await pen.pause();
  const before = gateway.residentBytes();
  gateway.resetPeak();
  await fault.begin();
  const [queries, newcomers] = await Promise.all([ask(gateway, faultMs), comeNew(gateway, faultMs)]);
  await fault.end();
  const endedAt = performance.now();
  if (isWriterStopped) pen.goOn();
  const written = pen.last();
  const hasAll = (last: number) => () => clients.every(({ numbers }) => last < 1 || numbers.includes(last));
  await waitFor('every client to have what was written meanwhile', hasAll(written), HEALED_MS_MAX);
  const healedMs = performance.now() - endedAt;
  await delay(AFTERWARDS_MS);
  const events = await pen.stop();
  // What is missing is for the judge to say.
  await waitFor('every client to have the last event', hasAll(events), HEALED_MS_MAX).catch(() => undefined);
  const verdict = judge(await numbersInLog(databaseUrl), clients.map(withoutWarmUp));
  const grownBytes = gateway.peakResidentBytes() - before;
  return { ...verdict, queries, queriesBefore, newcomers, grownBytes, healedMs, events };
}

/** Writes without an end, an event after the other. */
function startPen(writer: Writer, perSecond: number) {
  const stopping = new AbortController();
  let last = 0;
  let isPaused = false;
  let isWaiting = false;
  let resume = Promise.withResolvers<void>();
  const running = (async () => {
    while (!stopping.signal.aborted) {
      isWaiting = isPaused;
      if (isPaused) await resume.promise;
      isWaiting = false;
      await writer.write(last + 1, last + 1, 1_000);
      last += 1;
      await delay(1_000 / perSecond);
    }
  })();
  return {
    last: () => last,
    async pause() {
      isPaused = true;
      await waitFor('the writer to pause', () => isWaiting);
    },
    goOn() {
      isPaused = false;
      resume.resolve();
      resume = Promise.withResolvers();
    },
    async stop() {
      stopping.abort();
      await running;
      return last;
    },
  };
}

/** Asks at a fixed rate, whether or not the answers come. */
async function ask(gateway: GatewayProcess, forMs: number): Promise<QueryFigures> {
  const asked: Promise<number | undefined>[] = [];
  const until = performance.now() + forMs;
  while (performance.now() < until) {
    asked.push(askOnce(gateway));
    await delay(QUERY_EVERY_MS);
  }
  const answered = await Promise.all(asked);
  const times = answered.filter((ms) => ms !== undefined).sort((left, right) => left - right);
  const at = (share: number) =>
    times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? Number.NaN;
  return {
    count: answered.length,
    failed: answered.length - times.length,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
  };
}

/** Undefined where it fails. */
async function askOnce(gateway: GatewayProcess): Promise<number | undefined> {
  try {
    const { answer, ms } = await gateway.ask(QUERY);
    return answer.errors === undefined ? ms : undefined;
  } catch {
    // Undefined says it: no answer is a failure as any other.
    return undefined;
  }
}

async function comeNew(gateway: GatewayProcess, forMs: number): Promise<Readonly<Record<string, number>>> {
  const statuses: Record<string, number> = {};
  const until = performance.now() + forMs;
  while (performance.now() < until) {
    const stream = await openStream({ url: `${gateway.origin}/graphql`, query: TICKS });
    statuses[stream.status] = (statuses[stream.status] ?? 0) + 1;
    stream.close();
    await delay(NEWCOMER_EVERY_MS);
  }
  return statuses;
}
