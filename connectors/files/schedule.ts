// When a folder is looked at: at a pace, or by a cron expression in the zone of the source.
import { Cron } from 'croner';
import type { FilesPlan } from '../plan.ts';

/** Why an expression is none; undefined when it is one. Six fields, the first one seconds. */
export function cronProblem(expression: string): string | undefined {
  if (expression.trim().split(/\s+/).length !== 6) return 'it has not six fields, seconds first';
  try {
    return new Cron(expression, { paused: true }).nextRun() === null ? 'it never comes' : undefined;
  } catch {
    // The library's words quote the expression and say no more.
    return 'it is none';
  }
}

/** How long until the next look, in milliseconds. */
export function untilNextLookMs(schedule: FilesPlan['schedule'], timezone: string, now: Date): number {
  if ('everyMs' in schedule) return schedule.everyMs;
  const next = new Cron(schedule.cron, { paused: true, timezone }).nextRun(now);
  return Math.max((next?.getTime() ?? now.getTime() + DAY_MS) - now.getTime(), 0);
}

const DAY_MS = 86_400_000;
