import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createPrefixedHmac } from './hmac.ts';

const expected = (secret: string, text: string) => createHmac('sha256', secret).update(text).digest('base64');

describe('createPrefixedHmac', () => {
  it('agrees with test case 2 of RFC 4231', () => {
    const code = createPrefixedHmac({ secret: 'Jefe' }, 'what do ya want ')('for nothing?');
    expect(Buffer.from(code, 'base64').toString('hex')).toBe(
      '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
    );
  });

  it('agrees with the library for keys of every length around a block, and for texts of every kind', () => {
    for (const length of [1, 32, 63, 64, 65, 200]) {
      const secret = '鑰k'.repeat(length).slice(0, length);
      const sign = createPrefixedHmac({ secret }, 'begin\n');
      for (const text of ['', 'short', '事件'.repeat(3_000), 'x'.repeat(10_000), 'short again'])
        expect(sign(text)).toBe(expected(secret, `begin\n${text}`));
    }
  });
});
