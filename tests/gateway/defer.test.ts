// Answers in parts (`@defer`): what comes first, what follows and when, over multipart, server-sent events and WebSocket.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger } from '@weft/core/logger';
import type { Started } from '@weft/core/process';
import { readGatewayConfig } from '@weft/gateway/config';
import { startGateway } from '@weft/gateway/start';
import { createClient } from 'graphql-ws';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { composeOrThrow } from './library-gateway.ts';
import { type SubgraphServer, startSubgraph } from './subgraph-server.ts';

const LINK = `extend schema
  @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@external", "@requires", "@shareable"])`;
const ORDERS = `${LINK}
type Query { orders: [Order!]! order: Order any: [Thing] }
type Mutation { accept: Order }
interface Thing { id: ID! }
type Order implements Thing @key(fields: "id") { id: ID! title: String weight: Int child: Order }
type Note implements Thing { id: ID! text: String }`;
const POLICE = `${LINK}
type Query { open: Int }
type Order @key(fields: "id") { id: ID! status: String sure: Int! weight: Int @external cost: Int @requires(fields: "weight") cell: Cell }
type Cell @key(fields: "id") { id: ID! }`;
const CELLS = `${LINK}
type Cell @key(fields: "id") { id: ID! name: String }`;

const orderOf = (id: string) => ({ id, title: `order ${id}`, weight: Number(id) });

interface Part {
  readonly data?: Record<string, unknown> | null;
  readonly errors?: readonly { readonly message: string; readonly path?: readonly (string | number)[] }[];
  readonly incremental?: readonly {
    readonly label?: string;
    readonly path: readonly (string | number)[];
    readonly data: Record<string, unknown> | null;
    readonly errors?: readonly {
      readonly path?: readonly (string | number)[];
      readonly extensions: unknown;
    }[];
  }[];
  readonly hasNext?: boolean;
  /** Since the request, in milliseconds. */
  readonly atMs: number;
}

describe('an operation with @defer', () => {
  let orders: SubgraphServer;
  let police: SubgraphServer;
  let cells: SubgraphServer;
  let gateway: Started;
  let folder: string;

  beforeAll(async () => {
    orders = await startSubgraph('orders', ORDERS, {
      Query: {
        orders: () => ['1', '2'].map(orderOf),
        order: () => orderOf('1'),
        any: () => [
          { __typename: 'Order', ...orderOf('1') },
          { __typename: 'Note', id: 'n', text: 'note' },
        ],
      },
      Mutation: { accept: () => orderOf('1') },
      Order: { __resolveReference: ({ id }: { id: string }) => orderOf(id), child: () => orderOf('2') },
    });
    police = await startSubgraph('police', POLICE, {
      Query: { open: () => 7 },
      Order: {
        status: ({ id }: { id: string }) => `status ${id}`,
        sure: ({ id }: { id: string }) => (id === '2' ? null : 1),
        cost: ({ weight }: { weight: number }) => weight * 10,
        cell: () => ({ id: 'c' }),
      },
    });
    cells = await startSubgraph('cells', CELLS, { Cell: { name: () => 'cell' } });
    folder = mkdtempSync(join(tmpdir(), 'weft-defer-'));
    const file = join(folder, 'supergraph.graphql');
    writeFileSync(file, composeOrThrow([orders, police, cells]));
    gateway = await startGateway({
      config: readGatewayConfig({ PORT: '0', WEFT_SUPERGRAPH_FILE: file }),
      logger: createLogger('test', 'silent'),
    });
  });
  afterEach(() => {
    for (const server of [orders, police, cells]) {
      server.fault = undefined;
      server.requests.length = 0;
    }
  });
  afterAll(async () => {
    await gateway?.close();
    for (const server of [orders, police, cells]) await server?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  function post(
    accept: string,
    query: string,
    variables: object = {},
    signal?: AbortSignal,
  ): Promise<Response> {
    return fetch(gateway.urls.graphql ?? '', {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept },
      body: JSON.stringify({ query, variables }),
      signal: signal ?? null,
    });
  }

  const MULTIPART = 'multipart/mixed;deferSpec=20220824, application/json';

  /** Splits as the bytes come, and keeps the time of each part's last byte. */
  async function readParts(response: Response, startedAt: number): Promise<readonly Part[]> {
    expect(response.headers.get('content-type')).toBe('multipart/mixed; boundary="-"; deferSpec=20220824');
    const parts: Part[] = [];
    const decoder = new TextDecoder();
    let text = '';
    for await (const chunk of response.body ?? []) {
      text += decoder.decode(chunk as Uint8Array, { stream: true });
      const pieces = text.split('\r\n---');
      text = pieces.pop() ?? '';
      for (const piece of pieces.filter((each) => each !== '')) {
        const [head, body] = piece.split('\r\n\r\n');
        expect(head).toContain('content-type: application/json');
        parts.push({ ...(JSON.parse(body ?? '') as object), atMs: performance.now() - startedAt });
      }
    }
    expect(text).toBe('--\r\n');
    return parts;
  }

  async function ask(query: string, variables: object = {}): Promise<readonly Part[]> {
    const startedAt = performance.now();
    return readParts(await post(MULTIPART, query, variables), startedAt);
  }

  const untimed = (parts: readonly Part[]) => parts.map(({ atMs: _atMs, ...part }) => part);

  it('is answered at once but for what is deferred, which follows', async () => {
    const parts = await ask('{ orders { id ... @defer(label: "police") { status } } }');
    expect(untimed(parts)).toEqual([
      { data: { orders: [{ id: '1' }, { id: '2' }] }, hasNext: true },
      {
        incremental: ['1', '2'].map((id, index) => ({
          label: 'police',
          path: ['orders', index],
          data: { status: `status ${id}` },
        })),
        hasNext: false,
      },
    ]);
  });

  it('is not delayed by a system of which only deferred fields are asked', async () => {
    const query = '{ orders { id title ... @defer { status } } }';
    await ask(query);
    police.fault = { kind: 'delay', delayMs: 2_000 };
    const [first, last, ...more] = await ask(query);
    expect(more).toEqual([]);
    expect(first?.atMs).toBeLessThan(1_000);
    expect(last?.atMs).toBeGreaterThan(1_900);
  });

  it('sends each of several when it is there, whichever is the first', async () => {
    police.fault = { kind: 'delay', delayMs: 300 };
    const parts = await ask(
      '{ order { id ... @defer(label: "slow") { status } ... @defer(label: "quick") { child { title } } } }',
    );
    expect(parts.slice(1).map(({ incremental }) => incremental?.map(({ label }) => label))).toEqual([
      ['quick'],
      ['slow'],
    ]);
  });

  it('sends one that stands in another after it', async () => {
    const parts = await ask(
      '{ order { id ... @defer(label: "outer") { cell { id ... @defer(label: "inner") { name } } } } }',
    );
    const incremental = parts.flatMap((part) => part.incremental ?? []);
    expect(incremental).toEqual([
      { label: 'outer', path: ['order'], data: { cell: { id: 'c' } } },
      { label: 'inner', path: ['order', 'cell'], data: { name: 'cell' } },
    ]);
    expect(parts.map(({ hasNext }) => hasNext)).toEqual([...parts.slice(1).map(() => true), false]);
  });

  it('fetches what a deferred field requires, and defers root fields', async () => {
    const parts = await ask('{ order { id ... @defer { cost } } ... @defer { open } }');
    expect(parts[0]).toMatchObject({ data: { order: { id: '1' } }, hasNext: true });
    expect(parts.flatMap((part) => part.incremental ?? [])).toEqual(
      expect.arrayContaining([
        { path: ['order'], data: { cost: 10 } },
        { path: [], data: { open: 7 } },
      ]),
    );
  });

  it('defers a fragment for the objects of its type only', async () => {
    const query =
      '{ any { id ... on Order @defer { status } ... on Note { ...N } } } fragment N on Note { text }';
    const parts = await ask(query);
    expect(parts[0]?.data).toEqual({ any: [{ id: '1' }, { id: 'n', text: 'note' }] });
    expect(parts.flatMap((part) => part.incremental ?? [])).toEqual([
      { path: ['any', 0], data: { status: 'status 1' } },
    ]);
  });

  it('decides by variables what is deferred', async () => {
    const query = 'query($late: Boolean!) { order { id ... @defer(if: $late) { status } } }';
    expect(untimed(await ask(query, { late: true }))).toHaveLength(2);
    const response = await post(MULTIPART, query, { late: false });
    const [only, ...more] = await readParts(response, 0);
    expect(more).toEqual([]);
    expect(only).toMatchObject({ data: { order: { id: '1', status: 'status 1' } }, hasNext: false });
  });

  it('nulls a fragment and nothing around it when one of its fields must not be null', async () => {
    const parts = await ask('{ orders { id ... @defer { sure } } }');
    expect(parts[0]).toMatchObject({ data: { orders: [{ id: '1' }, { id: '2' }] } });
    expect(parts[0]).not.toHaveProperty('errors');
    expect(parts[1]?.incremental).toMatchObject([
      { path: ['orders', 0], data: { sure: 1 } },
      { path: ['orders', 1], data: null, errors: [{ path: ['orders', 1, 'sure'] }] },
    ]);
  });

  it('tells of a system that fails where its fields would be, and in the first part nothing', async () => {
    police.fault = { kind: 'status', status: 503, body: '' };
    const [first, second] = await ask('{ orders { id ... @defer { status } } }');
    expect(first).not.toHaveProperty('errors');
    expect(second?.incremental).toMatchObject(
      [0, 1].map((index) => ({
        path: ['orders', index],
        data: { status: null },
        errors: [
          {
            path: ['orders', index, 'status'],
            extensions: { code: 'UPSTREAM_UNAVAILABLE', system: 'police' },
          },
        ],
      })),
    );
  });

  it('asks once for what two fragments need, and tells both what failed', async () => {
    const query = `{ order { id
      ... @defer(label: "one") { status }
      ... @defer(label: "two") { status cell { id } } } }`;
    const parts = await ask(query);
    expect(police.requests.length).toBe(1);
    expect(parts.flatMap((part) => part.incremental ?? []).map(({ label, data }) => [label, data])).toEqual([
      ['one', { status: 'status 1' }],
      ['two', { status: 'status 1', cell: { id: 'c' } }],
    ]);
    police.fault = { kind: 'status', status: 503, body: '' };
    const failed = (await ask(query)).flatMap((part) => part.incremental ?? []);
    expect(failed.map(({ errors }) => errors?.map(({ path }) => path?.join('.')))).toEqual([
      ['order.status'],
      ['order.status', 'order.cell'],
    ]);
  });

  it('comes whole to one who takes no parts', async () => {
    const response = await post('application/json', '{ orders { id ... @defer { status } } }');
    expect(await response.json()).toEqual({
      data: { orders: ['1', '2'].map((id) => ({ id, status: `status ${id}` })) },
    });
  });

  it.each([
    ['multipart/mixed;q=0.5, application/json', 'application/json'],
    ['application/json;q=0.5, multipart/mixed', 'multipart/mixed'],
    ['text/event-stream;q=0.8, multipart/mixed;q=0.9', 'multipart/mixed'],
    ['multipart/mixed;deferSpec=20991231, application/json', 'application/json'],
  ])('comes in the form that is wanted most: %s', async (accept, type) => {
    const response = await post(accept, '{ order { id ... @defer { status } } }');
    expect(response.headers.get('content-type')).toContain(type);
    await response.text();
  });

  it('gives up what is deferred below a null that went up to the root', async () => {
    police.fault = { kind: 'silent' };
    orders.fault = { kind: 'status', status: 503, body: '' };
    const query = '{ orders { id ... @defer { status } } ... @defer { open } }';
    const response = await post(MULTIPART, query);
    expect(await response.text()).toContain('"data":null');
    await expect.poll(() => police.abandoned, { timeout: 2_000 }).toBeGreaterThan(0);
  });

  it('comes as server-sent events to one who asks for them', async () => {
    const response = await post('text/event-stream', '{ order { id ... @defer { status } } }');
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(await response.text()).toBe(
      [
        'event: next\ndata: {"data":{"order":{"id":"1"}},"hasNext":true}\n\n',
        'event: next\ndata: {"incremental":[{"path":["order"],"data":{"status":"status 1"}}],"hasNext":false}\n\n',
        'event: complete\ndata:\n\n',
      ].join(''),
    );
  });

  it('comes as several messages over a WebSocket', async () => {
    const client = createClient({ url: gateway.urls.ws ?? '', webSocketImpl: WebSocket });
    const results: unknown[] = [];
    for await (const result of client.iterate({ query: '{ order { id ... @defer { status } } }' }))
      results.push(result);
    await client.dispose();
    expect(results).toEqual([
      { data: { order: { id: '1' } }, hasNext: true },
      { incremental: [{ path: ['order'], data: { status: 'status 1' } }], hasNext: false },
    ]);
  });

  it('gives up what is under way when the client goes', async () => {
    const query = '{ order { id ... @defer { status } } }';
    await ask(query);
    police.fault = { kind: 'silent' };
    const controller = new AbortController();
    const response = await post(MULTIPART, query, {}, controller.signal);
    const reader = response.body?.getReader();
    await reader?.read();
    await expect.poll(() => police.requests.length).toBe(2);
    controller.abort();
    await expect.poll(() => police.abandoned, { timeout: 2_000 }).toBe(1);
  });

  it.each([
    ['mutation { ... @defer { accept { id } } }', 'root fields of mutations'],
    ['{ order { ... @defer(label: "a") { id } child { ... @defer(label: "a") { id } } } }', 'used twice'],
    ['query($l: String) { order { ... @defer(label: $l) { id } } }', 'must be a text'],
    [`{ order { ${'... @defer { id } '.repeat(51)} } }`, 'at most 50'],
  ])('is refused where it makes no sense: %s', async (query, message) => {
    const response = await post('application/json', query);
    const { errors } = (await response.json()) as {
      errors: { message: string; extensions: { code: string } }[];
    };
    expect(errors[0]?.message).toContain(message);
    expect(errors[0]?.extensions.code).toBe('GRAPHQL_VALIDATION_FAILED');
  });

  it('may be in a mutation below its root fields', async () => {
    const parts = await ask('mutation { accept { id ... @defer { status } } }');
    expect(untimed(parts)).toEqual([
      { data: { accept: { id: '1' } }, hasNext: true },
      { incremental: [{ path: ['accept'], data: { status: 'status 1' } }], hasNext: false },
    ]);
  });

  it('is among the directives that introspection shows', async () => {
    const response = await post('application/json', '{ __schema { directives { name } } }');
    const { data } = (await response.json()) as { data: { __schema: { directives: { name: string }[] } } };
    expect(data.__schema.directives.map(({ name }) => name)).toContain('defer');
  });
});
