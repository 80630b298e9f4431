// Runs operations on generated graphs, judges every answer, and keeps count.
import { createHash } from 'node:crypto';
import { type Answer, disagreement, holdsNull, isNonEmpty } from './compare.ts';
import type { EngineName, RunningEngine } from './engines.ts';
import { FEATURES, type Feature } from './features.ts';
import { classOf } from './known-disagreements.ts';
import { type GeneratedOperation, generateOperation } from './operations/generate.ts';
import { minimise } from './operations/minimise.ts';
import { type RunningGraph, startGraph } from './running-graph.ts';
import { startSubgraphServer } from './serve/server.ts';

export interface CampaignOptions {
  readonly seed: number;
  /** Supergraphs of the seed that are left out before the first. */
  readonly supergraphsSkipped?: number;
  readonly supergraphs: number;
  readonly operations: number;
  readonly engines: readonly EngineName[];
  /** Disagreements that are made smaller; the rest is only counted. */
  readonly casesMax: number;
  /** Makes a case of the first disagreement of each known class too. */
  readonly withKnownCases?: boolean;
  onProgress?(done: number): void;
  /** Called before an engine is asked, for whoever wants to know what ended the process. */
  onAsking?(graphSeed: number, operation: GeneratedOperation): void;
}

/** One disagreement, with all that is needed to see it again. */
export interface Case {
  /** Of what it says, so that one case has one file. */
  readonly hash: string;
  readonly engine: EngineName;
  readonly what: string;
  readonly graphSeed: number;
  readonly operation: string;
  readonly variables: Readonly<Record<string, unknown>>;
  readonly expected: Answer;
  readonly got: Answer;
  readonly supergraph: string;
}

export interface Tally {
  supergraphs: number;
  operations: number;
}

export interface CampaignReport {
  supergraphs: number;
  operations: number;
  nonEmpty: number;
  readonly features: ReadonlyMap<Feature, Tally>;
  readonly engines: ReadonlyMap<EngineName, EngineReport>;
}

export interface EngineReport {
  operations: number;
  agreements: number;
  /** Disagreements by the class that explains them. */
  readonly known: Map<string, number>;
  /** The first disagreement of each class, where they are wanted. */
  readonly knownCases: Map<string, Case>;
  disagreements: number;
  readonly cases: Case[];
  /** Supergraphs that the engine refuses, by reason. */
  readonly refusals: Map<string, number>;
}

const PRIME = 104_729;

export async function runCampaign(options: CampaignOptions): Promise<CampaignReport> {
  const report: CampaignReport = {
    supergraphs: options.supergraphs,
    operations: 0,
    nonEmpty: 0,
    features: new Map(FEATURES.map((feature) => [feature, { supergraphs: 0, operations: 0 }])),
    engines: new Map(options.engines.map((name) => [name, emptyReport()])),
  };
  const server = await startSubgraphServer();
  try {
    for (let index = 0; index < options.supergraphs; index += 1) {
      const running = await startGraph(
        options.seed * PRIME + (options.supergraphsSkipped ?? 0) + index,
        server,
        options.engines,
      );
      try {
        await runGraph(options, running, report, operationsOf(options, index));
      } finally {
        await running.close();
      }
      options.onProgress?.(report.operations);
    }
  } finally {
    await server.close();
  }
  return report;
}

function emptyReport(): EngineReport {
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

/** The operations are spread evenly over the graphs. */
function operationsOf({ operations, supergraphs }: CampaignOptions, index: number): number {
  return (
    Math.floor(((index + 1) * operations) / supergraphs) - Math.floor((index * operations) / supergraphs)
  );
}

async function runGraph(
  options: CampaignOptions,
  running: RunningGraph,
  report: CampaignReport,
  count: number,
): Promise<void> {
  const { graph, monolith } = running;
  for (const [name, reason] of running.refusals) increment(report.engines.get(name)?.refusals, reason);
  const withDefer = running.engines.some(({ hasDefer }) => hasDefer);
  const used = new Set<Feature>(graph.features);
  for (let index = 0; index < count; index += 1) {
    const operation = generateOperation(graph, monolith.schema, graph.seed * PRIME + index, { withDefer });
    const expected = await running.judge(operation.query, operation.variables);
    const features = featuresOf(operation, expected);
    for (const feature of features) {
      used.add(feature);
      const tally = report.features.get(feature);
      if (tally !== undefined) tally.operations += 1;
    }
    report.operations += 1;
    if (isNonEmpty(expected.data)) report.nonEmpty += 1;
    options.onAsking?.(graph.seed, operation);
    for (const engine of running.engines) {
      if (features.has('@defer') && !engine.hasDefer) continue;
      const engineReport = report.engines.get(engine.name);
      if (engineReport !== undefined)
        await compareOne(options, running, engine, operation, expected, engineReport);
    }
  }
  for (const feature of used) {
    const tally = report.features.get(feature);
    if (tally !== undefined) tally.supergraphs += 1;
  }
}

/** What the operation asks, and what its answer turned out to hold. */
function featuresOf(operation: GeneratedOperation, expected: Answer): ReadonlySet<Feature> {
  const features = new Set(operation.features);
  if (holdsNull(expected.data)) features.add('null');
  if (expected.errors.some(({ message }) => message.startsWith('Cannot return null'))) {
    features.add('non-null propagation');
  }
  return features;
}

async function compareOne(
  options: CampaignOptions,
  running: RunningGraph,
  engine: RunningEngine,
  operation: GeneratedOperation,
  expected: Answer,
  report: EngineReport,
): Promise<void> {
  const { query, variables } = operation;
  const got = await running.ask(engine, query, variables);
  report.operations += 1;
  const what = disagreement(expected, got);
  if (what === undefined) {
    report.agreements += 1;
    return;
  }
  const known = classOf(engine.name, { features: operation.features, query, got, what });
  if (known !== undefined) {
    increment(report.known, known);
    if (options.withKnownCases === true && !report.knownCases.has(known)) {
      report.knownCases.set(known, await createCase(running, engine, operation, what));
    }
    return;
  }
  report.disagreements += 1;
  if (report.cases.length >= options.casesMax) return;
  const found = await createCase(running, engine, operation, what);
  if (!report.cases.some(({ hash }) => hash === found.hash)) report.cases.push(found);
}

function increment(counts: Map<string, number> | undefined, key: string): void {
  counts?.set(key, (counts.get(key) ?? 0) + 1);
}

async function createCase(
  running: RunningGraph,
  engine: RunningEngine,
  { query, variables }: GeneratedOperation,
  what: string,
): Promise<Case> {
  const look = async (candidate: string) => {
    const expected = await running.judge(candidate, variables);
    const got = await running.ask(engine, candidate, variables);
    return { expected, got, what: disagreement(expected, got) };
  };
  const operation = await minimise(running.monolith.schema, query, async (candidate) => {
    return (await look(candidate)).what === what;
  });
  const seen = await look(operation);
  const { graph, supergraphSdl } = running;
  const text = JSON.stringify([engine.name, what, operation, graph.seed]);
  return {
    hash: createHash('sha256').update(text).digest('hex').slice(0, 12),
    engine: engine.name,
    what,
    graphSeed: graph.seed,
    operation,
    variables: Object.fromEntries(
      Object.entries(variables).filter(([name]) => operation.includes(`$${name}`)),
    ),
    expected: seen.expected,
    got: seen.got,
    supergraph: supergraphSdl,
  };
}
