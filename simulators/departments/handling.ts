// The people of a department: from time to time one piece of work goes a step further.
import type { Step } from './work-books.ts';

export interface HandlingOptions<Thing> {
  /** Between two steps on the average; 0: nobody does anything. */
  readonly paceMs: number;
  /** Numbers from 0 up to but not 1. */
  readonly random?: () => number;
  /** What waits for a step, the oldest first. */
  findOpen(): readonly Thing[];
  /** Undefined: it stays. */
  next(thing: Thing, random: () => number): Step | undefined;
  apply(thing: Thing, step: Step): void;
}

export interface Handling {
  /** The people do nothing for so long, by order of a holder; they come back when no order holds. 0 takes one back. */
  stayAway(holder: string, awayMs: number): void;
  close(): void;
}

/** Who may send the people away at once; the oldest order is forgotten when there are more. */
const HOLDERS_MAX = 100;
/** The longest that a timer can wait. */
const WAIT_MS_MAX = 2 ** 31 - 1;

export function startHandling<Thing>(options: HandlingOptions<Thing>): Handling {
  const random = options.random ?? Math.random;
  let timer: NodeJS.Timeout | undefined;
  const awayUntilMs = new Map<string, number>();
  const isAway = () => {
    for (const [holder, untilMs] of awayUntilMs) if (performance.now() >= untilMs) awayUntilMs.delete(holder);
    return awayUntilMs.size > 0;
  };
  const schedule = () => {
    const waitMs = Math.min(options.paceMs * (0.5 + random()), WAIT_MS_MAX);
    timer = setTimeout(() => {
      if (!isAway()) handleOne();
      schedule();
    }, waitMs);
  };
  const handleOne = () => {
    const open = options.findOpen();
    const thing = open[Math.floor(random() * open.length)];
    const step = thing === undefined ? undefined : options.next(thing, random);
    if (thing !== undefined && step !== undefined) options.apply(thing, step);
  };
  if (options.paceMs > 0) schedule();
  return {
    stayAway: (holder, awayMs) => {
      if (awayMs > 0) awayUntilMs.set(holder, performance.now() + awayMs);
      else awayUntilMs.delete(holder);
      const oldest = awayUntilMs.size > HOLDERS_MAX ? awayUntilMs.keys().next().value : undefined;
      if (oldest !== undefined) awayUntilMs.delete(oldest);
    },
    close: () => clearTimeout(timer),
  };
}

/** The usual way of work: from state to state, now and then given back before its end. */
export interface Way {
  /** The states from the first to the last. */
  readonly states: readonly string[];
  /** In which it may be given back. */
  readonly returnsIn: readonly string[];
  readonly returned: string;
  /** Codes of reasons. */
  readonly reasons: readonly string[];
  /** The state in which a result is told, and the results there are. */
  readonly settled: string;
  readonly results: readonly string[];
}

const RETURN_SHARE = 0.08;

export function nextOn(way: Way, state: string, random: () => number): Step | undefined {
  if (way.returnsIn.includes(state) && random() < RETURN_SHARE) {
    return { state: way.returned, reason: oneOf(way.reasons, random) };
  }
  const index = way.states.indexOf(state);
  const next = index === -1 ? undefined : way.states[index + 1];
  if (next === undefined) return undefined;
  const isSettled = way.states.indexOf(next) >= way.states.indexOf(way.settled);
  return isSettled ? { state: next, result: oneOf(way.results, random) } : { state: next };
}

function oneOf(list: readonly string[], random: () => number): string {
  return list[Math.floor(random() * list.length)] ?? '';
}
