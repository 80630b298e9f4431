// Runs a campaign in parts, each in a process of its own, and adds their reports up.
import { fork } from 'node:child_process';
import { join } from 'node:path';
import type { CampaignOptions, CampaignReport, Case, EngineReport, Tally } from './campaign.ts';
import type { EngineName } from './engines.ts';
import { FEATURES, type Feature } from './features.ts';

/** A process that ended while an operation was asked. */
export interface Crash {
  readonly graphSeed: number;
  readonly query: string;
  readonly variables: Readonly<Record<string, unknown>>;
  readonly exit: string;
}

export interface LongRun {
  readonly report: CampaignReport;
  readonly crashes: readonly Crash[];
}

interface ChunkReport {
  readonly operations: number;
  readonly nonEmpty: number;
  readonly supergraphs: number;
  readonly features: readonly (readonly [Feature, Tally])[];
  readonly engines: readonly (readonly [EngineName, ChunkEngineReport])[];
}

interface ChunkEngineReport extends Omit<EngineReport, 'known' | 'refusals'> {
  readonly known: readonly (readonly [string, number])[];
  readonly refusals: readonly (readonly [string, number])[];
}

type Asking = Omit<Crash, 'exit'>;

type Message =
  | { readonly kind: 'progress'; readonly done: number }
  | ({ readonly kind: 'asking' } & Asking)
  | { readonly kind: 'report'; readonly report: ChunkReport };

const SUPERGRAPHS_OF_A_CHUNK = 5;
const CHUNK_TIMEOUT_MS = 300_000;

/** The operations of a part whose process ended are not counted: the run shows that it is short of them. */
export async function runLong(options: CampaignOptions): Promise<LongRun> {
  const report: CampaignReport = {
    supergraphs: 0,
    operations: 0,
    nonEmpty: 0,
    features: new Map(FEATURES.map((feature) => [feature, { supergraphs: 0, operations: 0 }])),
    engines: new Map(options.engines.map((name) => [name, emptyEngineReport()])),
  };
  const crashes: Crash[] = [];
  const perGraph = options.operations / options.supergraphs;
  for (let skipped = 0; skipped < options.supergraphs; skipped += SUPERGRAPHS_OF_A_CHUNK) {
    const supergraphs = Math.min(SUPERGRAPHS_OF_A_CHUNK, options.supergraphs - skipped);
    const operations = Math.round(perGraph * (skipped + supergraphs)) - Math.round(perGraph * skipped);
    const before = report.operations;
    const chunk = { ...options, supergraphsSkipped: skipped, supergraphs, operations };
    const result = await runChunk(chunk, (done) => options.onProgress?.(before + done));
    if ('exit' in result) crashes.push(result);
    else addUp(report, result, options.casesMax);
  }
  return { report, crashes };
}

function emptyEngineReport(): EngineReport {
  return {
    operations: 0,
    agreements: 0,
    known: new Map(),
    knownCases: new Map(),
    disagreements: 0,
    cases: [],
    refusals: new Map(),
  };
}

function runChunk(
  options: CampaignOptions,
  onProgress: (done: number) => void,
): Promise<ChunkReport | Crash> {
  return new Promise((resolve) => {
    const child = fork(join(import.meta.dirname, 'chunk.ts'), [JSON.stringify(options)]);
    const timer = setTimeout(() => child.kill('SIGKILL'), CHUNK_TIMEOUT_MS);
    let asking: Asking = { graphSeed: 0, query: '', variables: {} };
    let report: ChunkReport | undefined;
    child.on('message', (message: Message) => {
      switch (message.kind) {
        case 'progress':
          return onProgress(message.done);
        case 'asking':
          asking = { graphSeed: message.graphSeed, query: message.query, variables: message.variables };
          return;
        case 'report':
          report = message.report;
          return;
        default:
          return message satisfies never;
      }
    });
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      resolve(report ?? { ...asking, exit: String(signal ?? code) });
    });
  });
}

function addUp(report: CampaignReport, chunk: ChunkReport, casesMax: number): void {
  report.supergraphs += chunk.supergraphs;
  report.operations += chunk.operations;
  report.nonEmpty += chunk.nonEmpty;
  for (const [feature, { supergraphs, operations }] of chunk.features) {
    const tally = report.features.get(feature);
    if (tally === undefined) continue;
    tally.supergraphs += supergraphs;
    tally.operations += operations;
  }
  for (const [name, engine] of chunk.engines) {
    const sum = report.engines.get(name);
    if (sum === undefined) continue;
    sum.operations += engine.operations;
    sum.agreements += engine.agreements;
    sum.disagreements += engine.disagreements;
    sum.cases.push(...newCases(sum.cases, engine.cases).slice(0, casesMax - sum.cases.length));
    addCounts(sum.known, engine.known);
    addCounts(sum.refusals, engine.refusals);
  }
}

function newCases(known: readonly Case[], found: readonly Case[]): readonly Case[] {
  return found.filter(({ hash }) => !known.some((one) => one.hash === hash));
}

function addCounts(sum: Map<string, number>, counts: readonly (readonly [string, number])[]): void {
  for (const [key, count] of counts) sum.set(key, (sum.get(key) ?? 0) + count);
}
