// Laws of signed requests: what a verifier takes, and everything that it refuses.

import { createSecretKey } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { SubgraphKey } from './keys.ts';
import { COVERED_COMPONENTS, createRequestSigner, hmac } from './sign.ts';
import { createSignatureBase, type SignableMessage } from './signature-base.ts';
import { readSignatureInput } from './signature-fields.ts';
import { createRequestVerifier, isBodyOf, type VerifierOptions } from './verify.ts';

const KEY: SubgraphKey = { id: 'k1', secret: 'a secret of at least thirty-two characters' };
const BODY = '{"query":"{ a }"}';
const NOW_MS = 1_760_000_000_000;

type Fields = Readonly<Record<string, readonly string[]>>;

function message(fields: Fields, changed: Partial<SignableMessage> = {}): SignableMessage {
  const host = ['subgraph:4001'];
  const all: Fields = { host, 'content-type': ['application/json'], ...fields };
  return {
    method: 'POST',
    authority: 'subgraph:4001',
    target: '/incidents/graphql',
    fields: (name) => all[name] ?? [],
    ...changed,
  };
}

function signedFields(key = KEY, nowMs = NOW_MS): Record<string, readonly string[]> {
  const { method, authority, target } = message({});
  const contentType = 'application/json';
  const signer = createRequestSigner({ key, method, authority, target, contentType, now: () => nowMs });
  const headers = signer.sign(BODY, 'e30=');
  const pairs = headers.flatMap((name, index) =>
    index % 2 === 0 ? [[name, [headers[index + 1] ?? '']]] : [],
  );
  return Object.fromEntries(pairs);
}

function verifier(options: Partial<VerifierOptions> = {}) {
  return createRequestVerifier({ keys: [KEY], now: () => NOW_MS, ...options });
}

describe('the base of a signature', () => {
  it('is that of RFC 9421, B.2.5, and so is its HMAC-SHA256', () => {
    const key = 'uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ==';
    const fields: Fields = { date: ['Tue, 20 Apr 2021 02:07:55 GMT'], 'content-type': ['application/json'] };
    const base = createSignatureBase(
      ['date', '@authority', 'content-type'],
      {
        method: 'POST',
        authority: 'example.com',
        target: '/foo?param=Value&Pet=dog',
        fields: (name) => fields[name] ?? [],
      },
      '("date" "@authority" "content-type");created=1618884473;keyid="test-shared-secret"',
    );
    expect(base).toBe(
      [
        '"date": Tue, 20 Apr 2021 02:07:55 GMT',
        '"@authority": example.com',
        '"content-type": application/json',
        '"@signature-params": ("date" "@authority" "content-type");created=1618884473;keyid="test-shared-secret"',
      ].join('\n'),
    );
    const made = hmac(createSecretKey(Buffer.from(key, 'base64')), base ?? '');
    expect(made.toString('base64')).toBe('pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=');
  });

  it.each([
    ['@method', '', 'POST'],
    ['@authority', '', 'www.example.com'],
    ['@path', '/path?param=value', '/path'],
    ['@path', '', '/'],
    ['@query', '/path?param=value&foo=bar&baz=bat%2Dman', '?param=value&foo=bar&baz=bat%2Dman'],
    ['@query', '/path?', '?'],
    ['@query', '/path', '?'],
    ['x-ows', '', 'Leading and trailing whitespace.'],
    ['cache-control', '', 'max-age=60, must-revalidate'],
    ['x-empty', '', ''],
  ])('has %s of %j as %j (RFC 9421, 2.1 and 2.2)', (name, target, value) => {
    const fields: Fields = {
      'x-ows': ['   Leading and trailing whitespace.   '],
      'cache-control': ['max-age=60', '   must-revalidate'],
      'x-empty': [''],
    };
    const given = message(fields, { authority: 'WWW.EXAMPLE.COM', target });
    expect(createSignatureBase([name], given, 'p')).toBe(`"${name}": ${value}\n"@signature-params": p`);
  });

  it('is none when the message lacks a component, or the component is not one that is known', () => {
    expect(createSignatureBase(['x-absent'], message({}), 'p')).toBeUndefined();
    expect(createSignatureBase(['@status'], message({}), 'p')).toBeUndefined();
  });
});

describe('Signature-Input', () => {
  const TAIL = ';created=1;nonce="n";keyid="k"';

  it('is read with its parameters in any order', () => {
    expect(readSignatureInput('s=("@method" "a");keyid="k";nonce="n";created=7')).toMatchObject({
      label: 's',
      components: ['@method', 'a'],
      created: 7,
      nonce: 'n',
      keyId: 'k',
      parameters: '("@method" "a");keyid="k";nonce="n";created=7',
    });
    expect(readSignatureInput(`s=()${TAIL}`)?.components).toEqual([]);
  });

  it.each([
    `a=("@method")${TAIL}, b=("@method")${TAIL}`,
    `a=("@method" "@method")${TAIL}`,
    `a=("@method";req)${TAIL}`,
    `a=("@method"  "a")${TAIL}`,
    `a= ("@method")${TAIL}`,
    `a=("@method" )${TAIL}`,
    `a=("@method")${TAIL};expires=9`,
    `a=("@method")${TAIL};created=9`,
    'a=("@method");created=1;nonce="n"',
    'a=("@method");created="1";nonce="n";keyid="k"',
    'a=("@method");created=1;nonce="";keyid="k"',
    'a=("@method");created=1.5;nonce="n";keyid="k"',
    `a=("@method");created=1;nonce="${'n'.repeat(65)}";keyid="k"`,
    `a=(${'"a" '.repeat(1_000)}"b")${TAIL}`,
    '',
  ])('is refused as %j', (text) => {
    expect(readSignatureInput(text)).toBeUndefined();
  });
});

describe('a verifier', () => {
  it('takes a request that was signed with any of its keys, and its body', () => {
    const other = { ...KEY, id: 'k2', secret: 'another secret of more than thirty-two characters' };
    const both = verifier({ keys: [KEY, other] });
    for (const key of [KEY, other]) expect(both.refuse(message(signedFields(key)))).toBeUndefined();
    expect(isBodyOf(message(signedFields()), Buffer.from(BODY))).toBe(true);
  });

  it('knows a body that was altered by one byte', () => {
    expect(isBodyOf(message(signedFields()), Buffer.from(BODY.replace('a', 'b')))).toBe(false);
  });

  it('takes a nonce once, and two requests that differ in nothing else', () => {
    const one = verifier();
    const fields = signedFields();
    expect(one.refuse(message(fields))).toBeUndefined();
    expect(one.refuse(message(fields))).toBe('its nonce was used before');
    expect(one.refuse(message(signedFields()))).toBeUndefined();
  });

  it.each([
    [-61_000, 'it was created too long ago, or in the future: compare the clocks'],
    [-60_000, undefined],
    [60_000, undefined],
    [61_000, 'it was created too long ago, or in the future: compare the clocks'],
  ])('says of a request created %i ms from now: %s', (offsetMs, refusal) => {
    expect(verifier().refuse(message(signedFields(KEY, NOW_MS + offsetMs)))).toBe(refusal);
  });

  it('refuses a key that it does not have, and another secret under an id that it has', () => {
    expect(verifier().refuse(message(signedFields({ ...KEY, id: 'k9' })))).toBe('its key is not known');
    const forged = { ...KEY, secret: 'a guess of at least thirty-two characters!!' };
    expect(verifier().refuse(message(signedFields(forged)))).toBe('its signature is wrong');
  });

  it.each(['signature', 'signature-input'])('refuses a request without %s', (name) => {
    expect(verifier().refuse(message({ ...signedFields(), [name]: [] }))).toBe('it is not signed');
  });

  it.each(['content-type', 'content-digest', 'weft-principal'])(
    'refuses a request whose %s is gone, another, or there twice',
    (name) => {
      const fields = signedFields();
      const refusals = [[], ['x'], [...(fields[name] ?? ['application/json']), 'x']].map((values) =>
        verifier().refuse(message({ ...fields, [name]: values })),
      );
      expect(refusals).toEqual([
        'its signature does not cover what it must',
        'its signature is wrong',
        'a signed header is there more than once',
      ]);
    },
  );

  it.each(['signature', 'signature-input', 'host'])('refuses a second %s', (name) => {
    const fields = signedFields();
    const twice = [...(fields[name] ?? ['subgraph:4001']), 'x'];
    expect(verifier().refuse(message({ ...fields, [name]: twice }))).toBe(
      'a signed header is there more than once',
    );
  });

  it.each([
    { method: 'GET' },
    { authority: 'elsewhere:4001' },
    { target: '/registry/graphql' },
    { target: '/incidents/graphql?a' },
  ])('refuses a request that was signed for another place: %j', (changed) => {
    expect(verifier().refuse(message(signedFields(), changed))).toBe('its signature is wrong');
  });

  it.each(COVERED_COMPONENTS)('refuses a signature that leaves %s out', (left) => {
    const fields = signedFields();
    const input = fields['signature-input']?.[0]?.replace(`"${left}"`, '"x"') ?? '';
    expect(verifier().refuse(message({ ...fields, 'signature-input': [input] }))).toBe(
      'its signature does not cover what it must',
    );
  });

  it.each(['weft=:AAAA:', 'weft=::', 'weft=AAAA', 'other=:AAAA:', ''])('refuses the signature %j', (text) => {
    expect(verifier().refuse(message({ ...signedFields(), signature: [text] }))).toMatch(
      /its signature is (not readable|wrong)/,
    );
  });

  it('remembers no more nonces than its limit, and refuses what it could have forgotten', () => {
    const small = verifier({ limits: { noncesMax: 2 } });
    const old = signedFields(KEY, NOW_MS - 2_000);
    expect(small.refuse(message(old))).toBeUndefined();
    for (const ageMs of [1_000, 0])
      expect(small.refuse(message(signedFields(KEY, NOW_MS - ageMs)))).toBeUndefined();
    expect(small.refuse(message(old))).toBe('its nonce was used before');
    expect(small.refuse(message(signedFields(KEY, NOW_MS - 2_000)))).toBe('its nonce was used before');
    expect(small.refuse(message(signedFields(KEY, NOW_MS - 1_000)))).toBeUndefined();
  });
});
