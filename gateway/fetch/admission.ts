// One system's door: so many calls inside, so many waiting in order, and whoever comes then is told at once.
import { invariant } from '@weft/core/errors';
import type { Stopper } from './stopper.ts';

export type Admitted = 'admitted' | 'stopped' | 'full';

export interface Admission {
  /** At once when there is room, which is the rule; else a promise. Whoever is admitted must `leave()`. */
  enter(stopper: Stopper): Admitted | Promise<Admitted>;
  leave(): void;
}

interface Waiting {
  readonly stopper: Stopper;
  readonly resolve: (admitted: Admitted) => void;
}

/** @param total calls inside and waiting together */
export function createAdmission(insideMax: number, total: number): Admission {
  // A Set keeps the order of coming, and lets the one who gives up go from the middle.
  const waiting = new Set<Waiting>();
  let inside = 0;
  return {
    enter(stopper) {
      if (inside < insideMax) {
        inside += 1;
        return 'admitted';
      }
      if (inside + waiting.size >= total) return 'full';
      return new Promise((resolve) => {
        const entry: Waiting = { stopper, resolve };
        waiting.add(entry);
        stopper.onStop = () => {
          waiting.delete(entry);
          resolve('stopped');
        };
      });
    },
    leave() {
      // The rule: nobody waits.
      if (waiting.size === 0) {
        inside -= 1;
        return;
      }
      const [next] = waiting;
      invariant(next !== undefined, 'one who waits is there');
      waiting.delete(next);
      next.stopper.onStop = undefined;
      next.resolve('admitted');
    },
  };
}
