// The long form: node tests/faults/live/run.ts [--engine postgres|redis|nats] [--clients 200] [--events 10000] [--seed 1].
import { parseArgs } from 'node:util';
import { type EngineName, startEngine } from './engines.ts';
import { runRestarts } from './restarts.ts';

const { values } = parseArgs({
  options: {
    engine: { type: 'string', default: 'postgres' },
    clients: { type: 'string', default: '200' },
    events: { type: 'string', default: '10000' },
    rate: { type: 'string', default: '100' },
    kills: { type: 'string', default: '20' },
    restarts: { type: 'string', default: '4' },
    reloads: { type: 'string', default: '50' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
  },
});

const engine = await startEngine(values.engine as EngineName);
if (engine === undefined) process.exit(1);
try {
  const report = await runRestarts({
    engine,
    clients: Number(values.clients),
    events: Number(values.events),
    perSecond: Number(values.rate),
    kills: Number(values.kills),
    engineRestarts: Number(values.restarts),
    reloads: Number(values.reloads),
    seed: Number(values.seed),
    onProgress: (text) => process.stderr.write(`${text}\n`),
  });
  const { examples, seconds, ...figures } = report;
  console.log(`${values.engine}, seed ${values.seed}, ${seconds.toFixed(0)} s: ${JSON.stringify(figures)}`);
  for (const example of examples) console.log(example);
  const wrong = report.lost + report.doubled + report.reversed + report.strange + report.gaps + report.errors;
  process.exitCode = wrong === 0 ? 0 : 1;
} finally {
  await engine.close();
}
