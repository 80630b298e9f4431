// Laws of composition: deterministic, live fields planned apart, findings by system and coordinate.
import { describe, expect, it } from 'vitest';
import { compose, type Subgraph } from './compose.ts';
import { printProblem } from './problem.ts';

const LINK = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@external", "@requires", "@shareable"])`;
const EVENTS = `extend schema @link(url: "https://specs.weft.dev/events/v0.1", import: ["@eventStream"])`;
const member = (name: string, sdl: string): Subgraph => ({ name, url: `http://${name}.test/graphql`, sdl });

const lights = member(
  'lights',
  `${LINK} ${EVENTS}
  type Query { light(id: ID!): Light }
  type Light @key(fields: "id") { id: ID! name: String! colour: String }
  type Subscription { lightChanged(after: Cursor): LightChanged! @eventStream(topic: "light", message: "{ light { id } }") }
  type LightChanged implements Resumable { cursor: Cursor! gap: Gap light: Light }`,
);
const power = member('power', `${LINK} type Light @key(fields: "id") { id: ID! watts: Int }`);

describe('compose', () => {
  it('adds the synthetic subgraph and keeps @eventStream in the supergraph', () => {
    const result = compose([lights, power]);
    expect(result.errors).toBeUndefined();
    expect(result.supergraphSdl).toContain('EVENTS @join__graph(name: "events", url: "weft:events")');
    expect(result.supergraphSdl).toContain('@eventStream(topic: "light", message: "{ light { id } }")');
  });

  it('does not depend on the order of the members', () => {
    expect(compose([power, lights])).toEqual(compose([lights, power]));
  });

  it('names system and coordinate of a message that brings more than a key', () => {
    const wrong = member('lights', lights.sdl.replace('{ light { id } }', '{ light { id name } }'));
    const { errors } = compose([wrong, power]);
    expect(errors?.map(printProblem)).toEqual([
      'sdl:5:69: lights: LightChanged.light: message may bring only a key of the entity Light: { id } [EVENT_STREAM_INVALID]',
    ]);
  });

  it('names systems and coordinate of a field that two systems define', () => {
    const double = member('power', `${LINK} type Light @key(fields: "id") { id: ID! name: String! }`);
    const { errors } = compose([lights, double]);
    expect(errors).toMatchObject([
      { code: 'INVALID_FIELD_SHARING', systems: ['lights', 'power'], coordinate: 'Light.name' },
    ]);
  });

  it('names the system and the line of a syntax error', () => {
    const { errors } = compose([lights, member('power', 'type Query {\n  a Int }')]);
    expect(errors).toMatchObject([
      { systems: ['power'], locations: [{ system: 'power', file: 'sdl', line: 2, column: 5 }] },
    ]);
  });

  it('names the system of an unknown type', () => {
    const { errors } = compose([lights, member('power', 'type Query { a: Nowhere }')]);
    expect(errors?.[0]).toMatchObject({ systems: ['power'], message: expect.stringContaining('Nowhere') });
  });

  it('keeps the name of the event log for itself', () => {
    expect(compose([member('events', 'type Query { a: Int }')]).errors).toMatchObject([
      { code: 'RESERVED_NAME' },
    ]);
  });

  it('warns where one department could null what another answers', () => {
    const dark = member(
      'power',
      `${LINK} type Query { meters: [Meter!] total: Int! } type Meter @key(fields: "id") { id: ID! light: Light! }
       type Light @key(fields: "id") { id: ID! watts: Int! }`,
    );
    const composition = compose([lights, dark]);
    const hints = composition.errors === undefined ? composition.hints : [];
    const found = hints
      .filter((hint) => hint.code === 'NON_NULL_ACROSS_SYSTEMS')
      .map((hint) => hint.coordinate);
    expect(found).toEqual(['Query.total', 'Meter.light', 'Light.watts']);
  });
});
