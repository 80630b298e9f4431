// The long form of rows 12, 14 and 16: node tests/faults/live/run-stores.ts [--fault redis-stopped|outbox-locked|outbox-slow|relay-stopped] [--seconds 60].
import { parseArgs } from 'node:util';
import { runNamedFault, STORE_FAULTS, type StoreFaultName } from './store-faults.ts';

const { values } = parseArgs({
  options: {
    fault: { type: 'string', default: 'redis-stopped' },
    seconds: { type: 'string', default: '60' },
    clients: { type: 'string', default: '50' },
    rate: { type: 'string', default: '20' },
  },
});

const name = STORE_FAULTS.find((known) => known === values.fault);
if (name === undefined) throw new Error(`--fault: expected one of ${STORE_FAULTS.join(', ')}`);
process.exitCode = await run(name);

async function run(fault: StoreFaultName): Promise<number> {
  const report = await runNamedFault(fault, {
    clients: Number(values.clients),
    perSecond: Number(values.rate),
    faultMs: Number(values.seconds) * 1_000,
  });
  if (report === undefined) return 1;
  const { examples, grownBytes, ...figures } = report;
  console.log(
    `${fault}, ${values.seconds} s: RSS +${(grownBytes / 1e6).toFixed(1)} MB, ${JSON.stringify(figures)}`,
  );
  for (const example of examples) console.log(example);
  return report.lost + report.doubled + report.reversed + report.strange + report.gaps + report.errors === 0
    ? 0
    : 1;
}
