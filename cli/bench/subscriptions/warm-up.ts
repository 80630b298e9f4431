// The events before those that are counted: until every client has had one, and no more at once than the row keeps up with.
import { delay } from '@weft/core/deadline';
import { HubError } from '@weft/core/errors';
import { LIVE_LIMITS } from './limits.ts';
import type { LoadFigures, Progress } from './load-program.ts';
import { emit, expectedDeliveries, type Row } from './row.ts';

/**
 * Events go out until every client has had one, then until nothing more comes. Of whoever delivers slowly no more is asked before
 * it has delivered: what it still owed would come instead of the events that are counted.
 * @returns the number of the next event
 */
export async function warmUp(row: Row, firstSeq: number, signal: AbortSignal): Promise<number> {
  const { clients, eventsPerSecond } = row.bench.settings;
  const begunAt = performance.now();
  const secondsWorth = Math.max(eventsPerSecond, row.groups);
  let seq = firstSeq;
  let reached = 0;
  // One for each group.
  let events = row.groups;
  while (reached < clients || performance.now() - begunAt < LIVE_LIMITS.warmUpMsMin) {
    if (performance.now() - begunAt > LIVE_LIMITS.warmUpMsMax) throw await notReached(row, reached, signal);
    const { delivered } = await askProgress(row, signal);
    await emit(row, seq, events, secondsWorth, signal);
    const due = delivered + expectedDeliveries(seq, events, clients, row.groups);
    const isInTime = await untilDelivered(row, due, LIVE_LIMITS.keepUpMsMax, signal);
    if (!isInTime) await untilQuiet(row, signal);
    seq += events;
    events = isInTime ? secondsWorth : row.groups;
    ({ reached } = await askProgress(row, signal));
  }
  await untilQuiet(row, signal);
  return seq;
}

/** Whether so many deliveries came within the time. */
export async function untilDelivered(
  row: Row,
  deliveries: number,
  msMax: number,
  signal: AbortSignal,
): Promise<boolean> {
  const until = performance.now() + msMax;
  for (;;) {
    const { delivered } = await askProgress(row, signal);
    if (delivered >= deliveries) return true;
    if (performance.now() >= until) return false;
    await delay(LIVE_LIMITS.pollMs, signal);
  }
}

async function untilQuiet(row: Row, signal: AbortSignal): Promise<void> {
  const until = performance.now() + LIVE_LIMITS.drainMsMax;
  let last = -1;
  while (performance.now() < until) {
    const { delivered } = await askProgress(row, signal);
    if (delivered === last) return;
    last = delivered;
    await delay(LIVE_LIMITS.quietMs, signal);
  }
}

function askProgress({ load }: Row, signal: AbortSignal): Promise<Progress> {
  return load.ask<Progress>('progress', {}, signal);
}

async function notReached(row: Row, reached: number, signal: AbortSignal): Promise<HubError> {
  const { others } = await row.load.ask<LoadFigures>('finish', {}, signal);
  return new HubError(
    'DEADLINE_EXCEEDED',
    `only ${reached} of ${row.bench.settings.clients} clients had an event after ${LIVE_LIMITS.warmUpMsMax} ms: ${row.gateway.ended() ?? ''} ${others.samples[0] ?? ''}`,
  );
}
