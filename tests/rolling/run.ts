// The long form: node tests/rolling/run.ts [--rounds 30] [--rate 200] [--grace 1000] [--poll 100].
import { parseArgs } from 'node:util';
import { runRollingRestart } from './rolling-restart.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '30' },
    rate: { type: 'string', default: '200' },
    grace: { type: 'string', default: '1000' },
    poll: { type: 'string', default: '100' },
  },
});

/** Of failures, told from the most frequent one. */
const KINDS_MAX = 20;

const report = await runRollingRestart({
  rounds: Number(values.rounds),
  perSecond: Number(values.rate),
  graceMs: Number(values.grace),
  pollMs: Number(values.poll),
  onRestart: (count, { sent, failures }) =>
    process.stderr.write(`\r${count} restarts, ${sent} requests, ${failures.length} failed `),
});
process.stderr.write('\n');
const wrongExits = report.exitCodes.filter((code) => code !== 0);
console.log(
  `${report.exitCodes.length} restarts in ${report.seconds.toFixed(0)} s, ${report.sent} requests (${report.heldBack} held back by a busy machine), ` +
    `${report.failures.length} failed, ${report.late} late, ${report.sent - report.answered} without an answer, the slowest ${report.msMax.toFixed(0)} ms, exit codes other than 0: ${wrongExits.length}`,
);
const kinds = Map.groupBy(report.failures, (failure) => failure.replaceAll(/\d+/g, 'N'));
const tally = [...kinds].map(([kind, { length }]) => ({ kind, length })).sort((a, b) => b.length - a.length);
for (const { kind, length } of tally.slice(0, KINDS_MAX)) console.log(`${length} of ${kind}`);
process.exitCode =
  report.failures.length + report.late + wrongExits.length === 0 && report.sent === report.answered ? 0 : 1;
