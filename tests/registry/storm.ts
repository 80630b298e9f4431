// The long form: node tests/registry/storm.ts [--gateways 2] [--subscriptions 1000] [--rate 200] [--publications 50] [--seconds 60] [--before 20] [--reloads 200] [--registry scripted|real].
import { parseArgs } from 'node:util';
import { runStorm } from './run-storm.ts';
import { findingsOf } from './storm-findings.ts';
import { openRealStormRegistry, openScriptedStormRegistry } from './storm-registry.ts';

const { values } = parseArgs({
  options: {
    gateways: { type: 'string', default: '2' },
    subscriptions: { type: 'string', default: '1000' },
    rate: { type: 'string', default: '200' },
    publications: { type: 'string', default: '50' },
    seconds: { type: 'string', default: '60' },
    before: { type: 'string', default: '20' },
    reloads: { type: 'string', default: '200' },
    registry: { type: 'string', default: 'scripted' },
  },
});

const REGISTRIES = { scripted: openScriptedStormRegistry, real: openRealStormRegistry } as const;
if (!Object.hasOwn(REGISTRIES, values.registry)) throw new Error('--registry: expected scripted or real');

const FAILURES_SHOWN = 10;

const report = await runStorm({
  gateways: Number(values.gateways),
  subscriptions: Number(values.subscriptions),
  rate: Number(values.rate),
  publications: Number(values.publications),
  seconds: Number(values.seconds),
  secondsBefore: Number(values.before),
  reloads: Number(values.reloads),
  openRegistry: REGISTRIES[values.registry as keyof typeof REGISTRIES],
  onProgress: (text) => process.stderr.write(`${text}\n`),
});
const { failures, endedWrongly, ...figures } = report;
console.log(
  JSON.stringify({ ...figures, failures: failures.length, endedWrongly: endedWrongly.length }, null, 2),
);
for (const failure of [...failures, ...endedWrongly].slice(0, FAILURES_SHOWN)) console.log(failure);
const findings = findingsOf(report);
for (const finding of findings) console.log(`NOT HELD: ${finding}`);
process.exitCode = findings.length === 0 ? 0 : 1;
