// The whole storm: node tests/connectors/storm/main.ts [dashboards], 200 unless told; prints what the systems were asked.
import { arrivalsMax, runPhases } from './phases.ts';
import { BUDGETS, startStorm } from './storm.ts';

const storm = await startStorm();
let isKept = true;
try {
  await storm.shared();
  for await (const { name, reload, loads } of runPhases(storm, Number(process.argv[2] ?? 200))) {
    process.stdout.write(
      `${(performance.now() / 1000).toFixed(1)} s: ${name}\n  parts ${JSON.stringify(reload)}\n`,
    );
    if (reload.silent > 0) isKept = false;
    for (const [system, budget] of Object.entries(BUDGETS)) {
      const load = loads[system as keyof typeof BUDGETS];
      const isWithin = load.concurrentMax <= budget.concurrency && load.perSecondMax <= arrivalsMax(budget);
      if (!isWithin) isKept = false;
      const text = `${load.perSecondMax} in a second (${budget.perSecond} + ${budget.burst}), ${load.concurrentMax} at once (${budget.concurrency})`;
      process.stdout.write(`  ${system}: ${text}${isWithin ? '' : ' MORE THAN ITS BUDGET'}\n`);
    }
  }
} finally {
  await storm.close();
}
process.exit(isKept ? 0 : 1);
