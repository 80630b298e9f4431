// Quiet hours: whether a source may be asked at all, by the clock of its own time zone.
import type { QuietWindow } from '../plan.ts';

const MINUTE_MS = 60_000;
const DAY_MINUTES = 1_440;

export interface Quiet {
  /** The window as the SDL has it. */
  readonly window: string;
  /** Until it ends. A change of the clock within it is not reckoned with: the gate looks again. */
  readonly retryAfterMs: number;
}

/** @param timezone IANA name */
export function createQuietHours(
  windows: readonly QuietWindow[],
  timezone: string,
): (now: Date) => Quiet | undefined {
  if (windows.length === 0) return () => undefined;
  const clock = new Intl.DateTimeFormat('en-GB', {
    timeZone: timezone,
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  });
  return (now) => {
    const [hour = 0, minute = 0] = clock.format(now).split(':').map(Number);
    const minuteOfDay = hour * 60 + minute;
    const window = windows.find((each) => isWithin(each, minuteOfDay));
    if (window === undefined) return undefined;
    const left = (window.toMinute - minuteOfDay + DAY_MINUTES) % DAY_MINUTES;
    return { window: window.text, retryAfterMs: left * MINUTE_MS - (now.getTime() % MINUTE_MS) };
  };
}

function isWithin({ fromMinute, toMinute }: QuietWindow, minute: number): boolean {
  return fromMinute < toMinute
    ? minute >= fromMinute && minute < toMinute
    : minute >= fromMinute || minute < toMinute;
}
