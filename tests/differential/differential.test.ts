// The short form of the differential test: one seed, always the same. New seeds are the long form's: what they find is saved as a case.
import { describe, expect, it } from 'vitest';
import { type CampaignReport, runCampaign } from './campaign.ts';
import { NON_EMPTY_PERCENT_MIN } from './report.ts';

const FIXED_SEED = 1;
const SUPERGRAPHS = 20;
const OPERATIONS = 400;
const TIMEOUT_MS = 120_000;
const SHOWN_CHARS_MAX = 400;

async function run(seed: number, supergraphs: number, operations: number): Promise<CampaignReport> {
  return runCampaign({ seed, supergraphs, operations, engines: ['weft'], casesMax: 5 });
}

/** What a reader needs of the cases to begin with; the whole is written by the long form with the same seed. */
function casesOf(report: CampaignReport) {
  return [...report.engines.values()].flatMap(({ cases }) =>
    cases.map(({ what, graphSeed, operation, variables, expected, got }) => ({
      what,
      graphSeed,
      operation,
      variables,
      expected: JSON.stringify(expected).slice(0, SHOWN_CHARS_MAX),
      got: JSON.stringify(got).slice(0, SHOWN_CHARS_MAX),
    })),
  );
}

describe('the engine against a monolith over the same data', () => {
  it(
    'answers every generated operation as the monolith does',
    async () => {
      const report = await run(FIXED_SEED, SUPERGRAPHS, OPERATIONS);
      expect(casesOf(report)).toEqual([]);
      const weft = report.engines.get('weft');
      expect(weft?.agreements).toBe(OPERATIONS);
      expect([...(weft?.refusals ?? [])]).toEqual([]);
      expect((100 * report.nonEmpty) / report.operations).toBeGreaterThanOrEqual(NON_EMPTY_PERCENT_MIN);
    },
    TIMEOUT_MS,
  );
});
