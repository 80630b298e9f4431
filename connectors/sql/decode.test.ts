import { describe, expect, it } from 'vitest';
import { readableRows } from './client.ts';
import { decodeSqlError } from './decode.ts';

const CONTEXT = { system: 'city', source: 'db', operation: 't' };

describe('an SQL error', () => {
  it.each(['28000', '28P01', 'ER_ACCESS_DENIED_ERROR', 'ER_DBACCESS_DENIED_ERROR'])(
    'of a refused login says so, that it is not tried again: %s',
    (code) => {
      expect(decodeSqlError({ code, message: 'no' }, CONTEXT)).toMatchObject({
        code: 'UPSTREAM_UNAVAILABLE',
        details: { sqlState: code, reason: 'CREDENTIALS_REFUSED' },
      });
    },
  );

  it('of a database that is away blames no login', () => {
    const { code, details } = decodeSqlError({ code: '57P01', message: 'shutting down' }, CONTEXT);
    expect(code).toBe('UPSTREAM_UNAVAILABLE');
    expect(details.reason).toBeUndefined();
  });
});

describe('rows', () => {
  it('hold null where a driver could not read the bytes, and are else as they were', () => {
    expect(
      readableRows([
        { bh: '1', mc: '路\uFFFD' },
        { bh: '2', mc: '灯', bb: 3 },
      ]),
    ).toEqual([
      { bh: '1', mc: null },
      { bh: '2', mc: '灯', bb: 3 },
    ]);
  });
});
