import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createHmacKey, hmacSha256 } from './hmac.ts';

describe('HMAC-SHA256', () => {
  it.each([
    [
      'RFC 4231, 4.2',
      Buffer.alloc(20, 0x0b),
      'Hi There',
      'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7',
    ],
    [
      'RFC 4231, 4.3',
      Buffer.from('Jefe'),
      'what do ya want for nothing?',
      '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
    ],
    [
      'RFC 4231, 4.7',
      Buffer.alloc(131, 0xaa),
      'Test Using Larger Than Block-Size Key - Hash Key First',
      '60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54',
    ],
  ])('is that of %s', (_from, secret, text, expected) => {
    expect(hmacSha256(createHmacKey(secret), text).toString('hex')).toBe(expected);
  });

  it('is that of the library, whatever the lengths, and one key serves many texts', () => {
    for (const length of [1, 32, 63, 64, 65, 200]) {
      const secret = Buffer.alloc(length, length);
      const key = createHmacKey(secret);
      for (const text of ['', '居民', 'a'.repeat(55), 'b'.repeat(64), 'c'.repeat(5_000)])
        expect(hmacSha256(key, text)).toEqual(createHmac('sha256', secret).update(text).digest());
    }
  });
});
