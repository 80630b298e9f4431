// What a file of webhooks may not say, each in one line; that a process with it does not start is in tests/webhooks.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSecrets } from '@weft/core/secrets';
import { afterAll, describe, expect, it } from 'vitest';
import { createAddressGuard } from './address-guard.ts';
import { readWebhooks } from './webhooks-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'weft-webhooks-file-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const GOOD = {
  name: 'bureau',
  url: 'https://hooks.example/weft',
  subscription: 'subscription ($after: Cursor) { thingChanged(after: $after) { cursor gap { reason } n } }',
  secrets: ['bureau'],
};

function read(more: object, allowed: readonly string[] = []) {
  const file = join(folder, 'webhooks.json');
  writeFileSync(file, JSON.stringify({ webhooks: [{ ...GOOD, ...more }] }));
  const secrets = openSecrets(undefined, {
    SECRET_BUREAU: `whsec_${Buffer.alloc(32, 7).toString('base64')}`,
  });
  return readWebhooks(file, secrets, createAddressGuard(new Set(allowed)));
}

function refusal(more: object): string {
  try {
    read(more);
  } catch (thrown) {
    return (thrown as Error).message;
  }
  return expect.fail('it was taken');
}

describe('the file of webhooks', () => {
  it('is taken when nothing is wrong with it, and a name that the setting allows may be an own address', () => {
    expect(read({})).toMatchObject([{ name: 'bureau', attemptsMax: expect.any(Number) }]);
    expect(read({ url: 'http://127.0.0.1:8080/x' }, ['127.0.0.1'])).toHaveLength(1);
  });

  it.each([
    ['a loopback address', 'https://127.0.0.1:5432/'],
    ['metadata of a cloud', 'https://169.254.169.254/latest/meta-data'],
    ['an address in another form', 'https://0x7f000001/'],
    ['an IPv4 address in an IPv6 one', 'https://[::ffff:127.0.0.1]/'],
  ])('may not send to %s (K11)', (_what, url) => {
    expect(refusal({ url })).toMatch(
      /^WEFT_WEBHOOKS_FILE: .*: bureau: url: .* WEFT_WEBHOOKS_ALLOWED_HOSTS may name it$/,
    );
  });

  it.each([
    ['clear text to a stranger', { url: 'http://hooks.example/x' }, /url: expected https/],
    ['a password in the URL', { url: 'https://a:b@hooks.example/' }, /expected no user and password/],
    ['a query', { subscription: '{ things }' }, /subscription: expected a subscription/],
    [
      'no cursor',
      { subscription: 'subscription($after: Cursor) { thingChanged(after: $after) { n } }' },
      /select cursor/,
    ],
    ['no after', { subscription: 'subscription { thingChanged { cursor } }' }, /argument after/],
    ['no GraphQL', { subscription: 'subscription {' }, /Syntax Error/],
    ['a secret that is not there', { secrets: ['other'] }, /secret "other" is missing/],
    ['an unknown field', { colour: 'red' }, /colour/],
  ])('is refused in one line for %s', (_what, more, message) => {
    const failure = refusal(more);
    expect(failure).toMatch(message);
    expect(failure).not.toContain('\n');
  });
});
