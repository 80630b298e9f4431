// A live field's event through the engine: keys from the message, everything else from the subgraphs.

import type { GatewayEngine } from '@weft/gateway/execute/create-engine';
import { ANONYMOUS } from '@weft/gateway/identity/principal';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, asClient, ask, engineOver, TRACE_ID } from './library-gateway.ts';
import { type SubgraphServer, startSubgraph } from './subgraph-server.ts';

const LAMPS = `extend schema
  @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])
  @link(url: "https://specs.weft.dev/events/v0.1", import: ["@eventStream"])
type Query { lamp(id: ID!): Lamp }
type Subscription {
  lampChanged(street: ID, only: [Kind!] = [ON], after: Cursor): LampChanged!
    @eventStream(topic: "lamp", message: "{ lamp { id } change { kind at } }", where: "$.street->eq($args.street)")
}
type LampChanged implements Resumable { cursor: Cursor! gap: Gap change: LampChange lamp: Lamp }
type LampChange { kind: Kind! at: DateTime! }
enum Kind { ON OFF }
type Lamp @key(fields: "id") { id: ID! street: String }
`;
const LAMPS_SERVED = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])
type Query { lamp(id: ID!): Lamp }
type Lamp @key(fields: "id") { id: ID! street: String }`;
const POWER = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])
type Lamp @key(fields: "id") { id: ID! watts: Int }`;

describe('an event of a live field', () => {
  let lamps: SubgraphServer;
  let power: SubgraphServer;
  let engine: GatewayEngine;

  beforeAll(async () => {
    const byId = {
      __resolveReference: ({ id }: { id: string }) => ({ id, street: `street ${id}`, watts: 7 }),
    };
    lamps = await startSubgraph(
      'lamps',
      LAMPS,
      { Query: { lamp: (_: unknown, { id }: { id: string }) => ({ id }) }, Lamp: byId },
      LAMPS_SERVED,
    );
    power = await startSubgraph('power', POWER, { Lamp: byId });
    engine = engineOver([lamps, power]);
  });
  afterAll(async () => {
    await engine?.close();
    await lamps?.close();
    await power?.close();
  });

  async function event(query: string, message: Record<string, unknown>, variables = {}): Promise<Answer> {
    const prepared = await engine.prepare(query);
    if ('errors' in prepared) throw prepared.errors[0];
    const context = { signal: AbortSignal.timeout(5_000), traceId: TRACE_ID, principal: ANONYMOUS };
    return asClient(await engine.executeEvent(prepared, variables, message, context));
  }

  const MESSAGE = {
    cursor: 'c1',
    gap: null,
    change: { kind: 'ON', at: '2026-11-22T08:00:00+08:00', secret: 1 },
    lamp: { id: '5' },
  };

  it('takes fields of the message from it and the others from two systems, under the names of the client', async () => {
    const query =
      'subscription { live: lampChanged { c: cursor gap { to } change { k: kind } l: lamp { id s: street watts } __typename } }';
    expect(await event(query, MESSAGE)).toEqual({
      data: {
        live: {
          c: 'c1',
          gap: null,
          change: { k: 'ON' },
          l: { id: '5', s: 'street 5', watts: 7 },
          __typename: 'LampChanged',
        },
      },
    });
  });

  it('asks nobody when the message has all', async () => {
    lamps.requests.length = 0;
    power.requests.length = 0;
    const answer = await event('subscription { lampChanged { cursor lamp { id } } }', MESSAGE);
    expect(answer).toEqual({ data: { lampChanged: { cursor: 'c1', lamp: { id: '5' } } } });
    expect([lamps.requests.length, power.requests.length]).toEqual([0, 0]);
  });

  it('has null fields beside a gap', async () => {
    const gap = { from: 'a', to: 'b', reason: 'RETENTION' };
    const answer = await event(
      'subscription { lampChanged { cursor gap { from to reason } lamp { street } } }',
      { cursor: 'b', gap },
    );
    expect(answer).toEqual({ data: { lampChanged: { cursor: 'b', gap, lamp: null } } });
  });

  it('follows conditions and fragments', async () => {
    const query = `subscription ($w: Boolean!) { lampChanged { ...on Resumable { cursor } ...F lamp @skip(if: $w) { id } } }
      fragment F on LampChanged { lamp @include(if: $w) { watts } }`;
    expect(await event(query, MESSAGE, { w: true })).toEqual({
      data: { lampChanged: { cursor: 'c1', lamp: { watts: 7 } } },
    });
    expect(await event(query, MESSAGE, { w: false })).toEqual({
      data: { lampChanged: { cursor: 'c1', lamp: { id: '5' } } },
    });
  });

  it('names the system that fails, and delivers the rest of the event', async () => {
    power.fault = { kind: 'status', status: 503, body: '' };
    try {
      const answer = await event('subscription { lampChanged { lamp { street watts } } }', MESSAGE);
      expect(answer.data).toEqual({ lampChanged: { lamp: { street: 'street 5', watts: null } } });
      expect(answer.errors).toMatchObject([
        { path: ['lampChanged', 'lamp', 'watts'], extensions: { system: 'power' } },
      ]);
    } finally {
      power.fault = undefined;
    }
  });

  it('describes the live field to its transport, arguments coerced and defaults filled in', async () => {
    const prepared = await engine.prepare(
      'subscription ($s: ID) { x: lampChanged(street: $s, after: "c0") { cursor } }',
    );
    if ('errors' in prepared) throw prepared.errors[0];
    expect(prepared).toMatchObject({
      kind: 'subscription',
      eventStream: {
        field: 'lampChanged',
        responseName: 'x',
        topic: 'lamp',
        message: '{ lamp { id } change { kind at } }',
        where: '$.street->eq($args.street)',
        returnType: 'LampChanged',
      },
    });
    expect(prepared.eventStream?.argumentsOf({ s: 9 })).toEqual({ street: '9', only: ['ON'], after: 'c0' });
    expect(() => prepared.eventStream?.argumentsOf({ s: {} })).toThrow(/\$s/);
  });

  it('refuses two live fields in one subscription', async () => {
    const prepared = await engine.prepare(
      'subscription { a: lampChanged { cursor } b: lampChanged { cursor } }',
    );
    expect(prepared).toHaveProperty('errors');
  });

  it.each([
    'subscription ($a: Boolean!) { lampChanged @include(if: $a) { cursor } }',
    'subscription ($a: Boolean!) { ...F @skip(if: $a) } fragment F on Subscription { lampChanged { cursor } }',
  ])('refuses a condition on the live field itself: %s', async (query) => {
    expect(await engine.prepare(query)).toMatchObject({
      errors: [{ extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } }],
    });
  });

  it('is prepared once for equal documents, whether one after the other or at the same time', async () => {
    const query = 'subscription { lampChanged { cursor } }';
    const [first, second] = await Promise.all([engine.prepare(query), engine.prepare(query)]);
    expect(first).toBe(second);
    expect(engine.prepare(query)).toBe(first);
    expect(await engine.prepare(`${query} `)).not.toBe(first);
  });

  it('does not reach the schema that clients see with its directive', async () => {
    const answer = await ask(engine, '{ __schema { directives { name } } }');
    expect(JSON.stringify(answer.data)).not.toContain('eventStream');
  });
});
