import { OperatorError } from '@weft/core/errors';
import { buildSchema } from 'graphql';
import { describe, expect, it } from 'vitest';
import { readTailArguments } from './arguments.ts';
import { clockOf, lineOf } from './lines.ts';
import { buildOperation } from './operation.ts';

const schema = buildSchema(`
  scalar Cursor
  enum Kind { A B }
  type Query { any: Int }
  type Subscription {
    lampChanged(street: ID, first: Int, kinds: [Kind!], after: Cursor): LampChanged!
    stepChanged(id: ID!, from: Kind, after: Cursor): LampChanged!
    gaugeChanged: Lamp
  }
  type LampChanged { cursor: Cursor! gap: Gap kind: Kind lamp: Lamp lamps: [Lamp!] }
  type Gap { from: Cursor to: Cursor! reason: String! }
  type Lamp { id: ID! colour: String tags: [String!] near(m: Int!): Lamp owner: Owner }
  type Owner { name: String }
`);
const tail = (...argv: string[]) => buildOperation(schema, readTailArguments(argv));
const wrong = (message: RegExp) =>
  expect.objectContaining({ exitCode: 2, message: expect.stringMatching(message) });

describe('what weft tail is told', () => {
  it('becomes a subscription with variables of the arguments’ types', () => {
    expect(
      tail(
        'lampChanged',
        '--arg',
        'street=a=b',
        '--arg',
        'first=3',
        '--arg',
        'kinds=["A"]',
        '--after',
        'c',
        '--select',
        'lamp { id }',
      ),
    ).toEqual({
      query:
        'subscription Tail($street: ID, $first: Int, $kinds: [Kind!], $after: Cursor) { lampChanged(street: $street, first: $first, kinds: $kinds, after: $after) { lamp { id } } }',
      variables: { street: 'a=b', first: 3, kinds: ['A'], after: 'c' },
    });
  });

  it('selects by default the scalars near by, and nothing that needs an argument or is a list of objects', () => {
    expect(tail('lampChanged').query).toBe(
      'subscription Tail { lampChanged { cursor kind gap { from to reason } lamp { id colour } } }',
    );
  });

  it('takes either address of a gateway for both', () => {
    const both = { http: 'https://h/graphql', ws: 'wss://h/graphql' };
    expect(readTailArguments(['f', '--url', 'https://h/graphql']).url).toEqual(both);
    expect(readTailArguments(['f', '--url', 'wss://h/graphql']).url).toEqual(both);
  });

  it.each([
    [[], /expected 'weft tail FIELD'/],
    [['a', 'b'], /expected 'weft tail FIELD'/],
    [['--nothing'], /nothing/],
    [['lampChanged', '--arg', 'street'], /expected name=value/],
    [['lampChanged', '--arg', 'after=a', '--after', 'b'], /given twice/],
    [['lampChanged', '--arg', 'town=x'], /no argument town: it has street, first, kinds, after/],
    [['lampChanged', '--arg', 'first=x'], /expected JSON of Int/],
    [['lampChanged', '--from', 'SNAPSHOT'], /no argument from/],
    [['stepChanged', '--arg', 'id=1', '--from', 'FOO'], /from: expected A or B, got 'FOO'/],
    [['lampChanged', '--select', '{ lamp {'], /--select: expected fields/],
    [['lampChanged', '--url', 'gateway:4000'], /--url: expected the endpoint/],
    [['nothing'], /no live field nothing: there are lampChanged, stepChanged, gaugeChanged/],
    [['gaugeChanged'], /gaugeChanged has no cursor/],
    [['stepChanged'], /needs --arg id=… \(ID!\)/],
  ])('is refused when it is wrong: %j', (argv, message) => {
    expect(() => tail(...argv)).toThrow(wrong(message));
    expect(() => tail(...argv)).toThrow(OperatorError);
  });
});

describe('the line of an event', () => {
  const at = new Date(2026, 10, 22, 8, 5, 9, 7);

  it('says when, about whom, and what', () => {
    const value = {
      cursor: 'c',
      gap: null,
      kind: 'A',
      lamp: { id: 'l1', colour: 'dark red', owner: null, tags: ['x'] },
    };
    expect(lineOf(at, value)).toBe('08:05:09.007  l1  kind=A  lamp.colour="dark red"  lamp.tags=["x"]');
    expect(lineOf(at, { note: 'x' })).toBe('08:05:09.007  -  note=x');
    expect(lineOf(at, { change: { code: null }, lamp: { id: 'l1' } })).toBe('08:05:09.007  l1');
    expect(lineOf(at, null)).toBe(`${clockOf(at)}  (no data)`);
    // The message that --from BOOKMARK begins with.
    expect(lineOf(at, { cursor: 'c', lamp: null })).toBe('08:05:09.007  (no event: a place to go on from)');
  });

  it('is one line, bounded, and gives a terminal no orders', () => {
    const line = lineOf(at, { id: 'i\u001b[2J\n', text: `a\r\nb\u009b${'x'.repeat(100)}` });
    expect([...line].filter((char) => char < ' ' || (char >= '\u007f' && char <= '\u009f'))).toEqual([]);
    expect(line).toContain('…');
    expect(line.length).toBeLessThan(120);
  });
});
