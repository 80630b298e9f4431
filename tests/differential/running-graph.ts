// A generated graph that runs: composed, its members served, its judge beside it.

import { compose } from '@weft/schema/compose';
import { printProblem } from '@weft/schema/problem';
import { parse } from 'graphql';
import { readApiSchema } from './api-schema.ts';
import { type Answer, answerOf } from './compare.ts';
import { type EngineName, type RunningEngine, startEngine } from './engines.ts';
import { generateGraph } from './graph/generate.ts';
import type { Graph } from './graph/model.ts';
import { createMonolith, type Monolith } from './serve/monolith.ts';
import type { SubgraphServer } from './serve/server.ts';
import { createSubgraph } from './serve/subgraph.ts';

export interface RunningGraph {
  readonly graph: Graph;
  readonly supergraphSdl: string;
  readonly monolith: Monolith;
  readonly engines: readonly RunningEngine[];
  /** Engines that refuse the supergraph, with the reason. */
  readonly refusals: ReadonlyMap<EngineName, string>;
  judge(query: string, variables: Readonly<Record<string, unknown>>): Promise<Answer>;
  ask(engine: RunningEngine, query: string, variables: Readonly<Record<string, unknown>>): Promise<Answer>;
  close(): Promise<void>;
}

/** @throws Error when the graph does not compose: then the generator is wrong */
export async function startGraph(
  seed: number,
  server: SubgraphServer,
  engineNames: readonly EngineName[],
): Promise<RunningGraph> {
  const graph = generateGraph(seed);
  const subgraphs = graph.members.map((member) => createSubgraph(graph, member));
  const urls = subgraphs.map((subgraph) => server.add(subgraph));
  const composition = compose(
    subgraphs.map(({ name, sdl }, index) => ({ name, sdl, url: urls[index] ?? '' })),
  );
  if (composition.errors !== undefined) {
    throw new Error(`graph ${seed} does not compose:\n${composition.errors.map(printProblem).join('\n')}`);
  }
  const { supergraphSdl } = composition;
  if (graph.features.has('@composeDirective') && !supergraphSdl.includes('@mark(level: 3)')) {
    throw new Error(`graph ${seed} has lost its composed directive`);
  }
  const monolith = createMonolith(graph, readApiSchema(supergraphSdl));
  const refusals = new Map<EngineName, string>();
  const engines: RunningEngine[] = [];
  for (const name of engineNames) {
    try {
      engines.push(await startEngine(name, supergraphSdl));
    } catch (thrown) {
      refusals.set(name, reasonOf(thrown));
    }
  }
  return {
    graph,
    supergraphSdl,
    monolith,
    engines,
    refusals,
    async judge(query, variables) {
      return answerOf(await monolith.run(parse(query), variables));
    },
    ask(engine, query, variables) {
      graph.clock.ticks = 0;
      return engine.ask(query, variables);
    },
    async close() {
      await Promise.all(engines.map((engine) => engine.close()));
      for (const url of urls) server.remove(url);
    },
  };
}

/** Without the lines that show where in the supergraph it stands. */
function reasonOf(thrown: unknown): string {
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return message.split('\n\n')[0] ?? message;
}
