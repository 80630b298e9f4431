// What Weft must show against the limits and the peers: ratios of figures of the same round, met or missed.
import type { Candidate } from './candidates.ts';
import type { Measurement } from './measurement.ts';
import { type Spread, spreadOf } from './statistics.ts';
import type { QueryName } from './workload/operations.ts';

export interface Target {
  readonly title: string;
  /** What the ratio's median is held against. */
  readonly bound: { readonly kind: 'atLeast' | 'above' | 'atMost'; readonly value: number };
  /** Undefined when one of the two was not measured. */
  readonly ratio: Spread | undefined;
  readonly verdict: 'met' | 'missed' | 'not measured';
}

type Metric = (measurement: Measurement) => number | undefined;
const requestsPerSecond: Metric = (measurement) => measurement.requestsPerSecond;
const rssPeak: Metric = (measurement) => measurement.rssPeakMiB;

const WEFT = 'weft';
const BY_PATH = 'limit-paths';

/** Weft in its default configuration against each of the others; a bound holds for the median of the rounds. */
export function judgeTargets(
  measurements: readonly Measurement[],
  candidates: readonly Candidate[],
): readonly Target[] {
  const ratio = (query: QueryName, other: string | undefined, metric = requestsPerSecond) =>
    ratioOf(measurements, query, other, metric);
  const fastest = (query: QueryName, isWanted: (candidate: Candidate) => boolean) =>
    fastestOf(measurements, candidates.filter(isWanted), query);
  const alike = limitOfSameFetches(measurements, candidates);
  const hive = fastest('federated', ({ peer, isSharing }) => peer === 'hive' && !isSharing);
  const peer = fastest('single', ({ kind, isSharing }) => kind === 'peer' && !isSharing);
  return [
    judge('federated: hand-written program, 13 fetches (aim 1.2)', 'atLeast', 1, ratio('federated', BY_PATH)),
    judge(
      `federated: hand-written program with the same number of fetches${named(alike)}`,
      'atLeast',
      0.9,
      ratio('federated', alike),
    ),
    judge('federated: @apollo/gateway', 'atLeast', 12, ratio('federated', 'apollo')),
    judge(
      `federated: best Hive Gateway, its sharing off${named(hive)}`,
      'atLeast',
      3,
      ratio('federated', hive),
    ),
    judge('single: bare reverse proxy', 'atLeast', 0.65, ratio('single', 'limit-proxy')),
    judge(`single: fastest peer, sharing off${named(peer)}`, 'above', 1, ratio('single', peer)),
    judge(
      'federated: the whole edge on (`weft-edge`) to off (`weft-bare`)',
      'above',
      0.92,
      ratioOf(measurements, 'federated', 'weft-bare', requestsPerSecond, 'weft-edge'),
    ),
    judge(
      'federated: peak RSS to that of the hand-written program, 13 fetches',
      'atMost',
      1.25,
      ratio('federated', BY_PATH, rssPeak),
    ),
  ];
}

function named(candidate: string | undefined): string {
  return candidate === undefined ? '' : ` (\`${candidate}\`)`;
}

/** @param ratio that of each round; undefined when one of the two was not measured */
export function judge(
  title: string,
  kind: Target['bound']['kind'],
  value: number,
  ratio: Spread | undefined,
): Target {
  const bound = { kind, value };
  if (ratio === undefined) return { title, bound, ratio, verdict: 'not measured' };
  return { title, bound, ratio, verdict: isWithin(ratio.median, bound) ? 'met' : 'missed' };
}

function isWithin(median: number, { kind, value }: Target['bound']): boolean {
  switch (kind) {
    case 'atLeast':
      return median >= value;
    case 'above':
      return median > value;
    case 'atMost':
      return median <= value;
    default:
      return kind satisfies never;
  }
}

/** Weft's figure divided by the other's, for each round that has both. */
function ratioOf(
  measurements: readonly Measurement[],
  query: QueryName,
  other: string | undefined,
  metric: Metric,
  own = WEFT,
): Spread | undefined {
  const ratios = measurements
    .filter((measurement) => measurement.candidate === own && measurement.query === query)
    .flatMap((ours) => {
      const theirs = measurements.find(
        ({ candidate, query: asked, round }) =>
          candidate === other && asked === query && round === ours.round,
      );
      const [a, b] = [metric(ours), theirs === undefined ? undefined : metric(theirs)];
      return a === undefined || b === undefined ? [] : [a / b];
    });
  return ratios.length === 0 ? undefined : spreadOf(ratios);
}

function fastestOf(
  measurements: readonly Measurement[],
  among: readonly Candidate[],
  query: QueryName,
): string | undefined {
  const medians = among.flatMap(({ name }) => {
    const figures = measurements
      .filter((measurement) => measurement.candidate === name && measurement.query === query)
      .map(({ requestsPerSecond: figure }) => figure);
    return figures.length === 0 ? [] : [{ name, median: spreadOf(figures).median }];
  });
  return medians.sort((a, b) => b.median - a.median)[0]?.name;
}

/** The hand-written program whose number of fetches is nearest to Weft's; of two, the one with fewer, which is faster. */
function limitOfSameFetches(
  measurements: readonly Measurement[],
  candidates: readonly Candidate[],
): string | undefined {
  const federated = measurements.filter(({ query }) => query === 'federated');
  const ours = federated.find(({ candidate }) => candidate === WEFT)?.fetchesAlone;
  if (ours === undefined) return undefined;
  const limits = new Set(candidates.filter(({ kind }) => kind === 'limit').map(({ name }) => name));
  return federated
    .filter(({ candidate }) => limits.has(candidate))
    .sort(
      (a, b) =>
        Math.abs(a.fetchesAlone - ours) - Math.abs(b.fetchesAlone - ours) || a.fetchesAlone - b.fetchesAlone,
    )[0]?.candidate;
}
