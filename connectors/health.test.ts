import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { GuardState } from './guard/guard.ts';
import { judge } from './health.ts';
import { probe } from './probe.ts';
import { upstreamError } from './upstream-error.ts';

const now = new Date('2026-11-22T08:00:00Z');
const ago = (seconds: number) => new Date(now.getTime() - seconds * 1_000);
const error = upstreamError('UPSTREAM_INVALID', 'x', { system: 's', source: 'a', operation: 'GET /x' });
const quiet: GuardState = { breaker: 'CLOSED', lastOkAt: undefined, lastFailure: undefined };

function judged(guard: Partial<GuardState>, probeFailure?: string) {
  return judge([{ guard: { ...quiet, ...guard }, probeFailure }], now);
}

describe('judge', () => {
  it('says UP when nothing speaks against it', () => {
    expect(judged({})).toEqual({ state: 'UP', reason: undefined });
    expect(judged({ lastFailure: { at: ago(11), error } }).state).toBe('UP');
    expect(judged({ lastFailure: { at: ago(3), error }, lastOkAt: ago(2) }).state).toBe('UP');
  });

  it('says DOWN when it cannot be reached or its breaker is open', () => {
    expect(judged({}, 'ECONNREFUSED')).toEqual({ state: 'DOWN', reason: 'cannot be reached (ECONNREFUSED)' });
    expect(judged({ breaker: 'OPEN', lastFailure: { at: ago(1), error } })).toEqual({
      state: 'DOWN',
      reason: 'UPSTREAM_INVALID at GET /x',
    });
  });

  it('says DEGRADED while its last call failed', () => {
    expect(judged({ lastFailure: { at: ago(1), error }, lastOkAt: ago(2) }).state).toBe('DEGRADED');
  });

  it('takes the worst of several sources', () => {
    const degraded = { guard: { ...quiet, lastFailure: { at: ago(1), error } }, probeFailure: undefined };
    const down = { guard: quiet, probeFailure: 'ENOENT' };
    expect(judge([degraded, down, { guard: quiet, probeFailure: undefined }], now).state).toBe('DOWN');
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
