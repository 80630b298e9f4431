// The long form: node tests/connectors/commands/run.ts [--writes 1000] [--subjects 50] [--kills 20] [--hosts 2] [--seed 1].
import { parseArgs } from 'node:util';
import { runCrashes } from './crash-run.ts';

const { values } = parseArgs({
  options: {
    writes: { type: 'string', default: '1000' },
    subjects: { type: 'string', default: '50' },
    kills: { type: 'string', default: '20' },
    hosts: { type: 'string', default: '2' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
  },
});

const report = await runCrashes({
  writes: Number(values.writes),
  subjects: Number(values.subjects),
  kills: Number(values.kills),
  hosts: Number(values.hosts),
  seed: Number(values.seed),
  onProgress: (text) => process.stderr.write(`\r${text} `),
});
process.stderr.write('\n');
const { lost, doubled, reversed, strange, seconds, ...figures } = report;
console.log(
  `seed ${values.seed}, ${values.writes} writes, ${seconds.toFixed(0)} s: ${JSON.stringify(figures)}, ` +
    `${lost.length} lost, ${doubled.length} doubled, ${reversed.length} subjects out of order, ${strange.length} without a certain fate`,
);
for (const example of [...lost, ...doubled, ...reversed, ...strange].slice(0, 20)) console.log(example);
process.exitCode = lost.length + doubled.length + reversed.length + strange.length === 0 ? 0 : 1;
