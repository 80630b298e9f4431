import { Kind, parse, type StringValueNode } from 'graphql';
import { describe, expect, test } from 'vitest';
import { locateInString } from './string-position.ts';

function stringIn(raw: string): StringValueNode {
  const [definition] = parse(`extend schema @a(b: ${raw})`).definitions;
  const value =
    definition?.kind === Kind.SCHEMA_EXTENSION
      ? definition.directives?.[0]?.arguments?.[0]?.value
      : undefined;
  return value?.kind === Kind.STRING ? value : expect.unreachable('expected a string');
}

describe('locateInString', () => {
  test.each([
    ['a plain string', '"id: a name: b"'],
    ['text of any script', '"站点: 编号 \u{1F4A1} b"'],
    ['a block on one line', '"""id: a"""'],
    ['an indented block', '"""\n    id: a\n      name: b\n\n    c: d\n    """'],
    ['a block that begins behind its quotes', '"""id: a\n    name: b\n  c"""'],
    ['a block with tabs and Windows line ends', '"""\r\n\t\tid: a\r\n\t\t\tname: b\r\n"""'],
    ['a block that ends in blank lines', '"""\n\n  a\n  b\n\n\n"""'],
  ])('finds each character of %s', (_, raw) => {
    const { value } = stringIn(raw);
    for (const [offset, character] of value.split('').entries()) {
      const expected = character === '\n' && raw.includes('\r') ? '\r' : character;
      expect([offset, raw.charAt(locateInString(raw, offset))]).toEqual([offset, expected]);
    }
  });

  test('steps over escapes', () => {
    const raw = String.raw`"a\"b\\c\u0041d\u{1F4A1}e"`;
    const { value } = stringIn(raw);
    for (const name of ['a', 'b', 'c', 'd', 'e']) {
      expect(raw.charAt(locateInString(raw, value.indexOf(name)))).toBe(name);
    }
  });

  test('steps over an escaped triple quote in a block', () => {
    const raw = '"""\n  a \\""" b\n  c\n"""';
    const { value } = stringIn(raw);
    expect(value).toBe('a """ b\nc');
    for (const name of ['a', 'b', 'c'])
      expect(raw.charAt(locateInString(raw, value.indexOf(name)))).toBe(name);
  });
});
