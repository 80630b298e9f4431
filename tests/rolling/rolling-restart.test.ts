// Row 8 of the fault matrix in short: no request fails while gateways are restarted one after the other.
import { describe, expect, it } from 'vitest';
import { runRollingRestart } from './rolling-restart.ts';

describe('two gateways behind a load balancer', () => {
  it('fail no request of 200 a second while each is restarted by SIGTERM', async () => {
    const report = await runRollingRestart({ rounds: 1, perSecond: 200, graceMs: 1_000, pollMs: 100 });
    expect(report.failures).toEqual([]);
    expect(report.answered).toBe(report.sent);
    expect(report.sent).toBeGreaterThan(400);
    expect(report.exitCodes).toEqual([0, 0]);
  }, 120_000);
});
