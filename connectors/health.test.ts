import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { type Health, isWorthTelling, judge, type SourceSigns, steadyHealth } from './health.ts';
import { probe } from './probe.ts';
import { upstreamError } from './upstream-error.ts';

const now = new Date('2026-11-22T08:00:00Z');
const ago = (seconds: number) => new Date(now.getTime() - seconds * 1_000);
const error = upstreamError('UPSTREAM_INVALID', 'x', { system: 's', source: 'a', operation: 'GET /x' });
const quiet: SourceSigns['guard'] = { breaker: 'CLOSED', lastOkAt: undefined, lastFailure: undefined };

function judged(guard: Partial<SourceSigns['guard']>, probeFailure?: string) {
  return judge([{ guard: { ...quiet, ...guard }, probeFailure }]);
}

describe('judge', () => {
  it('says UP when nothing speaks against it', () => {
    expect(judged({})).toEqual({ state: 'UP', reason: undefined });
    expect(judged({ lastFailure: { at: ago(3), error }, lastOkAt: ago(2) }).state).toBe('UP');
  });

  it('says DOWN when it cannot be reached or its breaker is open', () => {
    expect(judged({}, 'ECONNREFUSED')).toEqual({ state: 'DOWN', reason: 'cannot be reached (ECONNREFUSED)' });
    expect(judged({ breaker: 'OPEN', lastFailure: { at: ago(1), error } })).toEqual({
      state: 'DOWN',
      reason: 'UPSTREAM_INVALID at GET /x',
    });
  });

  it('counts a failure until an answer came after it, however long ago it was', () => {
    expect(judged({ lastFailure: { at: ago(11), error } }).state).toBe('DEGRADED');
    expect(judged({ lastFailure: { at: ago(7_200), error }, lastOkAt: ago(7_300) }).state).toBe('DEGRADED');
    expect(judged({ breaker: 'OPEN', lastFailure: { at: ago(7_200), error } }).state).toBe('DOWN');
    expect(judged({ lastFailure: { at: ago(7_200), error }, lastOkAt: ago(1) }).state).toBe('UP');
  });

  it('says DEGRADED when polled changes are not understood', () => {
    const signs = [{ guard: quiet, probeFailure: undefined }];
    expect(judge(signs, 'expected a time')).toEqual({ state: 'DEGRADED', reason: 'expected a time' });
  });

  it('says DEGRADED while its last call failed', () => {
    expect(judged({ lastFailure: { at: ago(1), error }, lastOkAt: ago(2) }).state).toBe('DEGRADED');
  });

  it('takes the worst of several sources', () => {
    const degraded = { guard: { ...quiet, lastFailure: { at: ago(1), error } }, probeFailure: undefined };
    const down = { guard: quiet, probeFailure: 'ENOENT' };
    expect(judge([degraded, down, { guard: quiet, probeFailure: undefined }]).state).toBe('DOWN');
  });
});

describe('steadyHealth', () => {
  const up: Health = { state: 'UP', reason: undefined };
  const degraded: Health = { state: 'DEGRADED', reason: 'x' };
  const down: Health = { state: 'DOWN', reason: 'y' };
  const at = (ms: number) => new Date(now.getTime() + ms);

  it('is worse at once, and better only some seconds after the last failure', () => {
    const steady = steadyHealth();
    expect(steady.next(up, undefined, at(0))).toEqual(up);
    expect(steady.next(degraded, at(250), at(250))).toEqual(degraded);
    expect(steady.next(down, at(500), at(500))).toEqual(down);
    expect(steady.next(degraded, at(1_000), at(1_000))).toEqual(down);
    expect(steady.next(up, at(1_000), at(3_900))).toEqual(down);
    expect(steady.next(up, at(1_000), at(4_000))).toEqual(up);
  });

  it.each([500, 1_500, 2_000, 4_000, 8_000])(
    'tells a few states a minute and not one a call when one call in three fails, a call every %i ms',
    (everyMs) => {
      const steady = steadyHealth();
      let lastOkAt: Date | undefined;
      let lastFailure: SourceSigns['guard']['lastFailure'];
      const told: string[] = [];
      for (let ms = 0; ms < 60_000; ms += 250) {
        if (ms % everyMs === 0) {
          if ((ms / everyMs) % 3 === 2) lastFailure = { at: at(ms), error };
          else lastOkAt = at(ms);
        }
        const signs = [{ guard: { ...quiet, lastOkAt, lastFailure }, probeFailure: undefined }];
        const { state } = steady.next(judge(signs), lastFailure?.at, at(ms));
        if (told.at(-1) !== state) told.push(state);
      }
      expect(told).toContain('DEGRADED');
      expect(told.length).toBeLessThanOrEqual(14);
    },
  );

  it('tells a system that flaps to be up within 12 s of its first good answer', () => {
    const steady = steadyHealth();
    for (let round = 0; round < 5; round += 1) {
      steady.next(degraded, at(round * 11_000), at(round * 11_000));
      steady.next(up, at(round * 11_000), at(round * 11_000 + 10_000));
    }
    steady.next(degraded, at(60_000), at(60_000));
    expect(steady.next(up, at(60_000), at(69_750)).state).toBe('DEGRADED');
    expect(steady.next(up, at(60_000), at(70_000)).state).toBe('UP');
  });
});

describe('isWorthTelling', () => {
  const up: Health = { state: 'UP', reason: undefined };
  const told = { health: up, atMs: 1_000, lastSeen: ago(60) };

  it('tells a change of state at once', () => {
    expect(isWorthTelling(undefined, up, undefined, 0)).toBe(true);
    expect(isWorthTelling(told, { state: 'DOWN', reason: 'x' }, told.lastSeen, 1_001)).toBe(true);
  });

  it('tells a new time of the last answer every 10 s, and the same again within 20 s', () => {
    expect(isWorthTelling(told, up, ago(1), 10_900)).toBe(false);
    expect(isWorthTelling(told, up, ago(1), 11_000)).toBe(true);
    expect(isWorthTelling(told, up, told.lastSeen, 11_000)).toBe(false);
    expect(isWorthTelling(told, up, told.lastSeen, 19_000)).toBe(true);
  });
});

describe('probe', () => {
  it('finds an open port and a readable file, and names what is in the way else', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as { port: number };
    expect(await probe({ kind: 'tcp', host: '127.0.0.1', port })).toBeUndefined();
    await new Promise((resolve) => server.close(resolve));
    expect(await probe({ kind: 'tcp', host: '127.0.0.1', port })).toBe('ECONNREFUSED');
    expect(await probe({ kind: 'file', path: import.meta.filename })).toBeUndefined();
    expect(await probe({ kind: 'file', path: `${import.meta.filename}.none` })).toBe('ENOENT');
  });
});
