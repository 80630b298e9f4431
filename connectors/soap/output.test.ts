import { describe, expect, it } from 'vitest';
import { plainOutput } from './output.ts';

describe('plainOutput', () => {
  it('takes off what says only how a value is written', () => {
    const encoded = {
      attributes: { 'xsi:type': 'ns1:Order' },
      id: { attributes: { 'xsi:type': 'xsd:string' }, $value: '7' },
      lines: {
        attributes: { 'soapenc:arrayType': 'xsd:string[2]' },
        item: ['a', { attributes: { 'xsi:type': 'x' } }],
      },
    };
    expect(plainOutput(encoded)).toEqual({ id: '7', lines: { item: ['a', null] } });
  });

  it('keeps attributes that belong to the answer, and a value beside them', () => {
    const output = {
      price: { attributes: { currency: 'CNY', 'xsi:type': 'a' }, $value: 3 },
      none: null,
      empty: {},
    };
    expect(plainOutput(output)).toEqual({
      price: { attributes: { currency: 'CNY' }, $value: 3 },
      none: null,
      empty: {},
    });
  });
});
