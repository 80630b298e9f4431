// Laws of the known classes: each is still met where its example says, and there our engine is right.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { disagreement } from './compare.ts';
import type { Feature } from './features.ts';
import { classOf, KNOWN_CLASSES } from './known-disagreements.ts';
import { startGraph } from './running-graph.ts';
import { type SubgraphServer, startSubgraphServer } from './serve/server.ts';

interface Example {
  readonly name: string;
  readonly what: string;
  readonly graphSeed: number;
  readonly operation: string;
  readonly variables: Readonly<Record<string, unknown>>;
  readonly features: readonly Feature[];
}

const FOLDER = join(import.meta.dirname, 'known');
const examples = readdirSync(FOLDER)
  .sort()
  .map((file) => JSON.parse(readFileSync(join(FOLDER, file), 'utf8')) as Example);

describe('the known classes of disagreement', () => {
  let server: SubgraphServer;
  beforeAll(async () => {
    server = await startSubgraphServer();
  });
  afterAll(() => server?.close());

  it('have an example each', () => {
    expect(examples.map(({ name }) => name).sort()).toEqual(KNOWN_CLASSES.map(({ name }) => name).sort());
  });

  it.each(examples)('$name, where ours agrees with the monolith', async (example) => {
    const { graphSeed, operation, variables } = example;
    const running = await startGraph(graphSeed, server, ['weft', 'apollo']);
    try {
      const expected = await running.judge(operation, variables);
      const answers = new Map<string, string | undefined>();
      for (const engine of running.engines) {
        const got = await running.ask(engine, operation, variables);
        const what = disagreement(expected, got);
        answers.set(engine.name, what);
        if (engine.name === 'weft') continue;
        const features = new Set(example.features);
        expect(classOf(engine.name, { features, query: operation, got, what: what ?? '' })).toBe(
          example.name,
        );
      }
      expect([...answers]).toEqual([
        ['weft', undefined],
        ['apollo', example.what],
      ]);
    } finally {
      await running.close();
    }
  });
});
