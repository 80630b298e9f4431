// Laws of the reference engine: what it refuses before it asks anyone, and that it reports to nobody.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createLogger } from '@weft/core/logger';
import { compose } from '@weft/schema/compose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ANONYMOUS } from '../identity/principal.ts';
import { type ApolloEngine, createApolloEngine } from './apollo-engine.ts';

const LINK =
  'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@context", "@fromContext"])';
const CONTEXT = `${LINK} type Query { road: Road }
  type Road @key(fields: "id") @context(name: "road") { id: ID! name: String lamp: Lamp }
  type Lamp @key(fields: "id") { id: ID! label(of: String @fromContext(field: "$road { name }")): String }`;

function supergraphOf(sdl: string, url = 'http://127.0.0.1:1/'): string {
  const { supergraphSdl, errors } = compose([{ name: 'roads', url, sdl }]);
  if (supergraphSdl === undefined) throw new Error(JSON.stringify(errors));
  return supergraphSdl;
}

describe('the reference engine', () => {
  const logger = createLogger('test', 'silent');
  const http = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"data":{"road":"A1"}}');
  });
  let engine: ApolloEngine;
  beforeAll(async () => {
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}/`;
    const sdl = `${LINK} type Query { road: String } type Subscription { roads: String }`;
    engine = createApolloEngine({
      supergraphSdl: supergraphOf(sdl),
      subgraphUrls: { roads: url },
      logger,
      limits: { documentBytesMax: 100, documentTokensMax: 20 },
    });
  });
  afterAll(async () => {
    await engine?.close();
    http.closeAllConnections();
    await new Promise((resolve) => http.close(resolve));
  });

  const context = () => ({
    signal: AbortSignal.timeout(5_000),
    traceId: 'a'.repeat(32),
    principal: ANONYMOUS,
  });

  it('answers a query through the addresses that it is given', async () => {
    const prepared = await engine.prepare('query Named { road }');
    if ('errors' in prepared) throw prepared.errors[0];
    expect(await engine.execute(prepared, {}, context())).toEqual({ data: { road: 'A1' } });
    expect(await engine.prepare('query Named { road }')).toBe(prepared);
  });

  it('ends an operation with its signal', async () => {
    const prepared = await engine.prepare('{ road }');
    if ('errors' in prepared) throw prepared.errors[0];
    const result = await engine.execute(prepared, {}, { ...context(), signal: AbortSignal.abort() });
    expect(result.errors?.[0]?.extensions.code).toBe('CANCELLED');
  });

  it.each([
    ['what is not GraphQL', '{', 'GRAPHQL_PARSE_FAILED'],
    ['too many tokens', `{ ${'a '.repeat(30)} }`, 'GRAPHQL_PARSE_FAILED'],
    ['too many bytes', `{ ${'aaaa '.repeat(30)} }`, 'LIMIT_EXCEEDED'],
    ['a field that is not there', '{ nowhere }', 'GRAPHQL_VALIDATION_FAILED'],
    ['several operations and no name', 'query A { road } query B { road }', 'BAD_USER_INPUT'],
    ['a subscription', 'subscription { roads }', 'BAD_USER_INPUT'],
  ])('refuses %s', async (_title, query, code) => {
    const prepared = await engine.prepare(query);
    expect('errors' in prepared ? prepared.errors[0]?.extensions.code : undefined).toBe(code);
  });

  it('refuses a supergraph with @context, as @apollo/gateway does', () => {
    const create = () => createApolloEngine({ supergraphSdl: supergraphOf(CONTEXT), logger });
    expect(create).toThrow(/the supergraph cannot be used: .*context\/v0.1 is for: SECURITY/s);
  });

  it('reports to nobody', () => {
    expect(process.env.APOLLO_TELEMETRY_DISABLED).toBe('true');
  });
});
