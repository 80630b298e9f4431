// The short form of run.ts: the first 1,000 requests, evenly, at a rate that two cores sustain.
import { describe, expect, it } from 'vitest';
import { whyNoPostgres } from '../support/engines.ts';
import { runLoop } from './loop.ts';

const noPostgres = await whyNoPostgres();
const REQUESTS = 1_000;
const PER_SECOND = 15;
const SEED = 7;

describe.skipIf(noPostgres !== undefined)('the whole loop', () => {
  it('brings each request to the one end that its way implies, and the books of the old systems agree', async () => {
    const report = await runLoop({
      requests: REQUESTS,
      speed: 400,
      perSecond: PER_SECOND,
      seed: SEED,
      outage: true,
    });
    expect(report.differences).toEqual([]);
    expect(report.gaps).toBe(0);
    expect(report.incidents).toBeGreaterThanOrEqual(REQUESTS);
    // That it has met with all that it is to survive.
    const met = [report.returned, report.refused, report.reworked, report.queuedInOutage, report.unknown];
    expect(Math.min(...met)).toBeGreaterThan(0);
  }, 1_500_000);
});
