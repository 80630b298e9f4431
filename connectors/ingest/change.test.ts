import { compileMapping } from '@weft/schema/mapping/compile';
import { describe, expect, it } from 'vitest';
import type { IngestPlan } from '../plan.ts';
import { type Change, decodeChange, sortableOrder } from './change.ts';
import { fold } from './records.ts';

const plan: IngestPlan = {
  type: 'Lamp',
  source: 'hook',
  from: { kind: 'webhook' },
  keyField: 'id',
  orderField: 'version',
  time: compileMapping('$.at'),
  select: compileMapping('$.lamp { id: no version: seq state }'),
  topic: 'Lamp',
  entityField: 'lamp',
  keepMs: undefined,
  report: compileMapping(
    "$.lamp { channel: 'SYSTEM_PUSH' title: name reportedAt: at externalNumbers: { lamp: no } }",
  ),
};
const receivedAt = new Date('2026-11-22T00:00:00Z');

function decode(lamp: object, at: unknown = '2026-11-22T08:00:00+08:00') {
  return decodeChange('city', plan, { lamp, at }, { timezone: 'Asia/Shanghai' }, receivedAt);
}

const good = { no: 7, seq: 2, state: 'ON', name: '路灯', at: '2026-11-22T07:00:00+08:00' };

describe('decodeChange', () => {
  it('makes the event whose id is the record and its version', () => {
    expect(decode(good)).toMatchObject({
      kind: 'change',
      change: {
        key: '7',
        event: {
          id: 'Lamp:7:2',
          source: '/systems/city',
          subject: 'Lamp:7',
          sequence: '2',
          partitionkey: '7',
          time: '2026-11-22T08:00:00+08:00',
          data: { lamp: { id: '7' }, id: 7, version: 2, state: 'ON' },
        },
        report: { id: 'report:Lamp:7', data: { title: '路灯', externalNumbers: { lamp: 7 } } },
      },
    });
  });

  it('takes the time of arrival when the change has none that can be read', () => {
    expect(decode(good, 'long ago')).toMatchObject({ change: { event: { time: receivedAt.toISOString() } } });
  });

  it('says what is missing', () => {
    expect(decode({ ...good, seq: null })).toEqual({ kind: 'bad', reason: 'expected a version in version' });
    expect(decode({ ...good, seq: 'newest' })).toMatchObject({ kind: 'bad' });
    expect(decode({ ...good, no: 'x'.repeat(201) })).toMatchObject({ kind: 'bad' });
    expect(decode({ ...good, no: null })).toEqual({ kind: 'other' });
  });

  it.each([
    [{ name: null }, 'report: expected title'],
    [{ at: 'soon' }, 'report: expected reportedAt to be a time'],
  ])('lets a change stand whose report is not whole: %o', (fault, reportProblem) => {
    expect(decode({ ...good, ...fault })).toMatchObject({
      kind: 'change',
      change: { key: '7', event: { sequence: '2' }, report: undefined, reportProblem },
    });
  });

  it('drops a NUL from a report, which no database could hold', () => {
    expect(decode({ ...good, name: 'a\0b' })).toMatchObject({
      change: { report: { data: { title: 'ab' } } },
    });
  });
});

describe('sortableOrder', () => {
  it('makes numbers compare as text', () => {
    const sorted = ['2', '10', '9', '100'].map((order) => sortableOrder(order) as string).toSorted();
    expect(sorted.map(Number)).toEqual([2, 9, 10, 100]);
  });

  it('makes times compare as instants, whatever their offset and digits', () => {
    const inOrder = [
      '2026-07-01T10:00:00+08:00',
      '2026-07-01T02:00:00.5Z',
      '2026-07-01 10:00:00.500001+08',
      '2026-07-01T02:00:01Z',
      '2026-07-01 10:00:02',
      '2026-07-01T03:00:00+0000',
    ];
    const keys = inOrder.map((order) => sortableOrder(order, 'Asia/Shanghai') as string);
    expect(keys.toSorted()).toEqual(keys);
    expect(new Set(keys).size).toBe(keys.length);
    expect(sortableOrder('2026-07-01T10:00:00+08:00')).toBe(sortableOrder('2026-07-01T02:00:00.000Z'));
    expect(keys[0]).toBe('2026-07-01 02:00:00.000000000');
  });

  it('refuses what has no order', () => {
    expect(sortableOrder('2026-02-30 00:00:00')).toBeUndefined();
    expect(sortableOrder('-1')).toBeUndefined();
    expect(sortableOrder('9'.repeat(25))).toBeUndefined();
    expect(sortableOrder('v2')).toBeUndefined();
  });
});

describe('fold', () => {
  function versions(...seqs: readonly number[]): Change[] {
    return seqs.map((seq) => {
      const decoded = decode({ ...good, seq });
      if (decoded.kind !== 'change') throw new TypeError(decoded.kind);
      return decoded.change;
    });
  }
  const stored = (order: string, reported = true) => ({
    order_key: sortableOrder(order) as string,
    reported,
  });

  it('accepts what is newer, passes over the same, counts the older', () => {
    const folded = fold(versions(3, 2, 3, 5), undefined);
    expect(folded.accepted.map(({ event }) => event.sequence)).toEqual(['3', '5']);
    expect(folded.late.map(({ event }) => event.sequence)).toEqual(['2']);
    expect(folded.newest.event.sequence).toBe('5');
  });

  it('reports a record once, with its first version', () => {
    expect(fold(versions(1, 2), undefined).report?.id).toBe('report:Lamp:7');
    expect(fold(versions(2), stored('1')).report).toBeUndefined();
    expect(fold(versions(2), stored('1', false)).report?.id).toBe('report:Lamp:7');
  });

  it('hands over a report that comes with a version known already, or a late one, while there is none', () => {
    for (const order of ['1', '2']) {
      expect(fold(versions(1), stored(order, false))).toMatchObject({
        accepted: [],
        report: { id: 'report:Lamp:7' },
      });
      expect(fold(versions(1), stored(order)).report).toBeUndefined();
    }
  });

  it('tells of a report that could not be read only while the record is not reported', () => {
    const [first, second] = versions(1, 2) as [Change, Change];
    const unread = { ...first, report: undefined, reportProblem: 'report: expected title' };
    expect(fold([unread], undefined).unreported).toEqual([unread]);
    expect(fold([unread, second], undefined)).toMatchObject({ report: second.report, unreported: [] });
    expect(fold([{ ...unread, orderKey: second.orderKey }], stored('1')).unreported).toEqual([]);
  });
});
