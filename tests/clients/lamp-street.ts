// A street of lamps for one test of a client: changes them until the client stands in the stream, then as the test wants.
import { setTimeout as wait } from 'node:timers/promises';
import type { LampChanged, Lamps } from '../support/lamps.ts';
import { waitFor } from '../support/wait.ts';

type Change = LampChanged['lampChanged'];

export interface LampStreet {
  readonly name: string;
  /** What a test's client hands over goes in here. */
  take(change: Change | null | undefined): void;
  /** Changes that are not of the beginning, in the order in which they came. */
  readonly seen: readonly Change[];
  ids(): readonly (string | undefined)[];
  /** Of the last that came. */
  cursor(): string;
  /** Changes lamps until the client has one. */
  untilLive(): Promise<void>;
  change(...numbers: readonly number[]): Promise<void>;
  /** Waits until so many changes were seen. */
  until(count: number): Promise<void>;
}

let streets = 0;

export function openStreet(lamps: Lamps): LampStreet {
  streets += 1;
  const name = `c${process.pid}-${streets}`;
  const all: Change[] = [];
  const seen: Change[] = [];
  return {
    name,
    seen,
    take(change) {
      if (change === null || change === undefined) throw new Error('the client handed over no data');
      all.push(change);
      if (change.lamp?.id.includes('-warm-') !== true) seen.push(change);
    },
    ids: () => seen.map(({ lamp }) => lamp?.id.slice(name.length + 1)),
    cursor: () => all.at(-1)?.cursor ?? '',
    async untilLive() {
      for (let n = 0; all.length === 0; n += 1) {
        if (n === 1_000) throw new Error('the client has got nothing');
        await lamps.change(name, [`${name}-warm-${n}`]);
        await wait(10);
      }
    },
    change: (...numbers) =>
      lamps.change(
        name,
        numbers.map((n) => `${name}-${n}`),
      ),
    async until(count) {
      await waitFor(`${count} changes`, () => seen.length >= count, 15_000);
    },
  };
}

/** `first` to `last`, both included. */
export function range(first: number, last: number): readonly number[] {
  return Array.from({ length: last - first + 1 }, (_, n) => first + n);
}
