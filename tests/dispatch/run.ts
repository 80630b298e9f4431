// The long form of crashes.test.ts: `run.ts [--kills N] [--seed N]`.
import { parseArgs } from 'node:util';
import { runDispatchCrashes } from './crash-run.ts';

const { values } = parseArgs({
  options: { kills: { type: 'string', default: '40' }, seed: { type: 'string', default: '7' } },
});
const report = await runDispatchCrashes(Number(values.kills), Number(values.seed));
process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
process.exitCode = report.lost.length + report.doubled.length + report.strange.length === 0 ? 0 : 1;
