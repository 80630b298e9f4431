// Fault rows 12, 14 and 16 as live clients, newcomers and queries see them, the short form. The long one is tests/faults/live/run-stores.ts.
import { describe, expect, it } from 'vitest';
import { runNamedFault, type StoreFaultName } from './live/store-faults.ts';

const TEST_MS_MAX = 240_000;
const HEALED_MS_MAX = 5_000;
const GROWN_BYTES_MAX = 50_000_000;
/** A command to Redis is given up after 1.5 s, a statement after 10: no query may have waited for either. */
const QUERY_P50_MS_MAX = 1_000;

const FAULTS: readonly { readonly name: StoreFaultName; readonly faultMs: number }[] = [
  { name: 'redis-stopped', faultMs: 6_000 },
  { name: 'outbox-locked', faultMs: 12_000 },
  { name: 'outbox-slow', faultMs: 12_000 },
  { name: 'relay-stopped', faultMs: 6_000 },
];

describe('live clients of a gateway', () => {
  it.for(FAULTS)(
    'lose nothing and get nothing twice under $name, queries go on, and no queue grows',
    { timeout: TEST_MS_MAX },
    async ({ name, faultMs }, { skip }) => {
      const report = await runNamedFault(name, { clients: 10, perSecond: 10, faultMs });
      if (report === undefined) return skip('a server cannot be started here');
      const { examples, queries, queriesBefore, newcomers, grownBytes, healedMs } = report;
      const figures = { queries, queriesBefore, newcomers, grownBytes, healedMs };
      console.info(`${name}: ${JSON.stringify(figures)}`);
      expect(report, examples.join('\n')).toMatchObject({
        lost: 0,
        doubled: 0,
        reversed: 0,
        strange: 0,
        gaps: 0,
        errors: 0,
      });
      expect(report.deliveries).toBe(report.events * 10);
      expect(queries.failed).toBe(0);
      expect(queries.p50Ms).toBeLessThan(QUERY_P50_MS_MAX);
      expect(Object.keys(newcomers)).toEqual(['200']);
      expect(grownBytes).toBeLessThan(GROWN_BYTES_MAX);
      expect(healedMs).toBeLessThan(HEALED_MS_MAX);
    },
  );
});
