import { OperatorError } from '@weft/core/errors';
import { describe, expect, it } from 'vitest';
import { createHeaderPicker } from './forwarded-headers.ts';

describe('the headers that are forwarded', () => {
  it('are none unless they are named', () => {
    expect(createHeaderPicker([])({ authorization: 'Bearer x', cookie: 'a=b' })).toEqual([]);
  });

  it('are those named, in one order, own properties only', () => {
    const pick = createHeaderPicker(['X-Tenant', 'authorization', 'constructor']);
    expect(pick({ 'x-tenant': ['a', 'b'], cookie: 'c', authorization: 'Bearer x' })).toEqual([
      'authorization',
      'Bearer x',
      'x-tenant',
      'a, b',
    ]);
    expect(pick(undefined)).toEqual([]);
  });

  it('are left out when they are longer than any server takes', () => {
    expect(createHeaderPicker(['x-tenant'])({ 'x-tenant': 'a'.repeat(9_000) })).toEqual([]);
  });

  it.each([
    'Host',
    'content-length',
    'Transfer-Encoding',
    'x-weft-deadline-ms',
    'traceparent',
    'Weft-Principal',
    'signature',
    'Signature-Input',
    'content-digest',
    'a b',
    '',
  ])('may not be %j', (name) => {
    expect(() => createHeaderPicker([name])).toThrow(OperatorError);
  });
});
