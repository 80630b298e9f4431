// No old system is asked more than its budget, by all replicas together, whatever the dashboards do; the whole form is storm/main.ts.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { whyNoPostgres } from '../support/engines.ts';
import { whyNoProgram } from '../support/event-servers.ts';
import { arrivalsMax, type Phase, runPhases } from './storm/phases.ts';
import { BUDGETS, type Storm, startStorm } from './storm/storm.ts';

const skipReason = (await whyNoPostgres()) ?? whyNoProgram('redis-server');
const DASHBOARDS = 24;

describe.skipIf(skipReason !== undefined)('dashboards that reload at once, on two replicas', () => {
  let storm: Storm;
  const phases: Phase[] = [];

  beforeAll(async () => {
    storm = await startStorm();
    await storm.shared();
    for await (const phase of runPhases(storm, DASHBOARDS)) phases.push(phase);
  }, 120_000);
  afterAll(() => storm?.close());

  it('ask no system more than its budget, also while Redis is away', () => {
    for (const { name, loads } of phases) {
      for (const [system, budget] of Object.entries(BUDGETS)) {
        const { concurrentMax, perSecondMax } = loads[system as keyof typeof BUDGETS];
        expect(concurrentMax, `${name}: ${system}`).toBeLessThanOrEqual(budget.concurrency);
        expect(perSecondMax, `${name}: ${system}`).toBeLessThanOrEqual(arrivalsMax(budget));
      }
    }
    expect(phases[0]?.loads.hotline.perSecondMax).toBeGreaterThan(0);
  });

  it('show nothing but what is fresh, what is stale with its age, and coded errors', () => {
    for (const { name, reload } of phases) expect(reload.silent, name).toBe(0);
  });

  it('show the police’s cases as they were while the police are down, and say so', () => {
    const down = phases.find(({ name }) => name.startsWith('the police'));
    expect(down?.reload.told.STALE).toBeGreaterThan(0);
  });

  it('show everything again when Redis is back', () => {
    const { told } = phases.at(-1)?.reload ?? { told: undefined };
    expect((told?.FRESH ?? 0) + (told?.CACHED ?? 0)).toBeGreaterThan(0);
  });
});
