// `run.ts [--requests 10000] [--speed 400] [--rate N] [--seconds 60] [--seed N] [--calm] [--split]`: the long form of loop.test.ts.
import { parseArgs } from 'node:util';
import { type LoopReport, runLoop } from './loop.ts';

const { values } = parseArgs({
  options: {
    requests: { type: 'string' },
    speed: { type: 'string', default: '400' },
    rate: { type: 'string' },
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: '7' },
    calm: { type: 'boolean', default: false },
    split: { type: 'boolean', default: false },
  },
});
const DIFFERENCES_SHOWN = 40;
const rate = values.rate === undefined ? undefined : Number(values.rate);
const requests = Number(values.requests ?? (rate === undefined ? 10_000 : rate * Number(values.seconds)));

const report = await runLoop({
  ...{ requests, perSecond: rate, speed: Number(values.speed), seed: Number(values.seed) },
  // What is sustained is asked of departments that work.
  outage: !values.calm && rate === undefined,
  split: values.split,
  onProgress: (line) => process.stderr.write(`${line}\n`),
});
const { lengths, differences, ...rest } = report;
const backlog = rate === undefined ? undefined : backlogOf(report);
const shown = {
  ...rest,
  incidentsPerSecond: perSecond(report),
  backlog,
  differences: differences.slice(0, DIFFERENCES_SHOWN),
};
process.stdout.write(`${JSON.stringify(shown, undefined, 2)}\n`);
process.stdout.write(differences.length === 0 ? 'both sides agree\n' : `${differences.length} differences\n`);
process.exitCode = differences.length === 0 && backlog?.isBounded !== false ? 0 : 1;

function perSecond({ incidents, seconds }: LoopReport): number {
  return Math.round((incidents / seconds) * 10) / 10;
}

/** Of what is between its report and its end: at the end of the replay no more than after the first 15 seconds. */
function backlogOf({ lengths: all, replaySeconds }: LoopReport) {
  const beganMs = all[0]?.atMs ?? 0;
  const between = (fromS: number, toS: number) => {
    const chosen = all.filter(({ atMs }) => atMs - beganMs >= fromS * 1_000 && atMs - beganMs < toS * 1_000);
    const open = chosen.map(({ reported, ended }) => reported - ended).sort((a, b) => a - b);
    return open[Math.floor(open.length / 2)] ?? 0;
  };
  const [early, late] = [between(12, 18), between(replaySeconds - 6, replaySeconds)];
  return { afterFifteenSeconds: early, atTheEnd: late, isBounded: late <= early * 1.1 + 5 };
}
