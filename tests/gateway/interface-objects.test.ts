// An interface that one subgraph knows as an object type: objects are told apart by those who can, and fields get what they require.
import { createLogger } from '@weft/core/logger';
import { createEngine, type GatewayEngine } from '@weft/gateway/execute/create-engine';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, composeOrThrow } from './library-gateway.ts';
import { type SubgraphServer, startSubgraph } from './subgraph-server.ts';

const LINK = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9",
  import: ["@key", "@external", "@requires", "@interfaceObject"])`;
const SHELF = `${LINK}
type Query { version: Int }
interface Medium @key(fields: "id") { id: ID! title: String }
type Book implements Medium @key(fields: "id") { id: ID! title: String pages: Int }
type Film implements Medium @key(fields: "id") { id: ID! title: String minutes: Int }`;
const VIEWS = `${LINK}
type Query { seen: [Medium] }
type Room @key(fields: "id") { id: ID! seen: [[Medium]] }
type Medium @interfaceObject @key(fields: "id") {
  id: ID! title: String @external views: Int label: String @requires(fields: "title")
}`;

const ROOMS = `${LINK}
type Query { room: Room }
type Room @key(fields: "id") { id: ID! }`;

const MEDIA = new Map([
  ['b', { __typename: 'Book', id: 'b', title: '水浒传', pages: 900 }],
  ['f', { __typename: 'Film', id: 'f', title: '大闹天宫', minutes: 114 }],
]);

describe('an interface object', () => {
  let members: readonly SubgraphServer[] = [];
  let engine: GatewayEngine;

  beforeAll(async () => {
    const byTypename = ({ __typename }: { __typename: string }) => __typename;
    members = [
      await startSubgraph('shelf', SHELF, {
        Query: { version: () => 1 },
        Medium: {
          __resolveType: byTypename,
          __resolveReference: ({ id }: { id: string }) => MEDIA.get(id) ?? null,
        },
        Book: { __resolveReference: ({ id }: { id: string }) => MEDIA.get(id) ?? null },
        Film: { __resolveReference: ({ id }: { id: string }) => MEDIA.get(id) ?? null },
      }),
      await startSubgraph('rooms', ROOMS, { Query: { room: () => ({ id: 'r' }) } }),
      await startSubgraph('views', VIEWS, {
        Query: { seen: () => [{ id: 'b' }, null, { id: 'f' }] },
        Room: {
          __resolveReference: (sent: { id: string }) => sent,
          seen: () => [[{ id: 'f' }], [{ id: 'b' }]],
        },
        Medium: {
          __resolveReference: (sent: { id: string; title?: string }) => sent,
          views: ({ id }: { id: string }) => (id === 'b' ? 3 : 5),
          label: ({ id, title }: { id: string; title?: string }) => {
            if (title === undefined) throw new Error('label needs title');
            return `${id} ${title}`;
          },
        },
      }),
    ];
    engine = createEngine({
      supergraphSdl: composeOrThrow(members),
      logger: createLogger('test', 'silent'),
    });
  });
  afterAll(async () => {
    await engine?.close();
    await Promise.all(members.map((member) => member.close()));
  });

  it.each<[string, string, unknown]>([
    [
      'is known by its key where a fragment on one type is all that is asked',
      '{ room { seen { ... on Book { views } } } }',
      { room: { seen: [[{}], [{ views: 3 }]] } },
    ],
    [
      'is known by its key where an alias of the client has the name of the key elsewhere',
      '{ room { seen { ... on Book { views } } } id: version }',
      { room: { seen: [[{}], [{ views: 3 }]] }, id: 1 },
    ],
    [
      'gets what its fields require, whatever is asked of another type beside',
      '{ seen { ... on Book { label } ... on Film { __typename } } }',
      { seen: [{ label: 'b 水浒传' }, null, { __typename: 'Film' }] },
    ],
    [
      'gets what its fields require where other types are asked for other fields',
      '{ seen { id ... on Book { label } ... on Film { minutes views } } }',
      { seen: [{ id: 'b', label: 'b 水浒传' }, null, { id: 'f', minutes: 114, views: 5 }] },
    ],
    [
      'is asked about whatever its type, when several types are asked for one field',
      '{ room { seen { ... on Book { views } ... on Film { views } } } }',
      { room: { seen: [[{ views: 5 }], [{ views: 3 }]] } },
    ],
    [
      'has its type under another name only',
      '{ seen { kind: __typename } }',
      { seen: [{ kind: 'Book' }, null, { kind: 'Film' }] },
    ],
    [
      'keeps a key of its own behind an alias',
      '{ seen { id: views ... on Film { title } } }',
      { seen: [{ id: 3 }, null, { id: 5, title: '大闹天宫' }] },
    ],
  ])('%s', async (_law, query, data) => {
    expect(await ask(engine, query)).toEqual({ data });
  });
});
