// The figures of live clients as tables.
import { type Spread, spreadOf } from '../statistics.ts';
import type { Table } from '../table.ts';
import { BARE, BARE_OUTBOX } from './candidates.ts';
import type { IdleFigures, ProcessState } from './idle.ts';
import type { LiveMeasurement } from './measurement.ts';
import type { Shape } from './operations.ts';
import type { SlowFigures, SlowPhase, SlowRound } from './slow.ts';

const HEAD = [
  'row',
  'deliveries/s (min–max)',
  'of all',
  'p50 ms',
  'p99 ms (min–max)',
  'p99 to bare',
  'p99 to outbox',
  'p99 from due',
  'to bare',
  'bunched',
  'fetches/event',
  'CPU (min–max)',
  'CPU to bare',
  'beside',
  'KiB/conn.',
  'RSS MiB',
  'peak',
  'bytes',
  'others',
  'load core',
  'rounds',
] as const;

/** One row a candidate in the order of its first measurement; medians of the rounds, ratios of figures of the same round. */
export function tableOfShape(measurements: readonly LiveMeasurement[], shape: Shape): Table {
  const ofShape = measurements.filter((measurement) => measurement.shape === shape);
  const byCandidate = Map.groupBy(ofShape, ({ candidate }) => candidate);
  const others = { bare: byCandidate.get(BARE) ?? [], outbox: byCandidate.get(BARE_OUTBOX) ?? [] };
  return [HEAD, ...[...byCandidate].map(([candidate, runs]) => cellsOf(candidate, runs, others))];
}

type Metric = (run: LiveMeasurement) => number | undefined;

function cellsOf(
  candidate: string,
  runs: readonly LiveMeasurement[],
  { bare, outbox }: Readonly<Record<'bare' | 'outbox', readonly LiveMeasurement[]>>,
): readonly string[] {
  const show = (metric: Metric, format: (spread: Spread) => string) => {
    const values = runs.map(metric).filter((value) => value !== undefined);
    return values.length === 0 ? '–' : format(spreadOf(values));
  };
  const plain = (metric: Metric, digits: number) => show(metric, ({ median }) => median.toFixed(digits));
  const percent = (metric: Metric) => show(metric, ({ median }) => `${(100 * median).toFixed(0)} %`);
  const withRange = (metric: Metric, digits: number, factor = 1, unit = '') =>
    show(metric, ({ median, min, max }) => {
      const [mid, low, high] = [median, min, max].map((value) => (factor * value).toFixed(digits));
      return `${mid}${unit} (${low}–${high})`;
    });
  const toBare = (metric: Metric, others = bare) =>
    show(
      (run) =>
        ratio(
          metric(run),
          others.find(({ round }) => round === run.round),
          metric,
        ),
      ({ median }) => median.toFixed(2),
    );
  return [
    candidate,
    withRange(({ deliveriesPerSecond }) => deliveriesPerSecond, 0),
    show(
      ({ delivered, expected }) => delivered / expected,
      ({ min }) => `${(100 * min).toFixed(min === 1 ? 0 : 2)} %`,
    ),
    plain(({ p50Ms }) => p50Ms, 1),
    withRange(({ p99Ms }) => p99Ms, 1),
    toBare(({ p99Ms }) => p99Ms),
    toBare(({ p99Ms }) => p99Ms, outbox),
    withRange(({ dueP99Ms }) => dueP99Ms, 1),
    toBare(({ dueP99Ms }) => dueP99Ms),
    percent(({ bunchedShare }) => bunchedShare),
    plain(({ fetchesPerEvent }) => fetchesPerEvent, 2),
    withRange(({ cpuShare }) => cpuShare, 0, 100, ' %'),
    toBare(({ cpuShare }) => cpuShare),
    percent(({ besideCpuShare }) => besideCpuShare),
    plain(({ kibPerConnection }) => kibPerConnection, 1),
    plain(({ rssMiB }) => rssMiB, 0),
    plain(({ rssPeakMiB }) => rssPeakMiB, 0),
    plain(({ deliveryBytes }) => deliveryBytes, 0),
    percent(({ foreignShare }) => foreignShare),
    percent(({ loadCoreShare }) => loadCoreShare),
    String(runs.length),
  ];
}

function ratio(
  own: number | undefined,
  other: LiveMeasurement | undefined,
  metric: Metric,
): number | undefined {
  const others = other === undefined ? undefined : metric(other);
  return own === undefined || others === undefined || others === 0 ? undefined : own / others;
}

/** The gateway's process at each step; what one socket and its subscriptions cost stands in the text beside it. */
export function tableOfIdle({ empty, held, cycled, released }: IdleFigures): Table {
  const cells = (step: string, { rssMiB, heapMiB, descriptors }: ProcessState) => [
    step,
    rssMiB.toFixed(0),
    heapMiB.toFixed(1),
    String(descriptors),
  ];
  return [
    ['gateway', 'RSS MiB', 'heap MiB', 'descriptors'],
    cells('started, nobody connected', empty),
    cells('all sockets and subscriptions stand', held),
    cells('after the cycles', cycled),
    cells('all sockets closed', released),
  ];
}

/** In one line. */
export function describeIdle({
  asked,
  sockets,
  subscriptions,
  openedMs,
  empty,
  held,
  ...rest
}: IdleFigures): string {
  const kib = (held.rssMiB - empty.rssMiB) * 1_024;
  const fewer =
    sockets < asked.sockets
      ? ` (${asked.sockets} were asked for: a process may open ${rest.descriptorsMax} descriptors here)`
      : '';
  return `${sockets} sockets${fewer} hold ${subscriptions} idle subscriptions: ${(kib / sockets).toFixed(1)} KiB a socket with its subscriptions, ${(kib / subscriptions).toFixed(1)} KiB a subscription; opened in ${(openedMs / 1_000).toFixed(1)} s; ${asked.cycles} cycles of subscribe and complete, RSS at most ${rest.rssPeakCycleMiB.toFixed(0)} MiB meanwhile`;
}

/** A row for each round and phase; the ratio of both is of the same round. */
export function tableOfSlow({ rounds }: SlowFigures): Table {
  const cells = (round: number, name: string, phase: SlowPhase, ratio: string) => [
    String(round + 1),
    name,
    `${((100 * phase.delivered) / phase.expected).toFixed(2)} %`,
    phase.p50Ms.toFixed(1),
    phase.p99Ms.toFixed(1),
    ratio,
    phase.grownMiB?.toFixed(1) ?? '–',
  ];
  return [
    ['round', 'slow clients', 'of all', 'p50 ms', 'p99 ms', 'to alone', 'RSS + MiB'],
    ...rounds.flatMap((round, index) => [
      cells(index, 'are not there', round.alone, '–'),
      cells(index, 'read nothing', round.stopped, ratioOf(round).toFixed(2)),
    ]),
  ];
}

function ratioOf({ alone, stopped }: SlowRound): number {
  return stopped.p99Ms / alone.p99Ms;
}

/** In one line. */
export function describeSlow({ clients, sockets, operationsPerSocket, rounds }: SlowFigures): string {
  const ratio = spreadOf(rounds.map(ratioOf));
  const grown = spreadOf(rounds.map(({ stopped }) => stopped.grownMiB ?? Number.NaN));
  const sum = (of: (round: SlowRound) => number) => rounds.reduce((total, round) => total + of(round), 0);
  const counts = (of: (round: SlowRound) => Readonly<Record<string, number>>) =>
    Object.entries(of(rounds[0] as SlowRound))
      .map(([name, count]) => `${count} ${name}`)
      .join(', ');
  const told =
    rounds.length === 0
      ? ''
      : `closes ${counts(({ end }) => end.closes)}; gaps ${counts(({ end }) => end.gaps)}; errors ${counts(({ end }) => end.errors)}`;
  return `${sockets} sockets with ${operationsPerSocket} operations each stop reading beside ${clients} clients: p99 of the others ${ratio.median.toFixed(2)} times (${ratio.min.toFixed(2)} to ${ratio.max.toFixed(2)}), RSS at most ${grown.max.toFixed(1)} MiB more; ${told} (first round); after coming back ${sum(({ lost }) => lost)} events lost, ${sum(({ doubled }) => doubled)} doubled`;
}
