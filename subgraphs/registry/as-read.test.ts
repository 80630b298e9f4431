import { describe, expect, it } from 'vitest';
import { asRead } from './as-read.ts';

const TOLD_AT = new Date('2026-07-01T10:00:00Z');
const after = (seconds: number) => new Date(TOLD_AT.getTime() + seconds * 1_000);
const row = {
  name: 'police',
  title: '公安接处警系统',
  kind: 'WRAPPED',
  state: 'UP',
  reason: null,
  since: after(-3_600),
  lastSeen: after(-120),
  toldAt: TOLD_AT,
};

describe('a system', () => {
  it('is as it was told of for 60 s', () => {
    for (const seconds of [-5, 0, 59, 60]) expect(asRead(row, after(seconds))).toEqual(row);
  });

  it.each(['WRAPPED', 'OWNED'])('of the kind %s is UNKNOWN when nobody has told of it for longer', (kind) => {
    expect(asRead({ ...row, kind }, after(61))).toEqual({
      ...row,
      kind,
      state: 'UNKNOWN',
      reason: 'nobody has told of it for 61 s',
      since: after(60),
    });
  });

  it.each(['DOWN', 'DEGRADED'])('that was %s is UNKNOWN then, too: how it is now nobody knows', (state) => {
    expect(asRead({ ...row, state, reason: 'timed out' }, after(3_600))).toMatchObject({
      state: 'UNKNOWN',
      reason: 'nobody has told of it for 3600 s',
      lastSeen: row.lastSeen,
    });
  });
});
