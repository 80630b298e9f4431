import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Handling, startHandling } from './handling.ts';

describe('the people of a department', () => {
  let done: string[];
  let handling: Handling;
  beforeEach(() => {
    vi.useFakeTimers();
    done = [];
    handling = startHandling({
      paceMs: 100,
      random: () => 0.5,
      findOpen: () => ['work'],
      next: () => ({ state: '2' }),
      apply: (_work, { state }) => done.push(state),
    });
  });
  afterEach(() => {
    handling.close();
    vi.useRealTimers();
  });

  test('do a step in each pace, none while they are away, and go on when that time is over', () => {
    vi.advanceTimersByTime(250);
    expect(done).toHaveLength(2);
    handling.stayAway('story', 300);
    vi.advanceTimersByTime(290);
    expect(done).toHaveLength(2);
    vi.advanceTimersByTime(300);
    expect(done.length).toBeGreaterThan(3);
  });

  test('come back when each who sent them away has called them', () => {
    handling.stayAway('one', 60_000);
    handling.stayAway('other', 60_000);
    handling.stayAway('one', 0);
    vi.advanceTimersByTime(150);
    expect(done).toHaveLength(0);
    handling.stayAway('other', 0);
    vi.advanceTimersByTime(100);
    expect(done).toHaveLength(1);
  });
});
