import { describe, expect, it } from 'vitest';
import { createAdmission } from './admission.ts';
import { Stopper } from './stopper.ts';

const FAR_MS = 60_000;

function stopperOf(controller = new AbortController()) {
  return { stopper: new Stopper(controller.signal, FAR_MS), controller };
}

describe('an admission', () => {
  it('admits at once while there is room, then in the order of coming, and refuses beyond the total', async () => {
    const admission = createAdmission(1, 3);
    const order: string[] = [];
    const stoppers = [stopperOf(), stopperOf(), stopperOf(), stopperOf()].map(({ stopper }) => stopper);
    const [first, second, third, fourth] = stoppers as [Stopper, Stopper, Stopper, Stopper];
    expect(admission.enter(first)).toBe('admitted');
    const waits = [
      Promise.resolve(admission.enter(second)).then(() => order.push('second')),
      Promise.resolve(admission.enter(third)).then(() => order.push('third')),
    ];
    expect(admission.enter(fourth)).toBe('full');
    admission.leave();
    await waits[0];
    expect(order).toEqual(['second']);
    admission.leave();
    await waits[1];
    expect(order).toEqual(['second', 'third']);
    for (const stopper of stoppers) stopper.free();
  });

  it('forgets one who gives up, and gives the place to the next', async () => {
    const admission = createAdmission(1, 3);
    const inside = stopperOf();
    const leaving = stopperOf();
    const staying = stopperOf();
    admission.enter(inside.stopper);
    const left = admission.enter(leaving.stopper);
    const stayed = admission.enter(staying.stopper);
    leaving.controller.abort();
    expect(await left).toBe('stopped');
    admission.leave();
    expect(await stayed).toBe('admitted');
    admission.leave();
    expect(admission.enter(inside.stopper)).toBe('admitted');
    for (const { stopper } of [inside, leaving, staying]) stopper.free();
  });
});
