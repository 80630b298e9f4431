// One incident on the page: what a step of its time line says, and which steps are new to the eye.
import { describe, expect, test } from 'vitest';
import type { Notification, Step } from './public/live/incident/documents.js';
import { fileKind, fileSize } from './public/live/incident/files.js';
import { describeWay, inOrder, isUnsettled } from './public/live/incident/notifications.js';
import { describeActor, describeStep, timeLine } from './public/live/incident/time-line.js';

const STEP: Step = {
  sequence: 1,
  kind: 'ROUTED',
  kindLabel: '分流',
  at: '2026-11-22T08:00:00+08:00',
  by: '值班甲',
  role: 'duty-officer',
  remark: null,
  reason: null,
  attempt: null,
  rating: null,
  department: null,
  centre: null,
  otherIncident: null,
};

describe('the time line', () => {
  test('has the newest step on top', () => {
    const steps = [1, 2, 3].map((sequence) => ({ ...STEP, sequence }));
    expect(timeLine(steps, 0).map(({ step }) => step.sequence)).toEqual([3, 2, 1]);
  });

  test('marks what came since it was drawn, and nothing of its first drawing', () => {
    const steps = [1, 2, 3].map((sequence) => ({ ...STEP, sequence }));
    expect(timeLine(steps, 0).filter(({ isFresh }) => isFresh)).toEqual([]);
    expect(timeLine(steps, 2).flatMap(({ step, isFresh }) => (isFresh ? step.sequence : []))).toEqual([3]);
  });
});

describe('a step', () => {
  test.each([
    [{ by: '值班甲', role: 'duty-officer' }, '值班甲（值班席）'],
    [{ by: 'system:market-supervision', role: 'department-handler' }, '市监系统'],
    [{ by: 'hotline', role: null }, '热线'],
    [{ by: 'somewhere', role: null }, 'somewhere'],
    [{ by: '某人', role: 'something-new' }, '某人（something-new）'],
  ])('of %j was done by %s', (actor, expected) => {
    expect(describeActor({ ...STEP, ...actor })).toBe(expected);
  });

  test.each<readonly [Partial<Step>, readonly string[]]>([
    [{ department: { name: '市监' }, attempt: 1, remark: '请核实处置' }, ['市监，第 1 次派发', '请核实处置']],
    [
      { kind: 'RETURNED', reason: '超出职责范围', remark: '2026-11-29T19:00:02.571Z' },
      ['超出职责范围', '对方系统时间 2026/11/30 03:00:02'],
    ],
    [{ kind: 'DELIVERY', reason: 'APPLIED' }, ['对方系统已收到']],
    [{ kind: 'DELIVERY', reason: 'SOMETHING_NEW' }, ['SOMETHING_NEW']],
    [{ kind: 'OVERDUE', reason: 'SIGN' }, ['签收时限已过']],
    // What somebody writes is theirs, and no code.
    [{ kind: 'RETURNED', reason: 'SIGN' }, ['SIGN']],
    [{ kind: 'EVALUATED', rating: 2 }, ['2 星，满分 5 星']],
    [{ kind: 'ESCALATED', centre: { name: '姑苏区综治网格服务中心' } }, ['姑苏区综治网格服务中心']],
  ])('with %j says %j', (fields, expected) => {
    expect(describeStep({ ...STEP, ...fields })).toEqual(expected);
  });
});

describe('a file', () => {
  test.each([
    ['image/png', 'PNG 图片'],
    ['text/plain; charset=utf-8', '文本'],
    ['application/x-unknown', 'application/x-unknown'],
  ])('of the type %s is called %s', (type, kind) => {
    expect(fileKind(type)).toBe(kind);
  });

  test.each([
    [0, '0 B'],
    [1_023, '1023 B'],
    [1_024, '1.0 KB'],
    [1_500_000, '1.4 MB'],
    [209_715_200, '200 MB'],
  ])('of %d bytes has %s', (bytes, size) => {
    expect(fileSize(bytes)).toBe(size);
  });
});

const TOLD: Notification = {
  sequence: 2,
  kind: 'ACCEPTED',
  kindLabel: '受理',
  reporter: { kindLabel: '人民群众' },
  channelLabel: '热线电话',
  state: 'SENT',
  stateLabel: '已发送',
  createdAt: '2026-11-22T08:00:00+08:00',
  at: '2026-11-22T08:00:01+08:00',
  system: 'hotline',
  code: null,
};

describe('the telling of a reporter', () => {
  test.each<readonly [Partial<Notification>, string]>([
    [{}, '由热线系统告知'],
    [{ system: null }, '本人在枢纽查看'],
    [{ state: 'PENDING' }, '等待热线系统'],
    [{ state: 'PENDING', system: null }, '尚无系统代为告知，久未发送须人工告知'],
    [{ state: 'UNKNOWN' }, '热线系统'],
    [{ state: 'FAILED', code: '2003' }, '热线系统，2003'],
    [{ state: 'NO_RECIPIENT', system: null }, '设备或系统上报，没有人等待告知'],
  ])('with %j says %s', (fields, way) => {
    expect(describeWay({ ...TOLD, ...fields })).toBe(way);
  });

  test('that needs a person stands first, then the newest', () => {
    const all = ['SENT', 'PENDING', 'NO_RECIPIENT', 'FAILED', 'UNKNOWN', 'SENT'].map((state, index) => ({
      ...{ ...TOLD, state, sequence: index },
    }));
    expect(inOrder(all).map(({ state, sequence }) => `${state} ${sequence}`)).toEqual([
      ...['FAILED 3', 'UNKNOWN 4', 'PENDING 1', 'SENT 5', 'NO_RECIPIENT 2', 'SENT 0'],
    ]);
  });

  test('is looked for again while it can become another, and not for ever where nobody is to be told', () => {
    const of = (state: string) => isUnsettled([TOLD, { ...TOLD, state }]);
    expect(['PENDING', 'UNKNOWN', 'SENT', 'FAILED', 'NO_RECIPIENT'].filter(of)).toEqual([
      'PENDING',
      'UNKNOWN',
    ]);
  });
});
