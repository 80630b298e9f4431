import { describe, expect, it } from 'vitest';
import { openVerifier } from './webhook-signature.ts';

/** The example of the specification's reference libraries. */
const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const BODY = Buffer.from('{"test": 2432232314}');
const SIGNATURE = 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=';
const AT_MS = 1_614_265_330_000;
const HEADERS = {
  'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
  'webhook-timestamp': '1614265330',
  'webhook-signature': SIGNATURE,
};

const standard = openVerifier({ scheme: 'STANDARD_WEBHOOKS', verifySecret: 'hook' }, SECRET);

function holds(more: Readonly<Record<string, string | undefined>> = {}, nowMs = AT_MS): boolean {
  const headers: Readonly<Record<string, string | undefined>> = { ...HEADERS, ...more };
  return standard((name) => headers[name], BODY, nowMs);
}

describe('Standard Webhooks', () => {
  it.each([
    ['its example', {}],
    ['one of several signatures', { 'webhook-signature': `v1a,AAAA v1,AAAA ${SIGNATURE}` }],
  ])('lets %s in', (_name, headers) => {
    expect(holds(headers)).toBe(true);
  });

  it('has a window of five minutes to both sides', () => {
    expect([-301, -299, 299, 301].map((offset) => holds({}, AT_MS + offset * 1_000))).toEqual([
      false,
      true,
      true,
      false,
    ]);
  });

  it.each([
    ['without an id', { 'webhook-id': undefined }],
    ['with an id that takes from the timestamp', { 'webhook-id': 'msg.1' }],
    ['with another id', { 'webhook-id': 'msg_2' }],
    ['without a timestamp', { 'webhook-timestamp': undefined }],
    ['with a timestamp that is no number', { 'webhook-timestamp': '1614265330x' }],
    ['without a signature', { 'webhook-signature': undefined }],
    ['with a signature of another version', { 'webhook-signature': SIGNATURE.replace('v1', 'v2') }],
    ['with a shorter signature', { 'webhook-signature': SIGNATURE.slice(0, -8) }],
    ['with signatures without end', { 'webhook-signature': `${'v1,AAAA '.repeat(20)}${SIGNATURE}` }],
    ['with the signature of the other scheme', { 'x-timestamp': '1614265330', 'webhook-signature': '00' }],
  ])('refuses a delivery %s', (_name, headers) => {
    expect(holds(headers)).toBe(false);
  });

  it.each(['', 'plain', 'whsec_c2hvcnQ=', `whsec_${'A'.repeat(100)}`])(
    'does not start with a weak secret',
    (secret) => {
      expect(() => openVerifier({ scheme: 'STANDARD_WEBHOOKS', verifySecret: 'hook' }, secret)).toThrow(
        /^secret "hook": expected whsec_ and 24 to 64 bytes/,
      );
    },
  );
});
