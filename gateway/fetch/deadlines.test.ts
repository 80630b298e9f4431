import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createDeadlines, type Waiter } from './deadlines.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const TIMEOUT_MS = 100;

function waiter(ended: string[], name: string): Waiter {
  return { endsAtMs: performance.now() + TIMEOUT_MS, end: () => void ended.push(name) };
}

describe('deadlines', () => {
  it('end each in its time, by one timer', () => {
    const ended: string[] = [];
    const deadlines = createDeadlines(TIMEOUT_MS);
    deadlines.add(waiter(ended, 'first'));
    vi.advanceTimersByTime(40);
    deadlines.add(waiter(ended, 'second'));
    expect(vi.getTimerCount()).toBe(1);
    vi.advanceTimersByTime(59);
    expect(ended).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(ended).toEqual(['first']);
    vi.advanceTimersByTime(40);
    expect(ended).toEqual(['first', 'second']);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('do not end who was removed, and are no later for those who were', () => {
    const ended: string[] = [];
    const deadlines = createDeadlines(TIMEOUT_MS);
    const gone = waiter(ended, 'gone');
    deadlines.add(gone);
    deadlines.remove(gone);
    vi.advanceTimersByTime(70);
    deadlines.add(waiter(ended, 'stays'));
    vi.advanceTimersByTime(99);
    expect(ended).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(ended).toEqual(['stays']);
  });

  it('say when nobody waits, and go on for who comes then', () => {
    const ended: string[] = [];
    const onEmpty = vi.fn();
    const deadlines = createDeadlines(TIMEOUT_MS, onEmpty);
    const again: Waiter = {
      endsAtMs: performance.now() + TIMEOUT_MS,
      end: () => deadlines.add(waiter(ended, 'again')),
    };
    deadlines.add(again);
    vi.advanceTimersByTime(TIMEOUT_MS);
    expect(onEmpty).not.toHaveBeenCalled();
    vi.advanceTimersByTime(TIMEOUT_MS);
    expect(ended).toEqual(['again']);
    expect(onEmpty).toHaveBeenCalledOnce();
    deadlines.add(waiter(ended, 'late'));
    vi.advanceTimersByTime(TIMEOUT_MS);
    expect(ended).toEqual(['again', 'late']);
  });
});
