import { compileMapping } from '@weft/schema/mapping/compile';
import { describe, expect, test } from 'vitest';
import type { IngestPlan } from '../plan.ts';
import { decodeChange } from './change.ts';
import { decodeProgress } from './progress.ts';
import { fold } from './records.ts';

const TOLD = { kind: 'case', number: 7, state: 'SIGNED', at: '2026-11-29T08:00:00+08:00' };

describe('decodeProgress', () => {
  test('keeps what the incident library needs, in its own form', () => {
    const told = { ...TOLD, state: 'RETURNED', reason: ' 不属本辖区\0 ', by: '' };
    expect(decodeProgress(told)).toEqual({
      kind: 'progress',
      data: {
        kind: 'case',
        number: '7',
        state: 'RETURNED',
        at: '2026-11-29T00:00:00.000Z',
        reason: '不属本辖区',
        result: null,
        by: null,
      },
    });
  });

  test('is silent when the state means nothing', () => {
    expect(decodeProgress({ ...TOLD, state: null, number: null })).toEqual({ kind: 'none' });
  });

  test.each([
    [null, 'an object'],
    [{ ...TOLD, state: 'CLOSED' }, 'state to be SIGNED, RETURNED, FED_BACK or null'],
    [{ ...TOLD, number: null }, 'number to be a text or a number'],
    [{ ...TOLD, kind: 'k'.repeat(101) }, 'kind to be a text'],
    [{ ...TOLD, at: 'soon' }, 'at to be a time'],
  ])('refuses %o', (told, expected) => {
    expect(decodeProgress(told)).toEqual({ kind: 'bad', reason: `progress: expected ${expected}` });
  });
});

describe('the progress of a record', () => {
  const plan: IngestPlan = {
    type: 'Case',
    source: 'hook',
    from: { kind: 'webhook' },
    keyField: 'id',
    orderField: 'version',
    time: undefined,
    select: compileMapping('id: no version: v'),
    topic: 'Case',
    entityField: 'case',
    report: undefined,
    progress: compileMapping("kind: 'case' number: no state: s at: t"),
    keepMs: undefined,
  };
  const change = (version: number, state: string | null) => {
    const body = { no: '7', v: version, s: state, t: TOLD.at };
    const decoded = decodeChange('city', plan, body, {}, new Date());
    if (decoded.kind !== 'change') throw new Error(`expected a change, got ${decoded.kind}`);
    return decoded.change;
  };

  test('is one event for each version, with an id of its own', () => {
    const { event, progress } = change(3, 'SIGNED');
    expect(progress).toMatchObject({
      id: `progress:${event.id}`,
      source: '/systems/city',
      type: 'dev.weft.incident.progress',
      data: { number: '7', state: 'SIGNED' },
    });
    expect(change(3, null).progress).toBeUndefined();
  });

  test('is told of late versions too, which the library has not heard of', () => {
    const [late, newest] = [change(2, 'SIGNED'), change(3, 'FED_BACK')];
    const stored = { order_key: newest.orderKey, reported: false };
    expect(fold([late], stored)).toMatchObject({ accepted: [], late: [late], progress: [late.progress] });
    expect(fold([newest], stored).progress).toEqual([newest.progress]);
  });

  test('goes to quarantine when it is not whole, as often as it comes', () => {
    const bad = change(3, 'GONE');
    expect(fold([bad], undefined)).toMatchObject({ accepted: [bad], unreported: [bad], progress: [] });
    expect(fold([bad], { order_key: bad.orderKey, reported: true }).unreported).toEqual([bad]);
  });
});
