// Row 23 of the fault matrix, the short form: the long one is `node tests/registry/storm.ts`.
import { expect, it } from 'vitest';
import { runStorm } from './run-storm.ts';
import { countFindings } from './storm-findings.ts';
import { openRealStormRegistry, openScriptedStormRegistry } from './storm-registry.ts';

/** A machine that is busy otherwise is slower, and loses nothing all the same. */
const VISIBLE_MS_MAX = 60_000;
const HEAP_GROWTH_MAX = 1.1;

const REGISTRIES = [
  { which: 'a scripted registry', openRegistry: openScriptedStormRegistry },
  { which: "the registry's own process", openRegistry: openRealStormRegistry },
];

it.each(REGISTRIES)(
  'a storm of registrations, updates and removals, of $which, fails no request, closes no socket, and loses no event',
  async ({ openRegistry }) => {
    const report = await runStorm({
      gateways: 2,
      subscriptions: 100,
      rate: 50,
      publications: 9,
      seconds: 10,
      secondsBefore: 3,
      reloads: 12,
      openRegistry,
    });
    expect([...report.failures, ...report.endedWrongly]).toEqual([]);
    expect(countFindings(report)).toEqual([]);
    expect(report.toEnd).toBe(5);
    expect(report.sent).toBeGreaterThan(100);
    expect(report.visibleMs.max).toBeLessThan(VISIBLE_MS_MAX);
    for (const { before, after } of report.heapMb) expect(after).toBeLessThan(before * HEAP_GROWTH_MAX);
  },
  240_000,
);
