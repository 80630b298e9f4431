import { delay } from '@weft/core/deadline';
import { describe, expect, it } from 'vitest';
import { LIVE_CANDIDATES } from './candidates.ts';
import type { EmitQuestion } from './live-subgraphs.ts';
import type { Row } from './row.ts';
import { warmUp } from './warm-up.ts';

const { signal } = new AbortController();
const CLIENTS = 100;

/** A row whose gateway makes so many deliveries a second. */
function openRow(deliveriesPerSecond: number) {
  const asked: EmitQuestion[] = [];
  let due = 0;
  let delivered = 0;
  let lastAt = performance.now();
  const deliver = () => {
    const now = performance.now();
    const possible = Math.floor(((now - lastAt) / 1_000) * deliveriesPerSecond);
    if (possible === 0) return;
    lastAt = now;
    delivered = Math.min(due, delivered + possible);
  };
  const candidate = LIVE_CANDIDATES.find(({ source }) => source === 'subgraph');
  const row = {
    candidate,
    groups: 1,
    gateway: { ended: () => undefined },
    bench: {
      settings: { clients: CLIENTS, eventsPerSecond: 20 },
      subgraphs: {
        async ask(_name: string, question: EmitQuestion) {
          deliver();
          await delay(50);
          asked.push(question);
          due += question.events * CLIENTS;
        },
      },
    },
    load: {
      async ask() {
        deliver();
        return { delivered, reached: Math.min(CLIENTS, delivered), closed: 0 };
      },
    },
  } as unknown as Row;
  return { row, asked, owed: () => due - delivered };
}

describe('the warm-up of a row of live clients', () => {
  it('asks no more of a row that delivers slowly than it has delivered, and leaves nothing to come', async () => {
    const { row, asked, owed } = openRow(150);
    const next = await warmUp(row, 7, signal);
    expect(owed()).toBe(0);
    expect(asked.every(({ events }) => events === 1)).toBe(true);
    expect(next).toBe(7 + asked.length);
  }, 30_000);

  it('comes to the rate that is measured where the row keeps up', async () => {
    const { row, asked, owed } = openRow(1_000_000);
    const next = await warmUp(row, 0, signal);
    expect(owed()).toBe(0);
    expect(asked.slice(0, 3).map(({ events }) => events)).toEqual([1, 20, 20]);
    expect(next).toBe(asked.reduce((sum, { events }) => sum + events, 0));
  }, 30_000);
});
