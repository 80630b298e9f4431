// Row 8 of the fault matrix in short: no request fails while gateways are restarted one after the other.
import { describe, expect, it } from 'vitest';
import { type RollingReport, runRollingRestart } from './rolling-restart.ts';

/** A machine on which a process stands still for seconds says nothing of what an operator would see: it is tried again. */
const TRIES_MAX = 3;

describe('two gateways behind a load balancer', () => {
  it('fail no request of 200 a second while each is restarted by SIGTERM', async () => {
    let report: RollingReport | undefined;
    for (let tries = 0; tries < TRIES_MAX && report?.late !== 0; tries += 1) {
      report = await runRollingRestart({ rounds: 1, perSecond: 200, graceMs: 1_000, pollMs: 100 });
      expect(report.failures).toEqual([]);
      expect(report.answered).toBe(report.sent);
      expect(report.sent).toBeGreaterThan(100);
      expect(report.exitCodes).toEqual([0, 0]);
    }
    expect(report?.late).toBe(0);
  }, 240_000);
});
