import { connect, createServer, type LookupFunction } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import {
  createAddressGuard,
  isPublicAddress,
  parseAllowedHosts,
  type ResolveName,
  URL_LENGTH_MAX,
} from './address-guard.ts';
import { HubError, OperatorError } from './errors.ts';

const SETTING = 'WEFT_REGISTRY_ALLOWED_HOSTS';

/** Gives one list after the other, and the last one for ever. */
function resolving(...answers: readonly (readonly string[])[]): ResolveName {
  let turn = 0;
  return (_, __, callback) => {
    const addresses = answers[Math.min(turn, answers.length - 1)] ?? [];
    turn += 1;
    setImmediate(() =>
      callback(
        null,
        addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
      ),
    );
  };
}

function guardOf(resolve?: ResolveName, allowed = '') {
  return createAddressGuard({ allowedHosts: parseAllowedHosts(SETTING, allowed), setting: SETTING, resolve });
}

const invalidUrl = expect.objectContaining({ code: 'INVALID_URL', retryable: false });

function lookUp(lookup: LookupFunction, hostname: string, all: boolean): Promise<unknown> {
  return new Promise((settle) => lookup(hostname, { all }, (error, address) => settle(error ?? address)));
}

describe('an address', () => {
  it.each([
    ['this host', '0.0.0.0'],
    ['private', '10.1.2.3'],
    ['private', '172.16.0.1'],
    ['private', '172.31.255.255'],
    ['private', '192.168.1.1'],
    ['CGNAT', '100.64.0.1'],
    ["a cloud's metadata", '100.100.100.200'],
    ["a cloud's metadata", '168.63.129.16'],
    ['loopback', '127.0.0.1'],
    ['loopback', '127.255.0.9'],
    ['link-local', '169.254.169.254'],
    ['of protocols', '192.0.0.192'],
    ['documentation', '203.0.113.7'],
    ['6to4 relay', '192.88.99.1'],
    ['benchmarking', '198.19.0.1'],
    ['multicast', '224.0.0.1'],
    ['reserved', '240.0.0.1'],
    ['broadcast', '255.255.255.255'],
    ['unspecified', '::'],
    ['loopback', '::1'],
    ['IPv4-compatible', '::127.0.0.1'],
    ['IPv4-mapped', '::ffff:127.0.0.1'],
    ['IPv4-mapped', '::ffff:8.8.8.8'],
    ['NAT64', '64:ff9b::7f00:1'],
    ['local NAT64', '64:ff9b:1::1'],
    ['6to4', '2002:7f00:1::'],
    ['Teredo', '2001::1'],
    ['documentation', '2001:db8::1'],
    ['documentation', '3fff::1'],
    ['link-local', 'fe80::1'],
    ['site-local', 'fec0::1'],
    ['unique local', 'fd00:ec2::254'],
    ['multicast', 'ff02::1'],
    ['none at all', 'localhost'],
  ])('that is %s, %s, is not public', (_, address) => expect(isPublicAddress(address)).toBe(false));

  it.each(['8.8.8.8', '172.32.0.1', '100.128.0.1', '223.255.255.255', '2400:3200::1', '2606:4700::1111'])(
    '%s is public',
    (address) => expect(isPublicAddress(address)).toBe(true),
  );
});

describe('a URL', () => {
  it.each([
    ['a file', 'file:///etc/passwd'],
    ['gopher', 'gopher://127.0.0.1:6379/_FLUSHALL'],
    ['credentials', 'http://user:secret@example.org/graphql'],
    ['a user', 'http://example.org@127.0.0.1/'],
    ['a fragment', 'http://example.org/graphql#x'],
    ['no URL', 'example.org/graphql'],
    ['too long a one', `http://example.org/${'a'.repeat(URL_LENGTH_MAX)}`],
    ['loopback', 'http://127.0.0.1:6379/'],
    ['loopback with a dot', 'http://127.0.0.1./'],
    ['IPv6 loopback', 'http://[::1]/'],
    ['IPv4-mapped', 'http://[::ffff:127.0.0.1]/'],
    ['NAT64', 'http://[64:ff9b::127.0.0.1]/'],
    ['hexadecimal', 'http://0x7f.1/'],
    ['octal', 'http://0177.0.0.1/'],
    ['decimal', 'http://2130706433/'],
    ['fullwidth digits', 'http://１２７.0.0.1/'],
    ['metadata', 'http://169.254.169.254/latest/meta-data/'],
  ])('that is %s is refused: %s', (_, url) => expect(() => guardOf().requireUrl(url)).toThrow(invalidUrl));

  it('is refused in words that name the setting and keep credentials back', () => {
    expect(() => guardOf().requireUrl('http://10.0.0.1/x')).toThrow(
      'the host is not on the public internet: WEFT_REGISTRY_ALLOWED_HOSTS may name it, as host:port',
    );
    expect(() => guardOf().requireUrl('http://user:secret@example.org/')).toThrow(/^(?!.*secret)/);
  });

  it('of an address is allowed by exactly its host and port, in whatever form it is written', () => {
    const guard = guardOf(undefined, '127.0.0.1:4101, [::1]:80');
    expect(guard.requireUrl('http://127.0.0.1:4101/x/graphql').pathname).toBe('/x/graphql');
    expect(guard.requireUrl('http://0x7f.1:4101/').host).toBe('127.0.0.1:4101');
    expect(guard.requireUrl('http://[::1]/').host).toBe('[::1]');
    expect(() => guard.requireUrl('http://127.0.0.1:4102/')).toThrow(invalidUrl);
    expect(() => guard.requireUrl('https://[::1]/')).toThrow(invalidUrl);
    expect(() => guard.requireUrl('http://127.0.0.2:4101/')).toThrow(invalidUrl);
  });
});

describe('the check of a URL', () => {
  it('gives what its name resolved to', async () => {
    const { url, addresses } = await guardOf(resolving(['8.8.8.8', '2400:3200::1'])).check(
      'https://a.example/',
    );
    expect(url.href).toBe('https://a.example/');
    expect(addresses).toEqual([
      { address: '8.8.8.8', family: 4 },
      { address: '2400:3200::1', family: 6 },
    ]);
  });

  it('refuses a name of which one address among others is not public', async () => {
    const guard = guardOf(resolving(['8.8.8.8', '127.0.0.1']));
    await expect(guard.check('http://127.0.0.1.nip.io/')).rejects.toThrow(invalidUrl);
  });

  it('refuses localhost, which this machine resolves itself', async () => {
    await expect(guardOf().check('http://localhost:4000/graphql')).rejects.toThrow(invalidUrl);
  });

  it('lets a name that is allowed be anywhere, on its port only', async () => {
    const guard = guardOf(resolving(['10.0.0.9']), 'Police.Example:8080');
    expect((await guard.check('http://police.example:8080/')).addresses).toHaveLength(1);
    await expect(guard.check('http://police.example/')).rejects.toThrow(invalidUrl);
  });

  it('refuses a name that nobody knows, and one with more addresses than any service has', async () => {
    await expect(guardOf(resolving([])).check('http://a.example/')).rejects.toThrow(
      'a.example cannot be resolved',
    );
    const many = Array.from({ length: 65 }, () => '8.8.8.8');
    await expect(guardOf(resolving(many)).check('http://a.example/')).rejects.toThrow(invalidUrl);
  });

  it('pins: what is connected to is what was checked, though the name has moved since', async () => {
    const { lookup } = await guardOf(resolving(['8.8.8.8'], ['127.0.0.1'])).check('http://a.example/');
    expect(await lookUp(lookup, 'a.example', true)).toEqual([{ address: '8.8.8.8', family: 4 }]);
    expect(await lookUp(lookup, 'a.example', false)).toBe('8.8.8.8');
  });
});

describe('a connection', () => {
  const opened: { close(): void }[] = [];
  afterEach(() => {
    for (const each of opened.splice(0)) each.close();
  });

  async function connectTo(allowed: (port: number) => string, answers: readonly (readonly string[])[]) {
    let connections = 0;
    const server = createServer((socket) => {
      connections += 1;
      socket.end();
    });
    opened.push(server);
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const guard = guardOf(resolving(...answers), allowed(port));
    const url = guard.requireUrl(`http://a.example:${port}/`);
    const outcome = await new Promise<unknown>((settle) => {
      const socket = connect({ host: url.hostname, port, lookup: guard.lookupFor(url) });
      socket
        .once('error', settle)
        .once('close', () => settle('connected'))
        .resume();
    });
    return { outcome, connections: () => connections };
  }

  it('is made to no address of this machine by a name that resolves there', async () => {
    const { outcome, connections } = await connectTo(() => '', [['127.0.0.1']]);
    expect(outcome).toBeInstanceOf(HubError);
    expect(outcome).toEqual(invalidUrl);
    expect(connections()).toBe(0);
  });

  it('is made where host and port are allowed', async () => {
    const { outcome } = await connectTo((port) => `a.example:${port}`, [['127.0.0.1']]);
    expect(outcome).toBe('connected');
  });

  it('is checked each time: a name that moves to this machine is refused then (DNS rebinding)', async () => {
    const guard = guardOf(resolving(['8.8.8.8'], ['127.0.0.1']));
    const lookup = guard.lookupFor(guard.requireUrl('http://a.example/'));
    expect(await lookUp(lookup, 'a.example', true)).toEqual([{ address: '8.8.8.8', family: 4 }]);
    expect(await lookUp(lookup, 'a.example', true)).toEqual(invalidUrl);
    expect(await lookUp(lookup, 'a.example', false)).toEqual(invalidUrl);
  });
});

describe('the list of allowed hosts', () => {
  it('is of exact host:port pairs', () => {
    expect([...parseAllowedHosts(SETTING, ' A.example:80,[::1]:4101,, 127.0.0.1:04 ')]).toEqual([
      'a.example:80',
      '[::1]:4101',
      '127.0.0.1:4',
    ]);
    expect(parseAllowedHosts(SETTING, undefined).size).toBe(0);
  });

  it.each([
    'a.example',
    '*:80',
    'http://a.example:80',
    'a.example:80/x',
    'u@a.example:80',
    '::1:80',
    ':80',
    'a:99999',
  ])('refuses %s, naming the setting', (given) =>
    expect(() => parseAllowedHosts(SETTING, given)).toThrow(
      new OperatorError(`${SETTING}: ${JSON.stringify(given)} is not host:port`, { exitCode: 2 }),
    ),
  );
});
