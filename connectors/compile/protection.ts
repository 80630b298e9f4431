// Decodes what of a source's guard says how often, and at which hours, it may be asked.
import type { GuardPlan, QuietWindow } from '../plan.ts';
import type { IssueList } from './build-issues.ts';
import type { Arguments } from './directive-arguments.ts';

const RATE_RANGE = [0.01, 10_000] as const;
const BURST_RANGE = [1, 10_000] as const;
const WINDOWS_MAX = 12;
const WINDOW = /^([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)$/;

/** The rate of a guard; undefined without one, and for one that is refused, which is then in `issues`. */
export function readRate(guard: Arguments, issues: IssueList): GuardPlan['rate'] {
  const burst = guard.number('burst') ?? 1;
  if (burst < BURST_RANGE[0] || burst > BURST_RANGE[1])
    issues.add(
      'BAD_VALUE',
      guard.nodeOf('burst'),
      `burst is ${burst}`,
      `expected ${BURST_RANGE.join(' to ')}`,
    );
  const perSecond = guard.number('ratePerSecond');
  if (perSecond === undefined) {
    // The default has no place in the text.
    if (guard.nodeOf('burst') !== guard.node)
      issues.add('BAD_VALUE', guard.nodeOf('burst'), 'burst says nothing without ratePerSecond', 'add it');
    return undefined;
  }
  if (perSecond >= RATE_RANGE[0] && perSecond <= RATE_RANGE[1]) return { perSecond, burst };
  const [least, most] = RATE_RANGE;
  issues.add(
    'BAD_VALUE',
    guard.nodeOf('ratePerSecond'),
    `ratePerSecond is ${perSecond}`,
    `expected ${least} to ${most}`,
  );
  return undefined;
}

/** The quiet hours of a guard; malformed ones are in `issues`. */
export function readQuiet(guard: Arguments, issues: IssueList): readonly QuietWindow[] {
  const text = guard.text('quiet');
  if (text === undefined) return [];
  const parts = text.split(',').map((part) => part.trim());
  const windows = parts.map(parseWindow);
  if (parts.length <= WINDOWS_MAX && windows.every((window) => window !== undefined)) return windows;
  const bad = parts.find((_part, index) => windows[index] === undefined);
  const problem =
    bad === undefined ? `quiet has ${parts.length} windows` : `'${bad}' is no window of quiet hours`;
  const mend = `expected at most ${WINDOWS_MAX} like "02:00-03:00", with commas between`;
  issues.add('BAD_VALUE', guard.nodeOf('quiet'), problem, mend);
  return [];
}

function parseWindow(text: string): QuietWindow | undefined {
  const found = WINDOW.exec(text);
  if (found === null) return undefined;
  const [fromHour = 0, fromMinute = 0, toHour = 0, toMinute = 0] = found.slice(1).map(Number);
  const window = { fromMinute: fromHour * 60 + fromMinute, toMinute: toHour * 60 + toMinute, text };
  return window.fromMinute === window.toMinute ? undefined : window;
}
