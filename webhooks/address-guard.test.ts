import { describe, expect, it } from 'vitest';
import { createAddressGuard, isForbiddenAddress } from './address-guard.ts';

describe('an address', () => {
  it.each([
    '127.0.0.1',
    '127.255.0.9',
    '0.0.0.0',
    '169.254.169.254',
    '100.100.100.200',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::127.0.0.1',
    '::ffff:127.0.0.1',
    '::ffff:a9fe:a9fe',
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
    'fe80::1',
    'fd00:ec2::254',
    'ff02::1',
    'no address',
  ])('%s is forbidden', (address) => expect(isForbiddenAddress(address)).toBe(true));

  it.each(['10.1.2.3', '172.16.0.1', '192.168.1.1', '8.8.8.8', '2400:3200::1', 'fd12::1'])(
    '%s is not: departments are on networks of their own',
    (address) => expect(isForbiddenAddress(address)).toBe(false),
  );
});

describe('the guard of addresses', () => {
  const guard = createAddressGuard(new Set(['localhost:9000', 'inner.example']));
  const resolve = (hostname: string, all: boolean) =>
    new Promise((settle) =>
      guard.lookup(hostname, { all }, (error, address) => settle(error?.message ?? address)),
    );

  it('refuses a name that resolves to this machine, however it is asked', async () => {
    expect(await resolve('localhost', true)).toMatch(/^localhost is an address of this machine/);
    expect(await resolve('localhost', false)).toMatch(/^localhost is an address of this machine/);
  });

  it.each([
    'http://127.0.0.1:5432/',
    'http://[::1]/',
    'http://2130706433/',
    'http://0x7f.1/',
    'http://169.254.169.254/latest/meta-data',
  ])('refuses %s', (url) => expect(() => guard.requireHost(new URL(url))).toThrow(/may name it$/));

  it('lets through what the setting names, by host or by host and port', () => {
    expect(guard.isAllowed(new URL('http://localhost:9000/x'))).toBe(true);
    expect(guard.isAllowed(new URL('http://localhost:9001/x'))).toBe(false);
    expect(guard.isAllowed(new URL('https://inner.example:8443/'))).toBe(true);
  });
});
