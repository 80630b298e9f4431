import type { Duplex } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { WebSocket } from 'ws';
import { Connection } from './connection.ts';
import { pingedBefore, startWheel } from './wheel.ts';

const KEEP_ALIVE_MS = 10_000;
const limits = { keepAliveMs: KEEP_ALIVE_MS, connectionInitTimeoutMs: 3_000 };
const CONNECTIONS = 2_000;
const STEP_MS = 100;
/** A look comes to each connection within so long. */
const ROUND_MS = 375;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** A connection whose client answers each ping, or none. */
function connect(answers: boolean) {
  const pings: number[] = [];
  let isGone = false;
  const socket = {
    OPEN: 1,
    readyState: 1,
    ping() {
      pings.push(performance.now());
      if (answers) connection.isSilent = false;
    },
    terminate() {
      isGone = true;
    },
  };
  const connection = new Connection(socket as unknown as WebSocket, {} as Duplex, {}, '127.0.0.1');
  connection.state = 'ready';
  connection.pingedAtMs = pingedBefore(connection.openedAtMs, limits);
  return { connection, pings, isGone: () => isGone };
}

describe('the wheel', () => {
  it('does not ping together those who came together, and each in time', () => {
    const all = Array.from({ length: CONNECTIONS }, () => connect(true));
    const stop = startWheel(new Set(all.map(({ connection }) => connection)), limits);
    let before = 0;
    let most = 0;
    for (let at = 0; at < 6 * KEEP_ALIVE_MS; at += STEP_MS) {
      vi.advanceTimersByTime(STEP_MS);
      const sent = all.reduce((sum, { pings }) => sum + pings.length, 0);
      most = Math.max(most, sent - before);
      before = sent;
    }
    stop();
    // The first ones are spread over half the time: 40 in 100 ms. At once would be 2,000.
    expect(most).toBeLessThan(150);
    for (const { pings } of all) {
      expect(pings.length).toBeGreaterThanOrEqual(5);
      for (const [index, at] of pings.entries())
        expect(at - (pings[index - 1] ?? 0)).toBeLessThan(KEEP_ALIVE_MS + 2 * ROUND_MS);
    }
  });

  it('cuts off who answers no ping, and looks at those who come while it turns', () => {
    const connections = new Set<Connection>();
    const stop = startWheel(connections, limits);
    vi.advanceTimersByTime(1_000);
    const late = connect(false);
    connections.add(late.connection);
    vi.advanceTimersByTime(2 * KEEP_ALIVE_MS + 3 * ROUND_MS);
    stop();
    expect(late.pings).toHaveLength(1);
    expect(late.isGone()).toBe(true);
  });
});
