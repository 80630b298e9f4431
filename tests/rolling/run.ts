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
  `${report.exitCodes.length} restarts in ${report.seconds.toFixed(0)} s, ${report.sent} requests, ${report.failures.length} failed, ` +
    `${report.sent - report.answered} without an answer, the slowest ${report.msMax.toFixed(0)} ms, exit codes other than 0: ${wrongExits.length}`,
);
for (const failure of report.failures.slice(0, 20)) console.log(failure);
process.exitCode =
  report.failures.length + wrongExits.length === 0 && report.sent === report.answered ? 0 : 1;
