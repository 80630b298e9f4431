// Planning processes that outlive their supergraph: what a start costs is paid once, not for every graph that is published.
import { PLAN_LIMITS, type PlanLimits } from './limits.ts';
import type { PlannerProcessData } from './planner-messages.ts';
import { type PlannerProcess, startPlannerProcess } from './planner-process.ts';

type SpareLimits = Pick<PlanLimits, 'planSpareIdleMs' | 'planGraphsMax'>;

/** At most one spare: while a graph takes the place of another, the process of the one before is free. */
export interface PlannerSpares {
  /** The spare with this supergraph in place of its last, or a new process. */
  start(data: PlannerProcessData, limits: PlanLimits): PlannerProcess;
  /** Takes back a process whose supergraph is not needed any more: it is kept for the next, or ended. */
  giveBack(planner: PlannerProcess): void;
  /** Ends the spare, and each that is given back from now on. */
  close(): void;
}

/** Starts a process each time, and keeps none. */
export const NO_SPARES: PlannerSpares = Object.freeze({
  start: startPlannerProcess,
  giveBack: (planner: PlannerProcess) => planner.end(),
  close: () => undefined,
});

export function createPlannerSpares(given: Partial<SpareLimits> = {}): PlannerSpares {
  const { planSpareIdleMs, planGraphsMax } = { ...PLAN_LIMITS, ...given };
  let spare: PlannerProcess | undefined;
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;
  const take = () => {
    const taken = spare;
    clearTimeout(timer);
    spare = undefined;
    return taken;
  };
  return {
    start(data, limits) {
      const taken = take();
      if (taken?.isIdle !== true) return startPlannerProcess(data, limits);
      taken.restart(data);
      return taken;
    },
    giveBack(planner) {
      // Native memory is freed as the library sees fit: no process takes up graphs for ever.
      const isKept = !isClosed && spare?.isIdle !== true && planner.isIdle && planner.graphs < planGraphsMax;
      if (!isKept) return planner.end();
      take();
      spare = planner;
      timer = setTimeout(() => take()?.end(), planSpareIdleMs);
      timer.unref();
    },
    close() {
      isClosed = true;
      take()?.end();
    },
  };
}
