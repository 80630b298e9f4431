// The figures as tables: plain for a terminal, Markdown for the document.
import type { Measurement } from './measurement.ts';
import { type Spread, spreadOf } from './statistics.ts';
import type { Target } from './targets.ts';
import type { QueryName } from './workload/operations.ts';

/** The first row is the head; all rows have as many cells. */
export type Table = readonly (readonly string[])[];

const HEAD = [
  'candidate',
  'req/s (min–max)',
  'p50 ms',
  'p99 ms',
  'CPU ms/req',
  'peak RSS MiB',
  'at once',
  'fetches/req',
  'alone',
  'own core',
  'others',
  'load core',
  'rounds',
] as const;

/** One row a candidate, the fastest first; medians of the rounds. */
export function tableOfQuery(measurements: readonly Measurement[], query: QueryName): Table {
  const byCandidate = Map.groupBy(
    measurements.filter((measurement) => measurement.query === query),
    ({ candidate }) => candidate,
  );
  const rows = [...byCandidate].map(([candidate, runs]) => ({
    speed: spreadOf(runs.map(({ requestsPerSecond }) => requestsPerSecond)),
    candidate,
    runs,
  }));
  rows.sort((a, b) => b.speed.median - a.speed.median);
  return [HEAD, ...rows.map(({ candidate, runs, speed }) => cellsOf(candidate, runs, speed))];
}

function cellsOf(candidate: string, runs: readonly Measurement[], speed: Spread): readonly string[] {
  const median = (pick: (run: Measurement) => number | undefined, digits: number) => {
    const values = runs.map(pick).filter((value) => value !== undefined);
    return values.length === 0 ? '–' : spreadOf(values).median.toFixed(digits);
  };
  const share = (pick: (run: Measurement) => number | undefined) => {
    const values = runs.map(pick).filter((value) => value !== undefined);
    return values.length === 0 ? '–' : `${Math.round(100 * spreadOf(values).median)} %`;
  };
  return [
    candidate,
    `${speed.median.toFixed(0)} (${speed.min.toFixed(0)}–${speed.max.toFixed(0)})`,
    median(({ p50Ms }) => p50Ms, 1),
    median(({ p99Ms }) => p99Ms, 1),
    median(({ cpuMsPerRequest }) => cpuMsPerRequest, 3),
    median(({ rssPeakMiB }) => rssPeakMiB, 0),
    median(({ rssAtOnceMiB }) => rssAtOnceMiB, 0),
    median(({ fetchesPerRequest }) => fetchesPerRequest, 1),
    median(({ fetchesAlone }) => fetchesAlone, 0),
    share(({ gatewayShare }) => gatewayShare),
    share(({ foreignShare }) => foreignShare),
    share(({ loadCoreShare }) => loadCoreShare),
    String(runs.length),
  ];
}

/** One row a target. */
export function tableOfTargets(targets: readonly Target[]): Table {
  return [
    ['Weft to …', 'ratio (min–max)', 'must be', 'verdict'],
    ...targets.map(({ title, ratio, bound, verdict }) => [
      title,
      ratio === undefined
        ? '–'
        : `${ratio.median.toFixed(2)} (${ratio.min.toFixed(2)}–${ratio.max.toFixed(2)})`,
      `${BOUND_SIGNS[bound.kind]} ${bound.value}`,
      verdict,
    ]),
  ];
}

const BOUND_SIGNS = { atLeast: '>=', above: '>', atMost: '<=' } as const;

/** The first column to the left, the others to the right. */
export function formatPlain(table: Table): string {
  const widths = (table[0] ?? []).map((_, column) =>
    Math.max(...table.map((row) => row[column]?.length ?? 0)),
  );
  return table
    .map((row) =>
      row
        .map((cell, column) =>
          column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
        )
        .join('  '),
    )
    .join('\n');
}

/** @param align of all columns but the first: figures to the right, words to the left */
export function formatMarkdown([head = [], ...rows]: Table, align: 'right' | 'left'): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const rule = head.map((_, column) => (column > 0 && align === 'right' ? '--:' : '---'));
  return [line(head), line(rule), ...rows.map(line)].join('\n');
}
