// What a client is told of a failure, and what the log is told: every way to fail that a running gateway has, one by one.
import { connect } from 'node:net';
import { ERROR_CODES } from '@weft/core/errors';
import { createLogger } from '@weft/core/logger';
import { closeHttpServer, createHttpServer } from '@weft/gateway/http/server';
import { attachWebSocket } from '@weft/gateway/websocket/server';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createEchoEngine } from '../live/echo-engine.ts';
import { connectClient } from '../live/ws-client.ts';
import { waitFor } from '../support/wait.ts';
import { type Line, type ObservedGateway, startObservedGateway } from './observed-gateway.ts';

interface ShownError {
  readonly message: string;
  readonly path?: readonly (string | number)[];
  readonly extensions: Readonly<Record<string, unknown>>;
}

const SECRET = 'hunter2';
const STACK = `TypeError: boom ${SECRET}\\n    at resolve (/app/src/orders.js:12:3)`;
const INTERNALS = new RegExp(
  `${SECRET}|\\bat \\S+ \\(|\\.(?:ts|js):\\d|node_modules|127\\.0\\.0\\.1|localhost|SELECT |stack|ECONN`,
);

/** Every error says what, where, who and under which id; the log knows the id; nothing shows how the hub is made. */
function expectForClients(errors: readonly ShownError[], text: string, lines: readonly Line[]): void {
  expect(errors.length).toBeGreaterThan(0);
  for (const { message, extensions } of errors) {
    expect(message).toMatch(/\S/);
    expect(Object.keys(ERROR_CODES)).toContain(extensions.code);
    expect(['HUB', 'PROVIDER']).toContain(extensions.origin);
    expect(extensions.traceId).toMatch(/^[0-9a-f]{32}$/);
    if (extensions.origin === 'PROVIDER') expect(extensions.system).toEqual(expect.any(String));
    expect(lines.map(({ traceId }) => traceId)).toContain(extensions.traceId);
  }
  expect(text).not.toMatch(INTERNALS);
}

let gateway: ObservedGateway;
beforeAll(async () => {
  gateway = await startObservedGateway({}, { documentTokensMax: 100, subgraphTimeoutMs: 300 });
});
afterAll(() => gateway?.close());
beforeEach(() => {
  gateway.clear();
  gateway.police.fault = undefined;
  gateway.orders.fault = undefined;
});

async function errorsOf(response: Response): Promise<readonly ShownError[]> {
  const text = await response.text();
  const { errors = [] } = JSON.parse(text) as { readonly errors?: readonly ShownError[] };
  expectForClients(errors, text, gateway.lines);
  return errors;
}

describe('a request that is refused over HTTP', () => {
  const url = (path = '/graphql') => `${gateway.origin}${path}`;
  const post = (body: string, headers: Record<string, string> = {}) =>
    fetch(url(), { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body });

  it.each<[what: string, code: string, ask: () => Promise<Response>]>([
    ['no JSON', 'BAD_USER_INPUT', () => post('{')],
    ['no query', 'BAD_USER_INPUT', () => post('{}')],
    ['a list of requests', 'BAD_USER_INPUT', () => post('[]')],
    ['no GraphQL', 'GRAPHQL_PARSE_FAILED', () => post('{"query":"{ a"}')],
    ['no field of the schema', 'GRAPHQL_VALIDATION_FAILED', () => post('{"query":"{ a }"}')],
    ['no such operation', 'BAD_USER_INPUT', () => post('{"query":"query A { open }","operationName":"B"}')],
    [
      'a variable amiss',
      'BAD_USER_INPUT',
      () => post('{"query":"query ($a: ID!) { order(id: $a) { id } }"}'),
    ],
    ['too many tokens', 'LIMIT_EXCEEDED', () => post(`{"query":"{ ${'a '.repeat(200)} }"}`)],
    ['too many bytes', 'LIMIT_EXCEEDED', () => post(`{"query":"${'a'.repeat(1_100_000)}"}`)],
    ['an answer in HTML', 'BAD_USER_INPUT', () => post('{"query":"{ open }"}', { accept: 'text/html' })],
    ['another media type', 'BAD_USER_INPUT', () => fetch(url(), { method: 'POST', body: '{}' })],
    ['another method', 'BAD_USER_INPUT', () => fetch(url(), { method: 'DELETE' })],
    ['a mutation by GET', 'BAD_USER_INPUT', () => fetch(url('/graphql?query=mutation{accept(id:1){id}}'))],
    ['no such path', 'NOT_FOUND', () => fetch(url('/nothing?token=secret'))],
    ['a path that is no URL', 'BAD_USER_INPUT', () => fetch(url('/%zz'))],
  ])('for %s tells its code and a trace id that the log has', async (_what, code, ask) => {
    const [error] = await errorsOf(await ask());
    expect(error?.extensions.code).toBe(code);
  });

  it('for bytes that are no HTTP tells its code and a trace id that the log has', async () => {
    const socket = connect(Number(new URL(gateway.origin).port), '127.0.0.1');
    socket.end('this is no HTTP\r\n\r\n');
    let text = '';
    for await (const chunk of socket) text += String(chunk);
    const body = text.slice(text.indexOf('\r\n\r\n') + 4);
    await errorsOf(new Response(body));
    expect(text).toMatch(/^HTTP\/1\.1 400 /);
  });
});

describe('a system that fails', () => {
  const ask = () => gateway.post({ query: '{ orders { id status } }' });
  const answer = (body: unknown) => ({
    kind: 'rewrite' as const,
    rewrite: () => (typeof body === 'string' ? body : JSON.stringify(body)),
  });

  it.each<[what: string, fault: ObservedGateway['police']['fault'], code: string]>([
    [
      'with a page of HTML',
      { kind: 'status', status: 500, body: `<html>${SECRET}</html>` },
      'UPSTREAM_INVALID',
    ],
    ['with a status', { kind: 'status', status: 503, body: SECRET }, 'UPSTREAM_UNAVAILABLE'],
    ['with no JSON', answer(`${SECRET} at resolve (/app/x.js:1:1)`), 'UPSTREAM_INVALID'],
    ['with no data', answer({ data: null, secret: SECRET }), 'UPSTREAM_INVALID'],
    ['by breaking off', { kind: 'truncate' }, 'UPSTREAM_INVALID'],
    ['by silence', { kind: 'silent' }, 'DEADLINE_EXCEEDED'],
    [
      'with a stack for a message',
      answer({ errors: [{ message: JSON.parse(`"${STACK}"`) }] }),
      'UPSTREAM_INVALID',
    ],
    [
      'with SQL and a stack in extensions',
      answer({
        errors: [
          {
            message: `SELECT name FROM citizens WHERE pass = '${SECRET}'`,
            extensions: {
              code: 'CONFLICT',
              stacktrace: [STACK],
              exception: { stacktrace: STACK },
              dsn: `postgres://a:${SECRET}@127.0.0.1/x`,
            },
          },
        ],
      }),
      'CONFLICT',
    ],
  ])(
    '%s nulls its own fields, is named at their paths, and shows nothing of itself',
    async (_what, fault, code) => {
      gateway.police.fault = fault;
      const errors = await errorsOf(await ask());
      expect(errors.map(({ path }) => path)).toEqual([
        ['orders', 0, 'status'],
        ['orders', 1, 'status'],
      ]);
      expect(errors[0]?.extensions).toMatchObject({ code, system: 'police', origin: 'PROVIDER' });
    },
  );

  it('has its own words in the log where a client does not get them', async () => {
    gateway.police.fault = answer({ errors: [{ message: `connect ECONNREFUSED ${SECRET}` }] });
    const [error] = await errorsOf(await ask());
    const told = gateway.lines.filter(({ traceId }) => traceId === error?.extensions.traceId);
    expect(JSON.stringify(told)).toContain(`ECONNREFUSED ${SECRET}`);
    expect(error?.message).toBe('police failed; what it said of that is in the log');
  });

  it('is told in words that were meant for the client', async () => {
    gateway.police.fault = answer({
      errors: [{ message: 'There is no such order.', extensions: { code: 'NOT_FOUND' } }],
    });
    const [error] = await errorsOf(await ask());
    expect(error).toMatchObject({ message: 'There is no such order.', extensions: { code: 'NOT_FOUND' } });
  });

  it('is named in the parts of an answer too', async () => {
    gateway.police.fault = { kind: 'status', status: 500, body: SECRET };
    const response = await gateway.post(
      { query: '{ orders { id ... @defer { status } } }' },
      { accept: 'multipart/mixed;deferSpec=20220824' },
    );
    const text = await response.text();
    await waitFor('the line of the operation', async () => gateway.operations().length > 0);
    const parts = text.split(/\r\n---/).flatMap((part) => part.match(/\{.*\}/s) ?? []);
    const { incremental } = JSON.parse(parts.at(-1) ?? '{}') as {
      readonly incremental: readonly { readonly errors?: readonly ShownError[] }[];
    };
    expectForClients(
      incremental.flatMap(({ errors = [] }) => errors),
      text,
      gateway.lines,
    );
  });
});

describe('an operation over WebSocket', () => {
  it.each([
    ['no GraphQL', '{ a', 'GRAPHQL_PARSE_FAILED'],
    ['no field of the schema', '{ a }', 'GRAPHQL_VALIDATION_FAILED'],
    ['a deferred part of what there is not', '{ orders { ... @defer { x } } }', 'GRAPHQL_VALIDATION_FAILED'],
  ])('that is %s is told so with a trace id that the log has', async (_what, query, code) => {
    const client = await connectClient(gateway.started.urls.ws ?? '');
    client.send({ id: '1', type: 'subscribe', payload: { query } });
    const { payload } = await client.next();
    expectForClients(payload as readonly ShownError[], JSON.stringify(payload), gateway.lines);
    expect((payload as readonly ShownError[])[0]?.extensions.code).toBe(code);
    await client.close();
  });

  it('is told of a system that fails as over HTTP', async () => {
    gateway.police.fault = { kind: 'status', status: 500, body: SECRET };
    const client = await connectClient(gateway.started.urls.ws ?? '');
    client.send({ id: '1', type: 'subscribe', payload: { query: '{ orders { status } }' } });
    const { payload } = await client.next();
    await waitFor('the line of the operation', async () => gateway.operations().length > 0);
    const { errors } = payload as { readonly errors: readonly ShownError[] };
    expectForClients(errors, JSON.stringify(payload), gateway.lines);
    await client.close();
  });

  it('is not begun on another path, and the refusal says why', async () => {
    const socket = connect(Number(new URL(gateway.origin).port), '127.0.0.1');
    socket.write(
      'GET /elsewhere HTTP/1.1\r\nhost: a\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n\r\n',
    );
    let text = '';
    for await (const chunk of socket) text += String(chunk);
    await errorsOf(new Response(text.slice(text.indexOf('\r\n\r\n') + 4)));
  });
});

describe('a mistake in the hub itself', () => {
  it('is one sentence to the client, and a stack under the same trace id in the log', async () => {
    const written: string[] = [];
    const logger = createLogger('gateway', 'info', { write: (line) => written.push(line) });
    const engine = createEchoEngine({
      topic: 'thing',
      beforeResult: async () => {
        throw new TypeError(`boom ${SECRET}`);
      },
    });
    const app = createHttpServer({
      engine: () => engine,
      logger,
      readiness: async () => {
        throw new TypeError(`boom ${SECRET}`);
      },
    });
    const origin = await app.listen({ port: 0, host: '127.0.0.1' });
    const sockets = attachWebSocket({ server: app.server, engine: () => engine, logger });
    const lines = () => written.map((line) => JSON.parse(line) as Line);
    const expectHidden = (text: string, errors: readonly ShownError[]) => {
      expectForClients(errors, text, lines());
      const { code, traceId } = errors[0]?.extensions ?? {};
      expect(code).toBe('INTERNAL_SERVER_ERROR');
      const told = lines().filter((line) => line.traceId === traceId && 'err' in line);
      expect(JSON.stringify(told)).toMatch(new RegExp(`boom ${SECRET}.*at `));
    };
    try {
      const response = await fetch(`${origin}/graphql?query={any}`, { headers: { 'x-weft-csrf': '1' } });
      const text = await response.text();
      expect(response.status).toBe(500);
      expectHidden(text, (JSON.parse(text) as { errors: readonly ShownError[] }).errors);
      const health = await (await fetch(`${origin}/health/ready`)).text();
      expectHidden(health, (JSON.parse(health) as { errors: readonly ShownError[] }).errors);
      const client = await connectClient(`${origin.replace('http', 'ws')}/graphql`);
      client.send({ id: '1', type: 'subscribe', payload: { query: '{ any }' } });
      const { payload } = await client.next();
      expectHidden(JSON.stringify(payload), payload as readonly ShownError[]);
      await client.close();
    } finally {
      await sockets.close();
      await closeHttpServer(app);
    }
  });
});
