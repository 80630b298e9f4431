// The short form of run.ts.
import { describe, expect, it } from 'vitest';
import { whyNoPostgres } from '../../support/engines.ts';
import { runCrashes } from './crash-run.ts';

const noPostgres = await whyNoPostgres();
const SEED = 20_261;

describe.skipIf(noPostgres !== undefined)('writes through hosts that are killed', () => {
  it('are applied once each, in the order of their subjects, and each one’s fate is known', async () => {
    const report = await runCrashes({ writes: 48, subjects: 12, kills: 2, hosts: 2, seed: SEED });
    expect(report).toMatchObject({ lost: [], doubled: [], reversed: [], strange: [] });
    // The faults were there: something was unknown, and was asked about.
    expect(report.questions).toBeGreaterThan(0);
    expect(report.sendings.UNKNOWN).toBeGreaterThan(0);
  }, 120_000);
});
