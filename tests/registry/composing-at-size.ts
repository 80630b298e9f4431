// Measures the composition of a large graph in its thread, and what the event loop beside it sees of it.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { composeInWorker } from '@weft/schema/compose-in-worker';
import { makeLargeGraph } from './large-graph.ts';

const RESOLUTION_MS = 1;
const SAMPLE_MS = 20;
const IDLE_MS = 2_000;
const MIB = 1_048_576;

export interface ComposingAtSize {
  readonly systems: number;
  readonly types: number;
  readonly sdlKib: number;
  readonly supergraphKib: number;
  readonly seconds: number;
  /** Of the whole process, thread included: its greatest size less that before. */
  readonly memoryMib: number;
  /** Of the thread that asks, while the other composes; milliseconds. */
  readonly delay: LoopDelay;
  /** Of the same thread while nothing composes: what the machine itself does. */
  readonly idle: LoopDelay;
}

export interface LoopDelay {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** @throws Error with the findings when the graph does not compose */
export async function composeAtSize(systems: number, types: number): Promise<ComposingAtSize> {
  const subgraphs = makeLargeGraph(systems, types);
  const idle = await measureDelay(() => new Promise((resolve) => setTimeout(resolve, IDLE_MS)));
  const before = process.memoryUsage.rss();
  let peak = before;
  const sampling = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage.rss());
  }, SAMPLE_MS);
  const began = performance.now();
  let supergraphSdl = '';
  const delay = await measureDelay(async () => {
    const result = await composeInWorker(subgraphs, { composeTimeoutMs: 300_000, composeHeapMbMax: 4_096 });
    if (result.errors !== undefined) throw new Error(result.errors.map(({ message }) => message).join('\n'));
    supergraphSdl = result.supergraphSdl;
  }).finally(() => clearInterval(sampling));
  const kib = (text: string) => Math.round(Buffer.byteLength(text) / 1_024);
  return {
    systems,
    types,
    sdlKib: kib(subgraphs.map(({ sdl }) => sdl).join('')),
    supergraphKib: kib(supergraphSdl),
    seconds: Math.round(performance.now() - began) / 1_000,
    memoryMib: Math.round((peak - before) / MIB),
    delay,
    idle,
  };
}

async function measureDelay(run: () => Promise<void>): Promise<LoopDelay> {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  histogram.enable();
  await run();
  histogram.disable();
  // The histogram holds the whole interval: what is above the resolution is delay.
  const ms = (nanoseconds: number) => Math.max(0, Math.round(nanoseconds / 10_000) / 100 - RESOLUTION_MS);
  return { p50: ms(histogram.percentile(50)), p99: ms(histogram.percentile(99)), max: ms(histogram.max) };
}
