// A reference to what its owner does not know: said once, at the reference, by type and key, and only where something is missed.

import { createLogger } from '@weft/core/logger';
import { createApolloEngine } from '@weft/gateway/apollo/apollo-engine';
import { createEngine, type GatewayEngine } from '@weft/gateway/execute/create-engine';
import { ANONYMOUS } from '@weft/gateway/identity/principal';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, composeOrThrow, TRACE_ID } from './library-gateway.ts';
import { type SubgraphServer, startSubgraph } from './subgraph-server.ts';

const LINK = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])`;
const REPORTS = `${LINK}
type Query { report: Report reports: [Report!] meeting: Meeting }
type Report { id: ID! place: Place places: [Place!] }
type Place @key(fields: "code", resolvable: false) { code: ID! }
type Meeting @key(fields: "room { name } hour", resolvable: false) { room: Room! hour: Int! }
type Room { name: String! }`;
const PLACES = `${LINK}
type Query { version: Int }
type Place @key(fields: "code") { code: ID! name: String! nick: String up: Place }
type Meeting @key(fields: "room { name } hour") { room: Room! hour: Int! topic: String! }
type Room { name: String! }`;

const KNOWN = new Map([['1', { code: '1', name: '市', nick: null, up: null }]]);
const REPORT = { id: 'r', place: { code: '9' }, places: [{ code: '1' }, { code: '9' }] };

describe('an entity that its owner does not know', () => {
  let members: readonly SubgraphServer[] = [];
  let engine: GatewayEngine;
  let supergraphSdl = '';
  const logger = createLogger('test', 'silent');

  beforeAll(async () => {
    members = [
      await startSubgraph('reports', REPORTS, {
        Query: {
          report: () => REPORT,
          reports: () => [REPORT, { id: 's', place: { code: '1' }, places: null }],
          meeting: () => ({ room: { name: '甲' }, hour: 9 }),
        },
      }),
      await startSubgraph('places', PLACES, {
        Place: { __resolveReference: ({ code }: { code: string }) => KNOWN.get(code) ?? null },
        Meeting: { __resolveReference: () => null },
      }),
    ];
    supergraphSdl = composeOrThrow(members);
    engine = createEngine({ supergraphSdl, logger });
  });
  afterAll(async () => {
    await engine?.close();
    await Promise.all(members.map((member) => member.close()));
  });

  const problem = (message: string, path: readonly (string | number)[]) => ({
    message,
    path,
    extensions: { code: 'NOT_FOUND', origin: 'PROVIDER', system: 'places', traceId: TRACE_ID },
  });

  it('is null with NOT_FOUND at the reference where a field of it must not be null', async () => {
    expect(await ask(engine, '{ reports { id place { name nick } } }')).toEqual({
      data: {
        reports: [
          { id: 'r', place: null },
          { id: 's', place: { name: '市', nick: null } },
        ],
      },
      errors: [problem('places knows no Place with code "9"', ['reports', 0, 'place'])],
    });
  });

  it('takes a list of such with it, and is named by its place there', async () => {
    expect(await ask(engine, '{ report { id places { name } } }')).toEqual({
      data: { report: { id: 'r', places: null } },
      errors: [problem('places knows no Place with code "9"', ['report', 'places', 1])],
    });
  });

  it('is named by all of its key', async () => {
    const { errors } = await ask(engine, '{ meeting { topic } }');
    expect(errors).toEqual([
      problem('places knows no Meeting with room {"name":"甲"} and hour 9', ['meeting']),
    ]);
  });

  it('has nulls and no error where every field of it may be null', async () => {
    expect(await ask(engine, '{ report { place { code nick up { name } } } }')).toEqual({
      data: { report: { place: { code: '9', nick: null, up: null } } },
    });
  });

  it.each(['{ report { place { name } } }', '{ report { places { code nick } } }', '{ meeting { topic } }'])(
    'has the data that @apollo/gateway gives: %s',
    async (query) => {
      const reference = createApolloEngine({ supergraphSdl, logger });
      try {
        const prepared = await reference.prepare(query);
        if ('errors' in prepared) throw prepared.errors[0];
        const context = { signal: AbortSignal.timeout(10_000), traceId: TRACE_ID, principal: ANONYMOUS };
        const { data } = await reference.execute(prepared, {}, context);
        expect((await ask(engine, query)).data).toEqual(JSON.parse(JSON.stringify(data)));
      } finally {
        await reference.close();
      }
    },
  );
});
