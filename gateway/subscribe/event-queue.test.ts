// The laws of one subscriber's queue.
import { HubError } from '@weft/core/errors';
import type { LogEvent, LogGap } from '@weft/events/event-log';
import { describe, expect, it } from 'vitest';
import { createEventQueue, type EventQueue } from './event-queue.ts';

const event = (n: number): LogEvent => ({
  kind: 'event',
  position: `${n}.1`,
  event: {
    specversion: '1.0',
    id: `${n}`,
    source: '/s',
    type: 't',
    subject: 's',
    time: '2026-11-22T00:00:00Z',
    datacontenttype: 'application/json',
    data: {},
  },
});
const retention = (from: number, to: number): LogGap => ({
  kind: 'gap',
  from: `${from}.1`,
  to: `${to}.1`,
  reason: 'RETENTION',
});

function takeAll(queue: EventQueue): string[] {
  const all: string[] = [];
  for (let entry = queue.take(); entry !== undefined; entry = queue.take()) {
    all.push(entry.kind === 'event' ? entry.position : `${entry.from}-${entry.to} ${entry.reason}`);
  }
  return all;
}

describe('event queue', () => {
  it('puts what does not fit into one gap that ends where the stream goes on', () => {
    const queue = createEventQueue(2);
    for (const n of [1, 2, 3, 4, 5]) queue.offer(event(n));
    expect(takeAll(queue)).toEqual(['1.1', '2.1', '2.1-5.1 SLOW_CONSUMER']);
    queue.offer(event(6));
    expect(takeAll(queue)).toEqual(['6.1']);
  });

  it('lets nothing pass a gap that has not been taken, even when there is room again', () => {
    const queue = createEventQueue(2);
    for (const n of [1, 2, 3]) queue.offer(event(n));
    queue.take();
    queue.take();
    queue.offer(event(4));
    expect(takeAll(queue)).toEqual(['2.1-4.1 SLOW_CONSUMER']);
  });

  it('keeps a gap of the log as it is, and what follows it', () => {
    const queue = createEventQueue(3);
    queue.offer(retention(1, 4));
    queue.offer(event(5));
    expect(takeAll(queue)).toEqual(['1.1-4.1 RETENTION', '5.1']);
  });

  it('joins gaps that touch, and names the consumer when an event was lost to it', () => {
    const queue = createEventQueue(1);
    queue.offer(event(1));
    queue.offer(event(2));
    queue.offer(retention(2, 7));
    expect(takeAll(queue)).toEqual(['1.1', '1.1-7.1 SLOW_CONSUMER']);
    queue.offer(retention(7, 8));
    queue.offer(event(9));
    expect(takeAll(queue)).toEqual(['7.1-9.1 SLOW_CONSUMER']);
  });

  it('takes nothing more once it has ended, and keeps the first reason', async () => {
    const queue = createEventQueue(3);
    queue.offer(event(1));
    const drained = queue.drained();
    queue.end(new HubError('STORE_UNAVAILABLE', 'gone'));
    queue.end();
    queue.offer(event(2));
    await drained;
    expect(queue.ended?.error?.code).toBe('STORE_UNAVAILABLE');
    expect(takeAll(queue)).toEqual(['1.1']);
  });
});
