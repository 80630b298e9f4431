import { describe, expect, it, vi } from 'vitest';
import { createLogger } from './logger.ts';
import { createOutageLog } from './outage-log.ts';

describe('the log of an outage', () => {
  it('has its first failure, then one line an interval with how many there were, and the next outage anew', () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    const written: Record<string, unknown>[] = [];
    const logger = createLogger('test', 'info', {
      write: (line) => written.push(JSON.parse(line) as Record<string, unknown>),
    });
    const outage = createOutageLog(logger, 1_000);
    for (let n = 0; n < 25; n += 1) {
      outage.failed({ n }, 'it does not answer');
      vi.advanceTimersByTime(100);
    }
    expect(written).toMatchObject([{ n: 0 }, { n: 10, failuresSince: 9 }, { n: 20, failuresSince: 9 }]);
    expect(written[0]).not.toHaveProperty('failuresSince');
    outage.over();
    outage.failed({ n: 'again' }, 'it does not answer');
    expect(written).toHaveLength(4);
    expect(written[3]).not.toHaveProperty('failuresSince');
    vi.useRealTimers();
  });
});
