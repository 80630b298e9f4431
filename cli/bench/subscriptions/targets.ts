// What live fields must show against the bare broadcast of the same round: met or missed.
import { type Spread, spreadOf } from '../statistics.ts';
import { judge, type Target } from '../targets.ts';
import { BARE } from './candidates.ts';
import type { LiveMeasurement } from './measurement.ts';
import type { Shape } from './operations.ts';

const ROWS = ['weft-postgres', 'weft-redis', 'weft-passthrough'];
/** Of the bare broadcast's, in the same round. */
const P99_RATIO_MAX: Readonly<Record<Shape, number>> = { broadcast: 2, groups: 3 };
const CPU_RATIO_MAX = 1.7;
const KIB_PER_CONNECTION_MAX = 16;
const FETCHES_PER_EVENT_MAX = 2;

type Metric = (run: LiveMeasurement) => number | undefined;
const p99: Metric = ({ p99Ms }) => p99Ms;

/** Those rows that were measured; a bound holds for the median of the rounds, but all deliveries are due in each. */
export function judgeLive(measurements: readonly LiveMeasurement[]): readonly Target[] {
  return (['broadcast', 'groups'] as const).flatMap((shape) =>
    ROWS.flatMap((row) => {
      const runs = measurements.filter((run) => run.shape === shape && run.candidate === row);
      if (runs.length === 0) return [];
      const bare = measurements.filter((run) => run.shape === shape && run.candidate === BARE);
      const own = (metric: Metric) => spreadOfDefined(runs.map(metric));
      const toBare = (metric: Metric) => spreadOfDefined(runs.map((run) => ratioTo(bare, run, metric)));
      const title = (what: string) => `${shape}, ${row}: ${what}`;
      const share = own(({ delivered, expected }) => delivered / expected);
      const all = share && { ...share, median: share.min };
      return [
        judge(title('deliveries to those that are due'), 'atLeast', 1, all),
        judge(title('p99'), 'atMost', P99_RATIO_MAX[shape], toBare(p99)),
        // Where nearly nothing is to be sent, two per cent of a core are no measure.
        ...(shape === 'groups' ? [] : [judge(title('processor time'), 'atMost', CPU_RATIO_MAX, toBare(cpu))]),
        judge(title('entity fetches an event, not to bare'), 'atMost', FETCHES_PER_EVENT_MAX, own(fetches)),
        judge(title('KiB a connection, not to bare'), 'atMost', KIB_PER_CONNECTION_MAX, own(kib)),
      ];
    }),
  );
}

const cpu: Metric = ({ cpuShare }) => cpuShare;
const kib: Metric = ({ kibPerConnection }) => kibPerConnection;
/** As it is shown: of some hundred events one more fetch is in flight at an end than at the other. */
const fetches: Metric = ({ fetchesPerEvent }) => fetchesPerEvent && Math.round(100 * fetchesPerEvent) / 100;

function ratioTo(bare: readonly LiveMeasurement[], run: LiveMeasurement, metric: Metric): number | undefined {
  const other = bare.find(({ round }) => round === run.round);
  const [ours, theirs] = [metric(run), other && metric(other)];
  return ours === undefined || theirs === undefined || theirs === 0 ? undefined : ours / theirs;
}

function spreadOfDefined(values: readonly (number | undefined)[]): Spread | undefined {
  const defined = values.filter((value) => value !== undefined);
  return defined.length === 0 ? undefined : spreadOf(defined);
}
