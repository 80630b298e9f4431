// Operations that planners plan wrong, or not at all, as they come from clients: answered nonetheless.
import { createLogger } from '@weft/core/logger';
import { createEngine, type GatewayEngine } from '@weft/gateway/execute/create-engine';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, composeOrThrow } from './library-gateway.ts';
import { type SubgraphServer, startSubgraph } from './subgraph-server.ts';

const link = (...imports: readonly string[]) =>
  `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: [${imports.map((name) => `"${name}"`).join()}])`;
const OWNER = `${link('@key', '@external', '@requires', '@context', '@fromContext')}
type Query { boxes: [Box!]! things: [Thing!]! }
type Box @context(name: "box") { label: String! items: [Item!]! }
type Item @key(fields: "id") { id: ID! tag(label: String @fromContext(field: "$box { label }")): String }
type Thing @key(fields: "id") {
  id: ID!
  base: Int @external
  middle: String @requires(fields: "base")
  price(unit: String!): String @external
  euro: String @requires(fields: "price(unit: \\"EUR\\")")
  dollar: String @requires(fields: "price(unit: \\"USD\\")")
}
interface Unit @key(fields: "id") { id: ID! }
type Car implements Unit @key(fields: "id") { id: ID! wheels: Int }
type Boat implements Unit @key(fields: "id") { id: ID! sails: Int }`;
const OTHER = `${link('@key', '@external', '@requires', '@interfaceObject')}
type Query { units: [Unit!]! }
type Thing @key(fields: "id") {
  id: ID!
  base: Int
  middle: String @external
  last: String @requires(fields: "middle")
  price(unit: String!): String
}
type Unit @key(fields: "id") @interfaceObject { id: ID! speed: Int }`;

type Reference = Readonly<Record<string, unknown>> & { readonly id: string };
const same = (reference: Reference) => reference;
const UNITS = [
  { __typename: 'Car', id: 'car-1', wheels: 4 },
  { __typename: 'Boat', id: 'boat-1', sails: 2 },
];

describe('planning', () => {
  let members: readonly SubgraphServer[] = [];
  let engine: GatewayEngine;

  beforeAll(async () => {
    members = [
      await startSubgraph('owner', OWNER, {
        Query: {
          boxes: () => [{ label: 'red', items: [{ id: 'i' }] }],
          things: () => [{ id: 't' }],
        },
        Item: {
          __resolveReference: same,
          tag: ({ id }: Reference, { label }: { readonly label?: string }) => `${id} in ${label}`,
        },
        Thing: {
          __resolveReference: same,
          middle: ({ base }: Reference) => `middle of ${base}`,
          euro: ({ price }: Reference) => `euro: ${price}`,
          dollar: ({ price }: Reference) => `dollar: ${price}`,
        },
        Unit: { __resolveReference: ({ id }: Reference) => UNITS.find((unit) => unit.id === id) ?? null },
      }),
      await startSubgraph('other', OTHER, {
        Query: { units: () => UNITS.map(({ id }) => ({ id })) },
        Thing: {
          __resolveReference: ({ id, middle }: Reference) => ({ id, base: 7, middle }),
          last: ({ middle }: Reference) => `last after ${middle}`,
          price: (_thing: Reference, { unit }: { readonly unit: string }) => `7 ${unit}`,
        },
        Unit: { __resolveReference: same, speed: ({ id }: Reference) => id.length },
      }),
    ];
    engine = createEngine({ supergraphSdl: composeOrThrow(members), logger: createLogger('test', 'silent') });
  });
  afterAll(async () => {
    await engine?.close();
    await Promise.all(members.map((member) => member.close()));
  });

  it('asks an interface object about every type that fragments name, and not of one alone', async () => {
    const query = '{ units { ... on Car { speed } ... on Boat { speed } } }';
    expect(await ask(engine, query)).toEqual({ data: { units: [{ speed: 5 }, { speed: 6 }] } });
  });

  it('answers a fragment under a condition in one on the same type', async () => {
    const query =
      'query ($v: Boolean = true) { units { ... on Car { ... on Car @include(if: $v) { wheels } } id: id } }';
    expect(await ask(engine, query)).toEqual({
      data: { units: [{ wheels: 4, id: 'car-1' }, { id: 'boat-1' }] },
    });
  });

  it('answers fragments that can never match by leaving them out', async () => {
    const query = '{ units { id ... on Car { ... on Unit { ... on Boat { sails } } } } }';
    expect(await ask(engine, query)).toEqual({ data: { units: [{ id: 'car-1' }, { id: 'boat-1' }] } });
  });

  it('plans each root field by the planner that is right for it: a context beside a chain of requirements', async () => {
    expect(await ask(engine, '{ boxes { items { tag } } things { last } }')).toEqual({
      data: {
        boxes: [{ items: [{ tag: 'i in red' }] }],
        things: [{ last: 'last after middle of 7' }],
      },
    });
  });

  it('keeps two values of one required field apart, also where the same is asked at two places', async () => {
    const thing = { euro: 'euro: 7 EUR', dollar: 'dollar: 7 USD' };
    expect(await ask(engine, '{ things { euro dollar } again: things { dollar euro } }')).toEqual({
      data: { things: [thing], again: [thing] },
    });
  });
});
