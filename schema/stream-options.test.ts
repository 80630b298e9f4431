// Laws of what a live field may say of its state and of gathering changes.
import { describe, expect, it } from 'vitest';
import { splitEventStreams } from './event-streams.ts';
import { buildEventsSubgraph } from './events-subgraph.ts';

const sdl = (args: string, options: string) => `extend schema
  @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])
  @link(url: "https://specs.weft.dev/events/v0.1", import: ["@eventStream"])
type Query { lights(room: ID, first: Int, after: String): LightConnection rooms: [Room] all(room: ID): [Light] }
type LightConnection { edges: [LightEdge] pageInfo: PageInfo }
type LightEdge { node: Light }
type PageInfo { hasNextPage: Boolean endCursor: String }
type Room @key(fields: "id") { id: ID! }
type Subscription {
  lightChanged(${args} after: Cursor): LightChanged! @eventStream(topic: "light", message: "{ light { id } }" ${options})
}
type LightChanged implements Resumable { cursor: Cursor! gap: Gap light: Light }
type Light @key(fields: "id") { id: ID! }
`;
const problemsOf = (args: string, options: string) =>
  buildEventsSubgraph([{ name: 'lights', split: splitEventStreams(sdl(args, options)) }]).problems.map(
    ({ message }) => message,
  );
const FROM = 'room: ID, from: StreamStart = LIVE,';

describe('the snapshot of a live field', () => {
  it.each(['lights(room: $args.room)', 'lights', 'all(room: $args.room)'])('may be %s', (snapshot) => {
    expect(problemsOf(FROM, `snapshot: "${snapshot}"`)).toEqual([]);
  });

  it.each([
    ['nowhere', /Query has no field nowhere/],
    ['rooms', /LightChanged has no field of the type Room/],
    ['lights(floor: $args.room)', /lights has no argument floor/],
    ['lights(room: $args.floor)', /the live field has no argument floor/],
    ['lights { edges { node { id } } }', /expected one field of Query/],
    ['lights(', /Syntax Error/],
  ])('may not be %s', (snapshot, reason) => {
    const problems = problemsOf(FROM, `snapshot: "${snapshot}"`);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(reason);
  });

  it('goes with the argument from, and neither without the other', () => {
    expect(problemsOf('room: ID,', 'snapshot: "lights"')).toEqual([
      expect.stringMatching(/needs the argument from/),
    ]);
    expect(problemsOf(FROM, '')).toEqual([expect.stringMatching(/names no snapshot/)]);
  });
});

describe('a live field that coalesces', () => {
  it('has the argument intervalMs, and no other has', () => {
    expect(problemsOf('intervalMs: Int = 1000,', 'coalesce: true')).toEqual([]);
    expect(problemsOf('', 'coalesce: true')).toEqual([expect.stringMatching(/intervalMs: Int/)]);
    expect(problemsOf('intervalMs: Int,', '')).toEqual([expect.stringMatching(/coalesce: true/)]);
  });
});

describe('what a live field says of the shortest interval and of what it brings', () => {
  const GATHERS = 'room: ID, intervalMs: Int,';

  it('goes with coalesce', () => {
    expect(problemsOf(GATHERS, 'coalesce: true, everyMs: 1000')).toEqual([]);
    expect(problemsOf('', 'everyMs: 1000')).toEqual([expect.stringMatching(/everyMs, but/)]);
    for (const everyMs of [0, 60_001])
      expect(problemsOf(GATHERS, `coalesce: true, everyMs: ${everyMs}`)).toEqual([
        expect.stringMatching(/expected 1 to 60000/),
      ]);
  });

  it('is a mapping over the event and the arguments that there are', () => {
    expect(problemsOf('room: ID,', `brings: "light: { id: $args.room->default('*') }"`)).toEqual([]);
    expect(problemsOf('', 'brings: "light: { id: $args.room }"')).toEqual([
      expect.stringMatching(/no argument room/),
    ]);
    expect(problemsOf('room: ID,', 'brings: "light: {"')).toEqual([expect.stringMatching(/^brings: /)]);
  });
});
