import { describe, expect, it } from 'vitest';
import { decodeReport, decodeReportEvent } from './report.ts';

const GOOD = {
  channel: 'HOTLINE',
  title: '暴露垃圾',
  reportedAt: '2026-07-01T10:00:00+08:00',
  externalNumbers: { hotlineOrder: 'GD1' },
};

/** What is kept of a report event with these fields, and which fields were mended. */
function mended(fields: Record<string, unknown>) {
  const decoded = decodeReportEvent({ ...GOOD, ...fields });
  if (decoded.kind === 'invalid') throw new Error(`${decoded.argument}: ${decoded.problem}`);
  return { ...decoded.report, mends: decoded.mends.map(({ field }) => field) };
}

describe('a report event', () => {
  it('is kept as it was told when nothing is wrong with it', () => {
    expect(
      mended({ matter: '01001', division: '320508017003', address: ' 人民路1号 ', description: '' }),
    ).toEqual({
      channel: 'HOTLINE',
      title: '暴露垃圾',
      description: null,
      matter: '01001',
      division: '320508017003',
      address: '人民路1号',
      reportedAt: new Date('2026-07-01T02:00:00Z'),
      externalNumbers: [{ kind: 'hotlineOrder', number: 'GD1' }],
      urgency: 'NORMAL',
      confidential: false,
      position: null,
      reporters: [{ kind: 'CITIZEN', name: null, contact: null }],
      mends: [],
    });
  });

  it('says where it is, how urgent, and who told it, as old systems write that', () => {
    const told = {
      longitude: '120.58',
      latitude: 31.3,
      urgency: 'URGENT',
      confidential: '1',
      reporterName: '张三',
    };
    expect(mended({ ...told, reporterContact: '13800000000', reporterKind: 'VOLUNTEER' })).toMatchObject({
      position: { longitude: 120.58, latitude: 31.3 },
      urgency: 'URGENT',
      confidential: true,
      reporters: [{ kind: 'VOLUNTEER', name: '张三', contact: '13800000000' }],
      mends: [],
    });
  });

  it('keeps from view what it cannot read as public, and drops a place that is none', () => {
    const { confidential, position, urgency, reporters, mends } = mended({
      confidential: '保密',
      longitude: 0,
      latitude: 0,
      urgency: '急',
      reporterKind: '?',
    });
    expect({ confidential, position, urgency }).toEqual({
      confidential: true,
      position: null,
      urgency: 'NORMAL',
    });
    expect(reporters).toMatchObject([{ kind: 'CITIZEN' }]);
    expect(mends).toEqual(['urgency', 'confidential', 'position', 'reporterKind']);
    expect(mended({ channel: 'SYSTEM_PUSH' }).reporters).toMatchObject([{ kind: 'EXTERNAL_SYSTEM' }]);
    expect(mended({ longitude: 120.58, latitude: null }).position).toBeNull();
    expect(mended({ longitude: 181, latitude: 31 }).position).toBeNull();
  });

  it.each([
    ['title', 500],
    ['address', 500],
    ['description', 20_000],
  ] as const)('shows by an ellipsis that its %s was longer than %i characters', (field, max) => {
    const { [field]: kept, mends } = mended({ [field]: '长'.repeat(max + 1) });
    expect(kept).toBe(`${'长'.repeat(max - 1)}…`);
    expect(mends).toEqual([field]);
    const whole = mended({ [field]: '长'.repeat(max) });
    expect(whole[field]).toBe('长'.repeat(max));
    expect(whole.mends).toEqual([]);
  });

  it('is never cut in the middle of a character', () => {
    const { title } = mended({ title: `${'长'.repeat(498)}😀😀` });
    expect(title).toBe(`${'长'.repeat(498)}…`);
  });

  it.each([
    ['division', '320508017003/01'],
    ['division', '32%'],
    ['division', { code: '32' }],
    ['matter', 'x'.repeat(65)],
    ['matter', ['01001']],
    ['description', { text: 'x' }],
    ['description', 'a\0b'],
    ['address', true],
  ] as const)('loses its %s alone when that is %j', (field, value) => {
    const report = mended({ [field]: value });
    expect(report[field]).toBeNull();
    expect(report.mends).toEqual([field]);
    expect(report.title).toBe('暴露垃圾');
  });

  it('may bring codes and texts as numbers', () => {
    expect(mended({ matter: 12345, division: 320508, description: 5, title: 7 })).toMatchObject({
      matter: '12345',
      division: '320508',
      description: '5',
      title: '7',
      mends: [],
    });
  });

  it('loses the bad ones of its external numbers alone', () => {
    const externalNumbers = {
      hotlineOrder: 'GD1',
      policeReceipt: null,
      empty: '',
      gridCode: ' ',
      flag: true,
      long: 'x'.repeat(65),
      [`k${'x'.repeat(64)}`]: '1',
      nul: 'a\0b',
      order: 42,
    };
    const report = mended({ externalNumbers });
    expect(report.externalNumbers).toEqual([
      { kind: 'hotlineOrder', number: 'GD1' },
      { kind: 'order', number: '42' },
    ]);
    expect(report.mends).toEqual([
      'externalNumbers.gridCode',
      'externalNumbers.flag',
      'externalNumbers.long',
      `externalNumbers.k${'x'.repeat(63)}`,
      'externalNumbers.nul',
    ]);
  });

  it('keeps the first 20 of too many external numbers, and none of what is no object', () => {
    const many = Object.fromEntries(Array.from({ length: 25 }, (_, index) => [`kind${index}`, `${index}`]));
    const report = mended({ externalNumbers: many });
    expect(report.externalNumbers).toHaveLength(20);
    expect(report.externalNumbers[19]).toEqual({ kind: 'kind19', number: '19' });
    expect(report.mends).toEqual(['externalNumbers']);
    for (const externalNumbers of [['GD1'], 'GD1', 5]) {
      expect(mended({ externalNumbers })).toMatchObject({ externalNumbers: [], mends: ['externalNumbers'] });
    }
    expect(mended({ externalNumbers: null })).toMatchObject({ externalNumbers: [], mends: [] });
  });

  it.each([
    ['title', ' '],
    ['title', null],
    ['title', { zh: 'x' }],
    ['channel', 'PIGEON'],
    ['channel', undefined],
    ['reportedAt', '2026-02-30T08:00:00+08:00'],
    ['reportedAt', null],
  ])('is refused for its %s when that is %j', (field, value) => {
    expect(decodeReportEvent({ ...GOOD, [field]: value })).toMatchObject({
      kind: 'invalid',
      argument: field,
    });
  });
});

describe('the input of reportIncident', () => {
  it.each([
    ['title', 'x'.repeat(501)],
    ['division', '320508017003/01'],
    ['address', 'x'.repeat(501)],
    ['matter', 12345],
  ])('is refused for a bad %s: who typed it can mend it', (field, value) => {
    const input = { ...GOOD, externalNumbers: [], [field]: value };
    expect(decodeReport(input)).toMatchObject({ kind: 'invalid', argument: field });
  });
});
