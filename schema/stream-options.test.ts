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
