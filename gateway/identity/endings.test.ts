import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createEndings } from './endings.ts';
import { ANONYMOUS, createPrincipal } from './principal.ts';

const DAY_MS = 86_400_000;

describe('the ends of credentials', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('are told once, when they come, also after longer than a timer can wait', () => {
    const onEnd = vi.fn();
    const endings = createEndings(() => true);
    endings.watch(createPrincipal({ subject: 'a', expiresAtMs: Date.now() + 60 * DAY_MS }), onEnd);
    vi.advanceTimersByTime(60 * DAY_MS - 1);
    expect(onEnd).not.toHaveBeenCalled();
    vi.advanceTimersByTime(DAY_MS);
    expect(onEnd).toHaveBeenCalledOnce();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('that are past are told at once', () => {
    const onEnd = vi.fn();
    createEndings(() => true).watch(createPrincipal({ subject: 'a', expiresAtMs: 0 }), onEnd);
    expect(onEnd).toHaveBeenCalledOnce();
  });

  it('leave no timer when nobody wants to hear of them any more', () => {
    const onEnd = vi.fn();
    let held = true;
    const endings = createEndings(() => held);
    const stop = endings.watch(createPrincipal({ subject: 'a', expiresAtMs: Date.now() + 10 }), onEnd);
    stop();
    endings.watch(createPrincipal({ subject: 'b', expiresAtMs: Date.now() + 10 }), onEnd);
    endings.close();
    expect(vi.getTimerCount()).toBe(0);
    held = false;
    endings.review();
    vi.advanceTimersByTime(100);
    expect(onEnd).not.toHaveBeenCalled();
  });

  it('come by a review for those whose credentials were taken back, and for no other', () => {
    const ended: string[] = [];
    let held = true;
    const endings = createEndings(({ subject }) => held || subject !== 'taken');
    for (const subject of ['taken', 'kept'])
      endings.watch(createPrincipal({ subject }), () => ended.push(subject));
    endings.watch(ANONYMOUS, () => ended.push('anonymous'));
    held = false;
    endings.review();
    expect(ended).toEqual(['taken']);
  });

  it('that came before anybody wanted to hear of them are told at once', () => {
    const onEnd = vi.fn();
    createEndings(() => false).watch(createPrincipal({ subject: 'a' }), onEnd);
    expect(onEnd).toHaveBeenCalledOnce();
  });
});
