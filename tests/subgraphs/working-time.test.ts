import { dayOf, isArranged, isWorkingDay, startOfDay } from '@weft/subgraphs/incidents/time/calendar';
import { centreKindOf, DEFAULT_POLICY, dueOf, hoursOf } from '@weft/subgraphs/incidents/time/deadline-policy';
import {
  addWorkingTime,
  type WorkingHours,
  workingDayMs,
  workingTimeBetween,
} from '@weft/subgraphs/incidents/time/working-time';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const MINUTE_MS = 60_000;
const HOURS = hoursOf(DEFAULT_POLICY, null);
const at = (text: string) => new Date(`${text}+08:00`);
const day = (text: string) => dayOf(at(`${text}T12:00:00`).getTime());

/** By the wall clock, minute by minute, with nothing of the arithmetic that is under test. */
function isWorkingMinute(instantMs: number, hours: WorkingHours): boolean {
  const local = new Date(instantMs + 8 * 3_600_000);
  const ofDay = (local.getUTCHours() * 60 + local.getUTCMinutes()) * MINUTE_MS;
  return isWorkingDay(dayOf(instantMs)) && hours.some(({ from, to }) => ofDay >= from && ofDay < to);
}

function naiveCount(start: number, end: number, hours: WorkingHours): number {
  let minutes = 0;
  for (let now = start; now < end; now += MINUTE_MS) if (isWorkingMinute(now, hours)) minutes += 1;
  return minutes;
}

const START = fc
  .integer({ min: 0, max: 700 * 1_440 })
  .map((minutes) => at('2025-06-01T00:00:00').getTime() + minutes * MINUTE_MS);
const HOURS_OF_A_DAY = fc
  .uniqueArray(fc.integer({ min: 0, max: 96 }), { minLength: 2, maxLength: 6 })
  .map((quarters) => quarters.sort((left, right) => left - right))
  .map((quarters) =>
    quarters.flatMap((from, index) => {
      const to = quarters[index + 1];
      return index % 2 === 0 && to !== undefined
        ? [{ from: from * 15 * MINUTE_MS, to: to * 15 * MINUTE_MS }]
        : [];
    }),
  );

describe('the working days', () => {
  it.each([
    ['2026-10-01', false, 'a day off'],
    ['2026-10-10', true, 'a Saturday that makes up'],
    ['2026-02-14', true, 'a Saturday before the Spring Festival'],
    ['2026-02-23', false, 'a Monday of the Spring Festival'],
    ['2026-11-28', false, 'a Saturday'],
    ['2026-11-30', true, 'a Monday'],
  ])('of %s: %s, %s', (date, expected) => {
    expect(isWorkingDay(day(date))).toBe(expected);
    expect(isArranged(day(date))).toBe(true);
  });

  it('are plain weekdays in a year that is not arranged yet, and that is said', () => {
    expect(isArranged(day('2090-10-02'))).toBe(false);
    expect(isWorkingDay(day('2090-10-02'))).toBe(true);
    expect(isWorkingDay(day('2090-10-01'))).toBe(false);
    const due = addWorkingTime(at('2090-09-29T09:00:00'), workingDayMs(HOURS), HOURS);
    expect(due.byWeekdays).toBe(true);
    expect(addWorkingTime(at('2026-09-29T09:00:00'), workingDayMs(HOURS), HOURS).byWeekdays).toBe(false);
  });

  it('begin at midnight in Shanghai', () => {
    expect(startOfDay(day('2026-11-29'))).toBe(at('2026-11-29T00:00:00').getTime());
  });
});

describe('working time', () => {
  it('passes over nights, noon and the National Day', () => {
    const add = (start: string, hours: number) => addWorkingTime(at(start), hours * 3_600_000, HOURS).at;
    expect(add('2026-11-30T11:00:00', 2)).toEqual(at('2026-11-30T14:30:00'));
    expect(add('2026-11-30T11:00:00', 1)).toEqual(at('2026-11-30T12:00:00'));
    expect(add('2026-11-27T17:00:00', 1)).toEqual(at('2026-11-30T09:30:00'));
    expect(add('2026-09-30T17:00:00', 1)).toEqual(at('2026-10-08T09:30:00'));
  });

  it('added is what a count minute by minute finds', () => {
    fc.assert(
      fc.property(START, fc.integer({ min: 1, max: 3_000 }), HOURS_OF_A_DAY, (start, minutes, hours) => {
        const end = addWorkingTime(new Date(start), minutes * MINUTE_MS, hours).at.getTime();
        // So much has passed at the end, and less a minute before.
        expect(naiveCount(start, end, hours)).toBe(minutes);
        expect(isWorkingMinute(end - MINUTE_MS, hours)).toBe(true);
      }),
      { numRuns: 60, interruptAfterTimeLimit: 4_000 },
    );
  });

  it('between two instants is what a count minute by minute finds', () => {
    fc.assert(
      fc.property(START, fc.integer({ min: -100, max: 20_000 }), HOURS_OF_A_DAY, (start, minutes, hours) => {
        const end = start + minutes * MINUTE_MS;
        const counted = workingTimeBetween(new Date(start), new Date(end), hours);
        expect(counted).toBe(naiveCount(start, end, hours) * MINUTE_MS);
      }),
      { numRuns: 60, interruptAfterTimeLimit: 4_000 },
    );
  });

  it('has a limit', () => {
    expect(() => addWorkingTime(at('2026-01-01T00:00:00'), 1e15, HOURS)).toThrow(/at most 3660 days/);
  });
});

describe('the deadlines', () => {
  const timed = { urgency: 'NORMAL', matter: '01001', centreDivision: '320508017' };

  it('of a normal incident count working hours, of an urgent one every hour', () => {
    const start = at('2026-11-27T17:00:00');
    expect(dueOf(DEFAULT_POLICY, 'SIGN', start, timed).at).toEqual(at('2026-11-30T10:30:00'));
    expect(dueOf(DEFAULT_POLICY, 'HANDLE', start, timed).at).toEqual(at('2026-12-04T17:00:00'));
    const urgent = { ...timed, urgency: 'URGENT' };
    expect(dueOf(DEFAULT_POLICY, 'SIGN', start, urgent).at).toEqual(at('2026-11-27T18:00:00'));
    expect(dueOf(DEFAULT_POLICY, 'HANDLE', start, urgent).at).toEqual(at('2026-11-28T17:00:00'));
  });

  it('take the first rule that fits, and the hours of the kind of centre', () => {
    const [, , last] = DEFAULT_POLICY.rules;
    if (last === undefined) throw new Error('three rules are expected');
    const policy = {
      ...DEFAULT_POLICY,
      workingHours: { ...DEFAULT_POLICY.workingHours, TOWN: [{ from: 0, to: 86_400_000 }] },
      rules: [{ ...last, matter: '010', sign: { minutes: 5 } }, last],
    };
    const start = at('2026-11-30T20:00:00');
    expect(dueOf(policy, 'SIGN', start, timed).at).toEqual(at('2026-11-30T20:05:00'));
    expect(dueOf(policy, 'SIGN', start, { ...timed, matter: null }).at).toEqual(at('2026-11-30T22:00:00'));
    expect(dueOf(policy, 'SIGN', start, { ...timed, centreDivision: '320508' }).at).toEqual(
      at('2026-12-01T09:05:00'),
    );
  });

  it('know the kind of a centre by the length of its division', () => {
    expect(
      ['32', '3205', '320508', '320508017', '320508017003', '320508017003001'].map(centreKindOf),
    ).toEqual(['CITY', 'CITY', 'COUNTY', 'TOWN', 'COMMUNITY', 'COMMUNITY']);
  });
});
