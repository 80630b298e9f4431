import { OperatorError } from '@weft/core/errors';
import { describe, expect, it } from 'vitest';
import { readSecret } from './secret.ts';
import { signatureHeaders } from './sign.ts';

describe('the signature of a delivery', () => {
  // The example of the specification's reference libraries.
  const secret = readSecret('example', 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw');
  const delivery = { id: 'msg_p5jXN8AQM9LWM0D4loKWxJek', body: '{"test": 2432232314}' };

  it('is that of Standard Webhooks', () => {
    expect(signatureHeaders(delivery, [secret], 1_614_265_330_000)).toEqual({
      'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    });
  });

  it('is given by every secret', () => {
    const other = readSecret('other', `whsec_${Buffer.alloc(32, 7).toString('base64')}`);
    const { 'webhook-signature': both } = signatureHeaders(delivery, [secret, other], 1_614_265_330_000);
    expect(both).toMatch(/^v1,g0hM9SsE\+OTPJTGt\/tmIKtSyZlE3uFJELVlNIOLJ1OE= v1,[A-Za-z0-9+/]{43}=$/);
  });
});

describe('a secret', () => {
  it.each(['', 'whsec_', 'whsec_c2hvcnQ=', 'MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', `whsec_${'A'.repeat(100)}`])(
    'is refused without being told: %s',
    (text) => {
      expect(() => readSecret('bureau', text)).toThrow(OperatorError);
      expect(() => readSecret('bureau', text)).toThrow(/^secret "bureau": expected whsec_ /);
    },
  );
});
