// The judge finds what it is there to find.
import { describe, expect, it } from 'vitest';
import { judge } from './check.ts';

const record = (...numbers: number[]) => [{ client: 0, numbers, gaps: [], errors: [] }];
const LOG = [1, 2, 4, 3];

describe('the judge of live deliveries', () => {
  it('is content with the order of the log', () => {
    expect(judge(LOG, record(1, 2, 4, 3))).toMatchObject({ deliveries: 4, lost: 0, doubled: 0, reversed: 0 });
  });
  it('counts what is lost', () => {
    expect(judge(LOG, record(1, 4, 3))).toMatchObject({ lost: 1, doubled: 0, reversed: 0 });
  });
  it('counts what came twice, and once only', () => {
    expect(judge(LOG, record(1, 2, 2, 4, 3))).toMatchObject({ lost: 0, doubled: 1, reversed: 0 });
    expect(judge(LOG, record(1, 2, 4, 1, 3))).toMatchObject({ lost: 0, doubled: 1, reversed: 0 });
  });
  it('counts what came out of order', () => {
    expect(judge(LOG, record(1, 2, 3, 4))).toMatchObject({ lost: 0, doubled: 0, reversed: 1 });
  });
  it('counts what nobody appended', () => {
    expect(judge(LOG, record(1, 2, 4, 3, 9))).toMatchObject({ strange: 1 });
  });
});
