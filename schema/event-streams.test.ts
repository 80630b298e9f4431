// Laws of splitting live fields off and of building the synthetic subgraph.
import { parse } from 'graphql';
import { describe, expect, it } from 'vitest';
import { withCommonDefinitions } from './common-definitions.ts';
import { splitEventStreams } from './event-streams.ts';
import { buildEventsSubgraph } from './events-subgraph.ts';

const LINKS = `extend schema
  @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])
  @link(url: "https://specs.weft.dev/events/v0.1", import: ["@eventStream"])
`;
const sdl = (message: string, extra = '') => `${LINKS}
type Query { light(id: ID!): Light }
type Subscription {
  lightChanged(after: Cursor): LightChanged! @eventStream(topic: "light", message: "${message}", where: "$.on->eq(true)")
}
type LightChanged implements Resumable { cursor: Cursor! gap: Gap change: LightChange light: Light }
type LightChange { colour: Colour! at: DateTime! }
type Light @key(fields: "id") { id: ID! colour: Colour watts: Int ${extra} }
enum Colour { RED GREEN }
`;
const build = (text: string) => buildEventsSubgraph([{ name: 'lights', split: splitEventStreams(text) }]);
const GOOD = '{ light { id } change { colour at } }';

describe('splitEventStreams', () => {
  it('moves live fields and what only they use out of the served SDL', () => {
    const { served, streams } = splitEventStreams(sdl(GOOD));
    const names = parse(served).definitions.flatMap((node) => ('name' in node ? [node.name?.value] : []));
    expect(names.sort()).toEqual(['Colour', 'Light', 'Query']);
    expect(served).not.toContain('eventStream');
    expect(streams).toMatchObject([
      {
        coordinate: 'Subscription.lightChanged',
        topics: ['light'],
        message: GOOD,
        where: '$.on->eq(true)',
        returnType: 'LightChanged',
      },
    ]);
  });

  it('keeps a type in the served SDL that something else still names', () => {
    const { served } = splitEventStreams(sdl(GOOD, 'last: LightChange'));
    expect(served).toContain('type LightChange ');
    expect(served).toContain('scalar DateTime');
  });

  it('leaves out a schema extension of which nothing is left', () => {
    const link = 'extend schema @link(url: "https://specs.weft.dev/events/v0.1", import: ["@eventStream"])';
    const apart = sdl(GOOD).replace(/\n {2}@link\(url: "https:\/\/specs\.weft.*/, '');
    const { served } = splitEventStreams(`${link}\n${apart}`);
    expect(() => parse(served)).not.toThrow();
  });

  it('serves an SDL without live fields as it is, with the common definitions it names', () => {
    const { served, streams } = splitEventStreams('type Query { now: DateTime }');
    expect(streams).toEqual([]);
    expect(served).toContain('scalar DateTime');
  });
});

describe('buildEventsSubgraph, of rules on live fields and their types', () => {
  const RULED = sdl(GOOD)
    .replace(
      'import: ["@key"]',
      'import: ["@key", "@requiresScopes", { name: "@authenticated", as: "@known" }]',
    )
    .replace('where: "$.on->eq(true)")', 'where: "$.on->eq(true)") @known')
    .replace('type LightChange {', 'type LightChange @federation__policy(policies: [["p"]]) {')
    .replace('colour: Colour! at', 'colour: Colour! @requiresScopes(scopes: [["s"]]) at')
    .replace('enum Colour {', 'enum Colour @known {')
    .replace('gap: Gap change', 'gap: Gap @inaccessibleToNobody change');

  it('keeps those that say who may see what, under their own names', () => {
    const { sdl: events, problems } = build(RULED);
    expect(problems).toEqual([]);
    expect(events).toMatch(/lightChanged.*@eventStream\(.*@authenticated$/m);
    expect(events).toContain('type LightChange @policy(policies: [["p"]])');
    expect(events).toContain('colour: Colour! @requiresScopes(scopes: [["s"]])');
    expect(events).toContain('enum Colour @authenticated');
    expect(events).toContain('"@composeDirective", "@authenticated", "@policy", "@requiresScopes"]');
  });

  it('imports none where there are none', () => {
    expect(build(sdl(GOOD)).sdl).toContain('import: ["@key", "@shareable", "@composeDirective"])');
  });

  it('leaves out what composition would not know', () => {
    expect(build(RULED).sdl).not.toContain('inaccessibleToNobody');
  });
});

describe('withCommonDefinitions', () => {
  it('adds what is named, what that names, and nothing twice', () => {
    const once = withCommonDefinitions('type Query { a: Resumable }');
    expect(once).toContain('interface Resumable');
    expect(once).toContain('scalar Cursor');
    expect(once).not.toContain('DateTime {');
    expect(withCommonDefinitions(once)).toBe(once);
  });
});

describe('buildEventsSubgraph', () => {
  it('reduces entities to their keys and keeps moved types whole', () => {
    const { sdl: built, problems } = build(sdl(GOOD));
    expect(problems).toEqual([]);
    expect(built).toMatch(/type Light @key\(fields: "id", resolvable: false\) \{\n {2}id: ID!\n\}/);
    expect(built).toContain('enum Colour');
    expect(built).toContain('interface Resumable');
    expect(built).toContain('@composeDirective(name: "@eventStream")');
  });

  it('marks a value type shareable when its owner serves it too', () => {
    expect(build(sdl(GOOD, 'last: LightChange')).sdl).toContain('type LightChange @shareable');
  });

  it('has no SDL when nobody has a live field', () => {
    expect(build('type Query { a: Int }')).toEqual({ sdl: undefined, problems: [] });
  });

  it.each([
    [
      '{ light { id watts } change { colour at } }',
      'LightChanged.light',
      'only a key of the entity Light: { id }',
    ],
    ['{ light { id } change { colour } }', 'LightChanged.change', 'leaves out LightChange.at'],
    ['{ light { id } change { colour at } lamp }', 'LightChanged.lamp', 'does not have'],
    ['{ light { id } }', 'LightChanged.change', 'nothing can ever fill it'],
    ['{ light { id } x: change { colour at } }', 'LightChanged', 'plain fields only'],
    ['{ light change { colour at } }', 'LightChanged.light', 'which fields of Light'],
    ['light', 'Subscription.lightChanged', 'message:'],
  ])('refuses the message %s, naming the coordinate', (message, coordinate, text) => {
    const { problems } = build(sdl(message));
    expect(problems).toContainEqual({
      code: 'EVENT_STREAM_INVALID',
      systems: ['lights'],
      coordinate,
      message: expect.stringContaining(text),
    });
  });

  it('refuses a return type that cannot carry a cursor and a gap', () => {
    const { problems } = build(sdl(GOOD).replace(' implements Resumable', ''));
    expect(problems[0]?.message).toContain('implements Resumable');
  });

  it('refuses a live field that two members define', () => {
    const split = splitEventStreams(sdl(GOOD));
    const { problems } = buildEventsSubgraph([
      { name: 'lights', split },
      { name: 'lamps', split },
    ]);
    expect(problems).toMatchObject([{ systems: ['lamps'], coordinate: 'Subscription.lightChanged' }]);
  });

  it('refuses a non-null field of the return type, which a gap could not leave out', () => {
    const { problems } = build(sdl(GOOD).replace('light: Light }', 'light: Light! }'));
    expect(problems).toMatchObject([
      { coordinate: 'LightChanged.light', message: expect.stringContaining('nullable') },
    ]);
  });
});
