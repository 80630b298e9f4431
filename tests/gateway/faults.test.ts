// What a client sees when a subgraph is dead, slow, wrong or hostile: its own fields null, a path-true error, the rest there.

import type { GatewayEngine } from '@weft/gateway/execute/create-engine';
import { ANONYMOUS } from '@weft/gateway/identity/principal';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Answer, ask, engineOver, TRACE_ID } from './library-gateway.ts';
import { type Library, startLibrary } from './library-graph.ts';
import { type SubgraphServer, startSubgraph } from './subgraph-server.ts';

const LIMITS = { subgraphTimeoutMs: 400, responseBytesMax: 50_000 };
const BOOKS = '{ me { name address { street } } books { t: title list: ratings { stars } average } }';

describe('a failing subgraph', () => {
  let library: Library;
  let engine: GatewayEngine;

  beforeAll(async () => {
    library = await startLibrary();
    engine = engineOver(library.all, LIMITS);
  });
  beforeEach(() => {
    for (const server of library.all) {
      server.fault = undefined;
      server.requests.length = 0;
    }
  });
  afterAll(async () => {
    await engine?.close();
    await library?.close();
  });

  function expectRatesMissing(answer: Answer, code: string, message: RegExp): void {
    expect(answer.data).toEqual({
      me: { name: '甲', address: { street: '1号' } },
      books: ['水浒传', '红楼梦', '西游记'].map((t) => ({ t, list: null, average: null })),
    });
    const paths = [0, 1, 2].flatMap((index) => ['list', 'average'].map((name) => ['books', index, name]));
    expect(answer.errors?.map((error) => error.path)).toEqual(paths);
    for (const error of answer.errors ?? []) {
      expect(error.extensions).toMatchObject({
        code,
        system: 'rates',
        origin: 'PROVIDER',
        traceId: TRACE_ID,
      });
      expect(error.message).toMatch(message);
      expect(JSON.stringify(error)).not.toMatch(/secret body|node_modules|\.ts:/);
    }
  }

  it('that is garbage with status 200 is UPSTREAM_INVALID at every path that misses something', async () => {
    library.rates.fault = { kind: 'status', status: 200, body: '<html>secret body</html>' };
    expectRatesMissing(await ask(engine, BOOKS), 'UPSTREAM_INVALID', /^rates answered .*not JSON/);
  });

  it('that answers 503 is UPSTREAM_UNAVAILABLE', async () => {
    library.rates.fault = { kind: 'status', status: 503, body: 'secret body' };
    expectRatesMissing(
      await ask(engine, BOOKS),
      'UPSTREAM_UNAVAILABLE',
      /^rates does not answer \(HTTP 503\)$/,
    );
  });

  it('that is silent is DEADLINE_EXCEEDED at its deadline, and its sockets are freed', async () => {
    library.rates.fault = { kind: 'silent' };
    const startedAt = performance.now();
    const answer = await ask(engine, BOOKS);
    expect(performance.now() - startedAt).toBeLessThan(LIMITS.subgraphTimeoutMs + 300);
    expectRatesMissing(answer, 'DEADLINE_EXCEEDED', /^rates did not answer within \d+ ms$/);
    await expect.poll(() => library.rates.connections(), { timeout: 5_000 }).toBe(0);
  });

  it('may have a deadline of its own, and no other has it', async () => {
    const times = new Map([['rates', LIMITS.subgraphTimeoutMs * 3]]);
    const patient = engineOver(library.all, LIMITS, { subgraphTimeouts: times });
    try {
      library.rates.fault = { kind: 'silent' };
      const startedAt = performance.now();
      const [answer] = await Promise.all([ask(patient, BOOKS), ask(patient, '{ me { id } }')]);
      expect(performance.now() - startedAt).toBeGreaterThan(LIMITS.subgraphTimeoutMs * 2.9);
      expectRatesMissing(answer, 'DEADLINE_EXCEEDED', /^rates did not answer within 1\d{3} ms$/);
      const given = ({ requests }: SubgraphServer) => Number(requests[0]?.headers['x-weft-deadline-ms']);
      expect(given(library.rates)).toBeGreaterThan(LIMITS.subgraphTimeoutMs);
      expect(given(library.people)).toBeLessThanOrEqual(LIMITS.subgraphTimeoutMs);
    } finally {
      await patient.close();
    }
  });

  it('that breaks off in the middle is UPSTREAM_INVALID after one more try', async () => {
    library.rates.fault = { kind: 'truncate' };
    expectRatesMissing(await ask(engine, BOOKS), 'UPSTREAM_INVALID', /broke off/);
    expect(library.rates.requests).toHaveLength(2);
  });

  it('that sends more than the limit is cut off', async () => {
    library.rates.fault = { kind: 'status', status: 200, body: 'x'.repeat(LIMITS.responseBytesMax + 1) };
    expectRatesMissing(await ask(engine, BOOKS), 'UPSTREAM_INVALID', /more than 50000 bytes/);
  });

  it('that nests without end is refused', async () => {
    library.rates.fault = {
      kind: 'rewrite',
      rewrite: () => `{"data":{"_entities":${'['.repeat(9_000)}${']'.repeat(9_000)}}}`,
    };
    expectRatesMissing(await ask(engine, BOOKS), 'UPSTREAM_INVALID', /nested deeper than 100/);
  });

  it('that answers for fewer entities than it was asked is UPSTREAM_INVALID', async () => {
    library.rates.fault = { kind: 'status', status: 200, body: '{"data":{"_entities":[null]}}' };
    expectRatesMissing(await ask(engine, BOOKS), 'UPSTREAM_INVALID', /expected 3 entities/);
  });

  it('that closes a kept connection is asked once more when it reads, and answers', async () => {
    library.rates.fault = { kind: 'reset-once' };
    const answer = await ask(engine, BOOKS);
    expect(answer.errors).toBeUndefined();
    expect(library.rates.requests).toHaveLength(2);
  });

  it('that closes the connection under a mutation is not asked again: the outcome is unknown', async () => {
    library.post.fault = { kind: 'reset-once' };
    const answer = await ask(engine, 'mutation { stamp(parcel: "x") { id } }');
    expect(answer.errors).toMatchObject([
      { path: ['stamp'], extensions: { code: 'WRITE_UNKNOWN', system: 'post' } },
    ]);
    expect(library.post.requests).toHaveLength(1);
  });

  it('that knows only some of the entities leaves the others null without an error', async () => {
    const answer = await ask(engine, '{ books { id average } }');
    expect(answer).toEqual({
      data: {
        books: [
          { id: 'b1', average: 4.5 },
          { id: 'b2', average: 4.5 },
          { id: 'b3', average: null },
        ],
      },
    });
  });

  it('that a dependent needs is named once at the place that the client knows, and the dependent is not asked', async () => {
    library.books.fault = undefined;
    const whole = await ask(engine, '{ ratings { of { postage } } }');
    expect(whole.errors).toBeUndefined();
    library.post.requests.length = 0;
    library.books.fault = { kind: 'status', status: 503, body: '' };
    const answer = await ask(engine, '{ ratings { stars of { postage } } }');
    expect(answer.data).toEqual({
      ratings: [{ stars: 5, of: { postage: null } }, { stars: 3, of: { postage: null } }, null],
    });
    expect(answer.errors).toMatchObject([
      { path: ['ratings', 0, 'of'], extensions: { system: 'books' } },
      { path: ['ratings', 1, 'of'], extensions: { system: 'books' } },
    ]);
    expect(library.post.requests).toHaveLength(0);
  });

  it('keeps the code, system and origin that it says, and the path through lists and aliases', async () => {
    const body = (path: unknown) =>
      JSON.stringify({
        data: { _entities: [{ x: null }, null, null] },
        errors: [
          {
            message: 'grade server is shut',
            path,
            extensions: {
              code: 'RATE_LIMITED',
              system: 'grades',
              origin: 'HUB',
              retryAfterMs: 50,
              stacktrace: ['at x.ts:1'],
            },
          },
        ],
      });
    library.rates.fault = { kind: 'rewrite', rewrite: () => body(['_entities', 0, 'average']) };
    const answer = await ask(engine, '{ all: books { average } }');
    expect(answer.errors).toEqual([
      {
        message: 'grade server is shut',
        path: ['all', 0, 'average'],
        extensions: {
          code: 'RATE_LIMITED',
          system: 'grades',
          origin: 'HUB',
          retryAfterMs: 50,
          traceId: TRACE_ID,
        },
      },
    ]);
  });

  it('that calls our document invalid is itself UPSTREAM_INVALID: the client did nothing wrong', async () => {
    const errors = [
      { message: 'Cannot query field "average"', extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } },
    ];
    library.rates.fault = { kind: 'status', status: 400, body: JSON.stringify({ errors }) };
    const answer = await ask(engine, '{ books(ids: ["b1"]) { average } }');
    expect(answer.errors).toMatchObject([
      { path: ['books', 0, 'average'], extensions: { code: 'UPSTREAM_INVALID', system: 'rates' } },
    ]);
  });

  it('that gives a wrong type nulls the field and names itself', async () => {
    library.books.fault = { kind: 'rewrite', rewrite: (body) => body.replace('900', '"many"') };
    const answer = await ask(engine, '{ books { pages } }');
    expect(answer.data).toEqual({ books: [{ pages: null }, { pages: 1200 }, { pages: null }] });
    expect(answer.errors).toMatchObject([
      {
        path: ['books', 0, 'pages'],
        message: 'Book.pages is not an Int',
        extensions: { code: 'UPSTREAM_INVALID', system: 'books' },
      },
    ]);
  });

  it('that gives null where none may be nulls the nearest parent that may be, with one error', async () => {
    library.rates.fault = { kind: 'rewrite', rewrite: (body) => body.replace('"stars":5', '"stars":null') };
    const answer = await ask(engine, '{ ratings { stars } }');
    expect(answer.data).toEqual({ ratings: [null, { stars: 3 }, null] });
    expect(answer.errors).toMatchObject([
      { path: ['ratings', 0, 'stars'], extensions: { code: 'UPSTREAM_INVALID', system: 'rates' } },
    ]);
  });

  it('that sends __proto__ and constructor changes nothing but its own data', async () => {
    library.books.fault = {
      kind: 'rewrite',
      rewrite: (body) =>
        body.replace(
          '"id":"b1"',
          '"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"id":"b1"',
        ),
    };
    const answer = await ask(engine, '{ books { id constructor: title average } }');
    expect((answer.data as { books: unknown[] }).books[0]).toEqual({
      id: 'b1',
      constructor: '水浒传',
      average: 4.5,
    });
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  it('gives a client that asks under the name __proto__ what it asked for', async () => {
    const prepared = await engine.prepare('{ me { __proto__: name } }');
    if ('errors' in prepared) throw prepared.errors[0];
    const context = { signal: AbortSignal.timeout(5_000), traceId: TRACE_ID, principal: ANONYMOUS };
    expect(JSON.stringify(await engine.execute(prepared, {}, context))).toBe(
      '{"data":{"me":{"__proto__":"甲"}}}',
    );
  });

  it('is CANCELLED when the client goes, and the subgraph sees the connection close', async () => {
    library.books.fault = { kind: 'silent' };
    const controller = new AbortController();
    const answering = ask(engine, '{ books { id } }', {}, controller.signal);
    await expect.poll(() => library.books.requests.length).toBe(1);
    controller.abort();
    expect((await answering).errors).toMatchObject([{ extensions: { code: 'CANCELLED' } }]);
    await expect.poll(() => library.books.connections(), { timeout: 5_000 }).toBe(0);
  });

  it('is sent the time that is left and a trace of the same id', async () => {
    await ask(engine, '{ me { id } }');
    const headers = library.people.requests[0]?.headers;
    expect(Number(headers?.['x-weft-deadline-ms'])).toBeGreaterThan(0);
    expect(Number(headers?.['x-weft-deadline-ms'])).toBeLessThanOrEqual(LIMITS.subgraphTimeoutMs);
    expect(headers?.traceparent).toMatch(new RegExp(`^00-${TRACE_ID}-[0-9a-f]{16}-01$`));
  });

  it('is never sent the same entity twice in one fetch', async () => {
    await ask(
      engine,
      '{ books { lentTo { address { street } } author { address { street } } } me { address { street } } }',
    );
    for (const { variables } of library.post.requests) {
      const representations = (variables.representations ?? []) as unknown[];
      expect(new Set(representations.map((value) => JSON.stringify(value))).size).toBe(
        representations.length,
      );
    }
  });
});

describe('a dead subgraph', () => {
  let dead: SubgraphServer;
  let library: Library;
  let engine: GatewayEngine;
  beforeAll(async () => {
    library = await startLibrary();
    dead = library.rates;
    engine = engineOver(library.all);
    await dead.close();
  });
  afterAll(async () => {
    await engine?.close();
    await library?.close();
  });

  it('costs its own fields and less than 100 ms', async () => {
    await ask(engine, '{ books { id average } }');
    const startedAt = performance.now();
    const answer = await ask(engine, '{ books { id average } }');
    expect(performance.now() - startedAt).toBeLessThan(100);
    expect(answer.data).toEqual({ books: ['b1', 'b2', 'b3'].map((id) => ({ id, average: null })) });
    expect(answer.errors?.[0]).toEqual({
      message: 'rates does not answer (connection refused)',
      path: ['books', 0, 'average'],
      extensions: { code: 'UPSTREAM_UNAVAILABLE', system: 'rates', origin: 'PROVIDER', traceId: TRACE_ID },
    });
  });

  it('does not stop a parent that must not be null from going, with one error', async () => {
    const answer = await ask(engine, '{ me { name trust } people(first: 1) { name } }');
    expect(answer.data).toEqual({ me: null, people: [{ name: '甲' }] });
    expect(answer.errors).toMatchObject([{ path: ['me', 'trust'], extensions: { system: 'rates' } }]);
  });
});

describe('the list of errors', () => {
  it('is bounded, and says how many were left out', async () => {
    const many = await startSubgraph('many', 'type Query { items: [Item!] } type Item { id: ID! bad: Int }', {
      Query: { items: () => Array.from({ length: 50 }, (_, id) => ({ id })) },
      Item: {
        bad: () => {
          throw new Error('no');
        },
      },
    });
    const engine = engineOver([many], { errorsMax: 10 });
    try {
      const answer = await ask(engine, '{ items { id bad } }');
      expect(answer.errors).toHaveLength(11);
      expect(answer.errors?.at(-1)).toMatchObject({
        message: '40 more errors were left out.',
        extensions: { code: 'LIMIT_EXCEEDED' },
      });
      expect((answer.data as { items: unknown[] }).items.length).toBe(50);
    } finally {
      await engine.close();
      await many.close();
    }
  });
});
