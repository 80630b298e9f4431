import { createAddressGuard } from '@weft/core/address-guard';
import { HubError } from '@weft/core/errors';
import { describe, expect, it } from 'vitest';
import { isInternal } from './internals.ts';

describe('isInternal', () => {
  it.each([
    'TypeError: x is undefined\n    at resolve (/app/src/orders.js:12:3)',
    'failed in orders.ts:88',
    'Traceback (most recent call last): …',
    'connect ECONNREFUSED 10.0.3.7:5432',
    'getaddrinfo ENOTFOUND db',
    'could not reach http://orders.internal/graphql',
    'no answer of db.internal:5432',
    'no answer of localhost:4001',
    'no route to fe80:0:0:0:1:2:3:4',
    'SELECT id, name FROM citizens WHERE id = 1',
    'error in: select * from citizens',
    'relation "citizens" does not exist',
    'duplicate key value violates unique constraint "citizens_pkey"',
    'ORA-00942: table or view does not exist',
    'cannot open /etc/orders/config.yml',
    'cannot open C:\\orders\\config.ini',
    '<!DOCTYPE html><html>502</html>',
    'password=hunter2',
    'Bearer eyJhbGciOiJIUzI1NiJ9',
  ])('knows %j for what is not meant for a client', (text) => {
    expect(isInternal(text)).toBe(true);
  });

  it.each([
    'There is no order 7.',
    'Please select one from the list.',
    'The window closes at 12:30:45.',
    'Update the order and set its state first.',
    '工單不存在：20251122-0012',
    'Expected a number, got "1.2.3".',
    'The ratio is 3:1, and/or 4:1.',
    'The token has expired.',
    'ECONNREFUSED',
  ])('lets through %j', (text) => {
    expect(isInternal(text)).toBe(false);
  });

  it.each([
    '127.0.0.1:4000/graphql',
    'localhost:4000/graphql',
    '/graphql',
    'http://user:secret@127.0.0.1:4000/graphql',
    'http://user@water.example:4000/graphql',
    'http://127.0.0.1:4000/graphql#x',
    'http://127.0.0.1:4000/graphql',
  ])('lets through why an address is refused, and nothing of it: %s', (url) => {
    const guard = createAddressGuard({ allowedHosts: new Set(), setting: 'WEFT_REGISTRY_ALLOWED_HOSTS' });
    let refused: unknown;
    try {
      guard.requireUrl(url);
    } catch (thrown) {
      refused = thrown;
    }
    const { code, message } = HubError.from(refused);
    expect(code).toBe('INVALID_URL');
    expect(isInternal(message)).toBe(false);
    expect(message).not.toMatch(/secret|4000/);
  });

  it('takes no longer for a text that was made to be slow', () => {
    const startedAt = performance.now();
    for (const text of [
      'SELECT '.repeat(70),
      'select a from '.repeat(35),
      'a:'.repeat(250),
      '1.'.repeat(250),
    ])
      isInternal(text);
    expect(performance.now() - startedAt).toBeLessThan(50);
  });
});
