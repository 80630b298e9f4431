// How old an answer is, from the SDL to the client: given again, stale with its age, and told by path.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from '@weft/connectors/commands/command';
import { sendCommand, type WriteField } from '@weft/connectors/commands/perform';
import { compileSystem } from '@weft/connectors/compile/compile';
import { forgettingAppender } from '@weft/connectors/freshness/forget';
import { openSystem, type RunningSystem } from '@weft/connectors/load/system';
import { type ServedSystems, serveSystems } from '@weft/connectors/serve/server';
import { createLogger } from '@weft/core/logger';
import type { CloudEvent } from '@weft/events/envelope';
import type { EventAppender } from '@weft/events/event-log';
import { createEngine, type GatewayEngine } from '@weft/gateway/execute/create-engine';
import { ANONYMOUS, createPrincipal, type Principal } from '@weft/gateway/identity/principal';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { asClient, composeOrThrow, TRACE_ID } from '../gateway/library-gateway.ts';
import { type SubgraphServer, startSubgraph } from '../gateway/subgraph-server.ts';

const TOWN = `extend schema
  @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@external", "@requires"])
  @link(url: "https://specs.weft.dev/hub/v0.1", import: ["@source", "@connect", "@freshness"])
  @source(name: "api", readOnly: false, rest: { baseUrl: "{$env.TOWN_URL}" }, guard: { timeout: "1s", retries: 0, breaker: { minCalls: 1000 } })
type Query {
  posts: [Post!] @connect(source: "api", http: { GET: "/posts" }, select: "$.rows { id: no }")
    @freshness(maxAge: "10m", staleIfError: "1h", scope: SHARED)
  mine: Mine @connect(source: "api", http: { GET: "/mine" }, select: "{ text: $.text }") @freshness(maxAge: "10m")
}
type Mutation {
  rename(id: ID!, name: String!): Post
    @connect(source: "api", http: { POST: "/posts/{$args.id}", body: "name: $args.name" }, select: "{ id: $.no }")
}
type Mine { text: String }
type Post @key(fields: "id")
  @connect(source: "api", http: { GET: "/posts", query: "no: $batch.id->join(',')" }, batch: { how: LIST_PARAM, match: "id" }, select: "$.rows { id: no name }")
  @freshness(maxAge: "10m", staleIfError: "1h", scope: SHARED)
{
  id: ID!
  name: String
}
type Case @key(fields: "id") {
  id: ID!
  number: ID @external
  post: Post @requires(fields: "number") @connect(reference: "id: $this.number")
}
`;
const DESK = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])
type Query { cases: [Case!] }
type Case @key(fields: "id") { id: ID! number: ID }`;

interface Told {
  readonly path: readonly (string | number)[];
  readonly state?: string;
  readonly ageMs?: number;
  readonly reason?: string;
  readonly recordKey?: string | null;
}

interface Answer {
  readonly data?: Record<string, unknown> | null;
  readonly errors?: readonly { readonly extensions: Readonly<Record<string, unknown>> }[];
  readonly extensions?: {
    readonly weft?: { readonly freshness?: readonly Told[]; readonly provenance?: readonly Told[] };
  };
}

describe('the freshness of an answer', () => {
  const folder = mkdtempSync(join(tmpdir(), 'weft-freshness-'));
  const names = new Map<string, string>();
  const asked: string[] = [];
  let old: Server;
  let system: RunningSystem;
  let served: ServedSystems;
  let desk: SubgraphServer;
  let engine: GatewayEngine;

  beforeAll(async () => {
    old = createServer((request, response) => void answerOld(request).then((body) => response.end(body)));
    await new Promise<void>((resolve) => old.listen(0, '127.0.0.1', resolve));
    const { port } = old.address() as { port: number };
    const logger = createLogger('freshness-test', 'silent');
    mkdirSync(join(folder, 'town'));
    writeFileSync(join(folder, 'town', 'town.graphql'), TOWN);
    const { plan } = compileSystem(join(folder, 'town'));
    const env = { TOWN_URL: `http://127.0.0.1:${port}` };
    system = await openSystem(plan, { env, secrets: () => '', logger });
    const subgraphKeys = [{ id: 'k', secret: 'a secret of at least thirty-two characters' }];
    served = await serveSystems([system], { host: '127.0.0.1', port: 0, subgraphKeys, logger });
    desk = await startSubgraph('desk', DESK, {
      Query: { cases: () => ['1', '2'].map((id) => ({ id: `c${id}`, number: id })) },
      Case: { __resolveReference: ({ id }: { id: string }) => ({ id, number: id.slice(1) }) },
    });
    const town = { name: 'town', url: served.urls.town ?? '', sdl: plan.storedSdl };
    const supergraphSdl = composeOrThrow([desk, town]);
    engine = createEngine({ supergraphSdl, logger, subgraphKeys });
  });
  afterAll(async () => {
    await engine?.close();
    await served?.close();
    await system?.close();
    await desk?.close();
    old?.closeAllConnections();
    old?.close();
    rmSync(folder, { recursive: true });
  });
  beforeEach(() => {
    asked.length = 0;
  });

  async function answerOld(request: IncomingMessage): Promise<string> {
    const url = new URL(request.url ?? '', 'http://old');
    asked.push(`${request.method} ${url.pathname}${decodeURIComponent(url.search)}`);
    if (url.pathname === '/mine') return JSON.stringify({ text: `asked ${asked.length}` });
    const no = url.pathname.split('/')[2];
    if (no === 'lost') {
      request.socket.destroy();
      return '';
    }
    if (request.method === 'POST' && no !== undefined) {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      names.set(no, String(JSON.parse(Buffer.concat(chunks).toString()).name));
      return JSON.stringify({ no });
    }
    const numbers = url.searchParams.get('no')?.split(',') ?? ['1', '2'];
    return JSON.stringify({
      rows: numbers.map((each) => ({ no: each, name: names.get(each) ?? `post ${each}` })),
    });
  }

  async function ask(query: string, tell?: string, principal: Principal = ANONYMOUS): Promise<Answer> {
    const prepared = await engine.prepare(query);
    if ('errors' in prepared) return asClient(prepared) as Answer;
    const headers = tell === undefined ? {} : { 'x-weft-tell': tell };
    const signal = AbortSignal.timeout(20_000);
    const context = { signal, traceId: TRACE_ID, principal, headers };
    return asClient(await engine.execute(prepared, {}, context)) as Answer;
  }

  const POSTS = '{ all: cases { its: post { label: name } } }';

  it('tells by the client’s own paths what is fresh and what is given again, and whose record it is', async () => {
    const first = await ask(POSTS, 'freshness, provenance');
    expect(first.data).toEqual({ all: [{ its: { label: 'post 1' } }, { its: { label: 'post 2' } }] });
    expect(first.extensions?.weft?.freshness).toEqual(
      [0, 1].map((index) => ({
        path: ['all', index, 'its'],
        system: 'town',
        state: 'FRESH',
        observedAt: expect.stringMatching(/^20.*Z$/),
        ageMs: 0,
      })),
    );
    expect(first.extensions?.weft?.provenance).toEqual(
      [0, 1].map((index) => ({
        path: ['all', index, 'its'],
        system: 'town',
        source: 'api',
        recordKey: String(index + 1),
        observedAt: expect.any(String),
      })),
    );
    const again = await ask(POSTS, 'freshness');
    expect(again.extensions?.weft?.freshness?.map(({ state }) => state)).toEqual(['CACHED', 'CACHED']);
    expect(again.extensions?.weft).not.toHaveProperty('provenance');
    expect(asked).toEqual(['GET /posts?no=1,2']);
  });

  it('tells nothing that was not asked for, while nothing is stale', async () => {
    expect(await ask(POSTS)).not.toHaveProperty('extensions');
    expect(await ask('{ posts { id } }', 'freshness')).toMatchObject({
      extensions: { weft: { freshness: [{ path: ['posts'], state: 'FRESH' }] } },
    });
  });

  it('keeps the answer of one user from others, and asks for the anonymous each time', async () => {
    const [one, other] = ['one', 'other'].map((subject) => createPrincipal({ subject }));
    const mine = async (principal?: Principal) => (await ask('{ mine { text } }', undefined, principal)).data;
    const first = await mine(one);
    expect(await mine(one)).toEqual(first);
    expect(await mine(other)).not.toEqual(first);
    expect(await mine()).not.toEqual(await mine());
    expect(asked).toHaveLength(4);
  });

  it('gives what a write changed as it is now', async () => {
    await ask(POSTS);
    const written = await ask('mutation { rename(id: "1", name: "new") { name } }');
    expect(written.data).toEqual({ rename: { name: 'new' } });
    const { data } = await ask(POSTS);
    expect(data).toEqual({ all: [{ its: { label: 'new' } }, { its: { label: 'post 2' } }] });
    expect(asked.filter((each) => each.includes('no=2') || each.includes(',2'))).toEqual([]);
  });

  it('gives what a command changed as it is now, also when nobody knows whether it was applied', async () => {
    const field = system.plan.fields.get('Mutation.rename') as WriteField;
    const send = (args: Readonly<Record<string, unknown>>, signal = AbortSignal.timeout(5_000)) => {
      const command = { args, correlationId: 'trace' } as unknown as Command;
      return sendCommand(system, field, command, () => undefined, signal);
    };
    await ask(POSTS);
    expect(await send({ id: '1', name: 'by command' })).toMatchObject({ kind: 'ANSWERED' });
    const named = async () => (await ask('{ cases { post { name } } }')).data?.cases;
    expect(await named()).toEqual([{ post: { name: 'by command' } }, { post: { name: 'post 2' } }]);
    expect(await send({ id: 'lost', name: 'x' })).toMatchObject({ kind: 'NOT_ANSWERED' });
    asked.length = 0;
    await named();
    expect(asked).toEqual(['GET /posts?no=1,2']);
  });

  it('gives what a change that came in tells of as it is now', async () => {
    await ask(POSTS);
    const appended: (readonly CloudEvent[])[] = [];
    const appender: EventAppender = {
      append: async (_transaction, _topic, events) => appended.push(events),
    };
    names.set('2', 'changed');
    const event = { source: '/systems/town', partitionkey: '2' } as CloudEvent;
    const forgetting = forgettingAppender(appender, [system], system.protection.answers);
    await forgetting.append({ query: async () => [] }, 'Post', [event]);
    expect(appended).toEqual([[event]]);
    expect(await ask(POSTS)).toMatchObject({ data: { all: [{}, { its: { label: 'changed' } }] } });
    expect(asked).toEqual(['GET /posts?no=2']);
  });
});

describe('a system that is away', () => {
  it('is answered for with what is old, which is told in any case, and with an error where nothing is', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'weft-stale-'));
    const logger = createLogger('stale-test', 'silent');
    let isAway = false;
    const old = createServer((request, response) => {
      if (isAway) return void response.writeHead(503).end();
      const numbers = new URL(request.url ?? '', 'http://old').searchParams.get('no')?.split(',') ?? [];
      response.end(JSON.stringify({ rows: numbers.map((no) => ({ no, name: `post ${no}` })) }));
    });
    await new Promise<void>((resolve) => old.listen(0, '127.0.0.1', resolve));
    mkdirSync(join(folder, 'town'));
    const sdl = TOWN.replaceAll('maxAge: "10m", staleIfError', 'maxAge: "1ms", staleIfError');
    writeFileSync(join(folder, 'town', 'town.graphql'), sdl);
    const { plan } = compileSystem(join(folder, 'town'));
    const env = { TOWN_URL: `http://127.0.0.1:${(old.address() as { port: number }).port}` };
    const system = await openSystem(plan, { env, secrets: () => '', logger });
    const served = await serveSystems([system], { host: '127.0.0.1', port: 0, logger });
    try {
      const query = (keys: readonly string[]) =>
        fetch(served.urls.town ?? '', {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({
            query: 'query ($r: [_Any!]!) { _entities(representations: $r) { ... on Post { name } } }',
            variables: { r: keys.map((id) => ({ __typename: 'Post', id })) },
          }),
        }).then((response) => response.json() as Promise<Answer>);
      expect(await query(['1'])).toEqual({ data: { _entities: [{ name: 'post 1' }] } });
      isAway = true;
      const alone = await query(['1', '1']);
      expect(alone.data).toEqual({ _entities: [{ name: 'post 1' }, { name: 'post 1' }] });
      expect(alone.extensions?.weft?.freshness?.map(({ path, state }) => [...path, state])).toEqual([
        ['_entities', 0, 'STALE'],
        ['_entities', 1, 'STALE'],
      ]);
      const stale = await query(['9', '1']);
      expect(stale.data).toEqual({ _entities: [null, { name: 'post 1' }] });
      expect(stale.errors).toMatchObject([
        { path: ['_entities', 0], extensions: { code: 'UPSTREAM_UNAVAILABLE' } },
      ]);
      expect(stale.extensions?.weft?.freshness).toMatchObject([
        { path: ['_entities', 1], system: 'town', state: 'STALE', reason: 'UPSTREAM_UNAVAILABLE' },
      ]);
      expect(stale.extensions?.weft?.freshness?.[0]?.ageMs).toBeGreaterThan(0);
    } finally {
      await served.close();
      await system.close();
      old.closeAllConnections();
      old.close();
      rmSync(folder, { recursive: true });
    }
  });
});
