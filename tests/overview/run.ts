// The bar of the overview: `run.ts [--incidents 100000] [--requests 200] [--at-once 1]`, over the whole hub with six simulated systems.
import { parseArgs } from 'node:util';
import type { GraphQLAnswer } from '../support/hub.ts';
import {
  budgets,
  type Load,
  type Overview,
  type OverviewRig,
  SYSTEMS,
  type SystemName,
  startOverviewRig,
} from './rig.ts';

/** Milliseconds of a warm answer, at the 95th percentile. */
const MS_MAX = 200;
const DISTRICT = '320508';
/** Before the clock runs: planned, compiled, pools open, each system asked once. */
const WARM_UP = 10;

const { values } = parseArgs({
  options: {
    incidents: { type: 'string', default: '100000' },
    requests: { type: 'string', default: '200' },
    'at-once': { type: 'string', default: '1' },
  },
});
const [incidents, requests, atOnce] = [values.incidents, values.requests, values['at-once']].map(Number) as [
  number,
  number,
  number,
];

interface Measured {
  /** Milliseconds of each request, the shortest first. */
  readonly times: readonly number[];
  readonly seconds: number;
  readonly faults: number;
  readonly last: Overview;
  /** How often each system had been asked before. */
  readonly before: Readonly<Record<SystemName, number | undefined>>;
}

async function askOnce(rig: OverviewRig): Promise<Overview> {
  const { data, errors } = (await rig.ask(DISTRICT)) as GraphQLAnswer<{ overview: Overview | null }>;
  const overview = data?.overview;
  if (overview === null || overview === undefined || errors !== undefined)
    throw new Error(JSON.stringify(errors));
  return overview;
}

async function measure(rig: OverviewRig): Promise<Measured> {
  for (let number = 0; number < WARM_UP; number += 1) await askOnce(rig);
  await rig.loads();
  const before = await rig.counted();
  const times: number[] = [];
  let [faults, left] = [0, requests];
  let last = await askOnce(rig);
  const startedAt = performance.now();
  const askAgain = async () => {
    while (left > 0) {
      left -= 1;
      const at = performance.now();
      last = await askOnce(rig);
      times.push(performance.now() - at);
      if (last.systems?.length !== SYSTEMS.length) faults += 1;
    }
  };
  await Promise.all(Array.from({ length: atOnce }, askAgain));
  const seconds = (performance.now() - startedAt) / 1_000;
  return { times: times.sort((one, other) => one - other), seconds, faults, last, before };
}

function percentile(times: readonly number[], part: number): number {
  return times[Math.min(times.length - 1, Math.floor(times.length * part))] ?? Number.NaN;
}

const rig = await startOverviewRig(incidents);
try {
  const { times, seconds, faults, last, before } = await measure(rig);
  const [loads, after] = [await rig.loads(), await rig.counted()];
  const { rows } = await rig.database.query('SELECT count(*)::int AS count FROM incidents.incident');
  const [median, p95, max] = [percentile(times, 0.5), percentile(times, 0.95), times.at(-1) ?? Number.NaN];
  const [books, allowed] = [rig.openInBooks(DISTRICT), budgets()];
  let isKept = p95 < MS_MAX && faults === 0;
  const lines = [
    `${rows[0].count} incidents stored, ${last.open} open in ${DISTRICT}; ${requests} requests, ${atOnce} at once, in ${seconds.toFixed(1)} s`,
    `median ${median.toFixed(0)} ms, p95 ${p95.toFixed(0)} ms, max ${max.toFixed(0)} ms (bar: p95 below ${MS_MAX} ms)`,
  ];
  for (const { system, open, age, state } of last.systems ?? []) {
    if (system === null) continue;
    const load: Load | undefined = loads[system.name];
    const { concurrency, maxAgeMs } = allowed[system.name];
    const calls = (after[system.name] ?? 0) - (before[system.name] ?? 0);
    // One for each age that begins, and the one that was under way.
    const callsMax = Math.ceil((seconds * 1_000) / maxAgeMs) + 1;
    const isWithin =
      (load?.concurrentMax ?? 0) <= concurrency && calls <= callsMax && open === books[system.name];
    isKept &&= isWithin;
    const asked =
      load === undefined
        ? 'a database file, which nobody meters'
        : `asked ${calls} times (at most ${callsMax}), ${load.concurrentMax} at once (at most ${concurrency})`;
    lines.push(
      `${system.name}: ${open} open (its books: ${books[system.name]}), ${state}, ${age} s old; ${asked}${isWithin ? '' : ' NOT KEPT'}`,
    );
  }
  process.stdout.write(`${lines.join('\n')}\n${isKept ? 'kept' : 'NOT KEPT'}\n`);
  process.exitCode = isKept ? 0 : 1;
} finally {
  await rig.close();
}
