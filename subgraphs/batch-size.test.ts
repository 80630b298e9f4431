import { describe, expect, it } from 'vitest';
import { createBatchSize } from './batch-size.ts';

describe('the size of a batch', () => {
  it('is halved by the second time-out in a row, down to one', () => {
    const size = createBatchSize(5);
    expect([size.timedOut(), size.eventsMax()]).toEqual(['same', 5]);
    expect([size.timedOut(), size.eventsMax()]).toEqual(['halved', 2]);
    expect([size.timedOut(), size.timedOut(), size.eventsMax()]).toEqual(['same', 'halved', 1]);
    expect([size.timedOut(), size.timedOut(), size.timedOut()]).toEqual(['same', 'stuck', 'stuck']);
    expect(size.eventsMax()).toBe(1);
  });

  it('stays while time-outs come one by one', () => {
    const size = createBatchSize(4);
    for (let turn = 0; turn < 5; turn++) {
      expect(size.timedOut()).toBe('same');
      expect(size.cameThrough()).toBe(false);
    }
    expect(size.eventsMax()).toBe(4);
  });

  it('grows again after ten batches that came through, and never above where it began', () => {
    const size = createBatchSize(5);
    for (let turn = 0; turn < 4; turn++) size.timedOut();
    expect(size.eventsMax()).toBe(1);
    const sizes: number[] = [];
    for (let batch = 0; batch < 50; batch++) if (size.cameThrough()) sizes.push(size.eventsMax());
    expect(sizes).toEqual([2, 4, 5]);
  });
});
