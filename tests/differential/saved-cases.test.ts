// Disagreements that a campaign found, minimised: those that were mended stay mended, and those that are open are known by name.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { disagreement } from './compare.ts';
import { startGraph } from './running-graph.ts';
import { startSubgraphServer } from './serve/server.ts';

interface SavedCase {
  readonly id: string;
  /** `open`: the engine does not agree yet; the test says so when it does. */
  readonly state: 'mended' | 'open';
  readonly graphSeed: number;
  readonly operation: string;
  readonly variables: Readonly<Record<string, unknown>>;
  /** What disagreed when it was found. */
  readonly what: string;
}

const cases = JSON.parse(
  readFileSync(join(import.meta.dirname, 'saved-cases.json'), 'utf8'),
) as readonly SavedCase[];

describe('a saved case', () => {
  let server: Awaited<ReturnType<typeof startSubgraphServer>>;
  beforeAll(async () => {
    server = await startSubgraphServer();
  });
  afterAll(() => server.close());

  async function replay({ graphSeed, operation, variables }: SavedCase): Promise<string | undefined> {
    const running = await startGraph(graphSeed, server, ['weft']);
    try {
      const [engine] = running.engines;
      if (engine === undefined) return 'refused';
      return disagreement(
        await running.judge(operation, variables),
        await running.ask(engine, operation, variables),
      );
    } finally {
      await running.close();
    }
  }

  for (const saved of cases.filter(({ state }) => state === 'mended')) {
    it(`${saved.id} is answered as the monolith answers it`, async () => {
      expect(await replay(saved)).toBeUndefined();
    });
  }

  for (const saved of cases.filter(({ state }) => state === 'open')) {
    it.fails(`${saved.id} is open: ${saved.what}`, async () => {
      expect(await replay(saved)).toBeUndefined();
    });
  }
});
