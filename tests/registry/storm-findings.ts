// What a storm must not do (row 23 of the fault matrix), and did.
import type { StormReport } from './run-storm.ts';

const VISIBLE_MS_MAX = 3_000;
const P99_TIMES_MAX = 2;
const HEAP_GROWTH_MAX = 1.1;

/** Empty when all held. */
export function findingsOf(report: StormReport): readonly string[] {
  const { queryMs, visibleMs, heapMb } = report;
  const grown = heapMb.filter(({ before, after }) => !(after <= before * HEAP_GROWTH_MAX));
  return [
    ...countFindings(report),
    ...(visibleMs.max <= VISIBLE_MS_MAX ? [] : [`a publication was visible after ${visibleMs.max} ms`]),
    ...(queryMs.during.p99 < queryMs.before.p99 * P99_TIMES_MAX
      ? []
      : [`p99 went from ${queryMs.before.p99} to ${queryMs.during.p99} ms`]),
    ...grown.map(({ before, after }) => `a heap grew from ${before} to ${after} MB`),
  ];
}

/** Those that are no matter of how fast the machine is. */
export function countFindings(report: StormReport): readonly string[] {
  const counts: readonly (readonly [string, number])[] = [
    ['failed requests', report.failures.length],
    ['closed sockets', report.closedSockets],
    ['subscriptions that ended and should not, or not so', report.endedWrongly.length],
    ['subscriptions that go on without their fields', report.toEnd - report.endedAsGone],
    ['events lost', report.lost],
    ['events that came twice', report.duplicates],
    ['results with errors', report.resultsWithErrors],
  ];
  return counts.filter(([, count]) => count !== 0).map(([what, count]) => `${count} ${what}`);
}
