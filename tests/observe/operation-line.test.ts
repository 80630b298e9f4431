// The line that the log has for every operation, whatever the transport and however it ended.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { connectClient, openClient } from '../live/ws-client.ts';
import { waitFor } from '../support/wait.ts';
import { type ObservedGateway, startObservedGateway } from './observed-gateway.ts';

const NAMED = 'query Orders($id: ID) { order(id: $id) { id status } }';
const TRACE_ID = /^[0-9a-f]{32}$/;

let gateway: ObservedGateway;
beforeAll(async () => {
  gateway = await startObservedGateway({}, { documentBytesMax: 2_000 });
});
afterAll(() => gateway?.close());
beforeEach(() => {
  gateway.clear();
  gateway.orders.fault = undefined;
  gateway.police.fault = undefined;
});

async function oneLine() {
  await waitFor('the line of the operation', async () => gateway.operations().length > 0);
  expect(gateway.operations()).toHaveLength(1);
  return gateway.operations()[0];
}

describe('the line of an operation over HTTP', () => {
  it('tells what was asked, by which program, how it ended and what it took', async () => {
    await gateway.post(
      { query: NAMED, variables: { id: '7' } },
      { 'graphql-client-name': 'city-page', 'graphql-client-version': '1.2' },
    );
    expect(await oneLine()).toMatchObject({
      traceId: expect.stringMatching(TRACE_ID),
      transport: 'http',
      kind: 'query',
      operationName: 'Orders',
      documentHash: expect.stringMatching(/^[0-9a-f]{16}$/),
      clientName: 'city-page',
      clientVersion: '1.2',
      outcome: 'ok',
      errors: 0,
      fetches: 2,
      durationMs: expect.any(Number),
    });
  });

  it('has nothing of variables, tokens and the text of the document', async () => {
    const query = 'query A($id: ID) { order(id: $id) { aliasOfMine: title id } b: order(id: "430") { id } }';
    await gateway.post({ query, variables: { id: '19650512-secret' } }, { authorization: 'Bearer token-1' });
    await oneLine();
    expect(gateway.text()).not.toMatch(/19650512|token-1|aliasOfMine|430/);
  });

  it('is partial where a system failed and data is left, with the code of the first error', async () => {
    gateway.police.fault = { kind: 'status', status: 500, body: 'no' };
    await gateway.post({ query: '{ orders { id status } }' });
    expect(await oneLine()).toMatchObject({
      outcome: 'partial',
      code: 'UPSTREAM_INVALID',
      errors: 2,
      fetches: 2,
    });
  });

  it('is failed where no data is left', async () => {
    gateway.orders.fault = { kind: 'status', status: 503, body: '' };
    await gateway.post({ query: '{ orders { id } }' });
    expect(await oneLine()).toMatchObject({ outcome: 'failed', code: 'UPSTREAM_UNAVAILABLE', errors: 1 });
  });

  it.each([
    ['a text that is no GraphQL', { query: '{ a' }, 'GRAPHQL_PARSE_FAILED'],
    ['a field that there is not', { query: '{ nothing }' }, 'GRAPHQL_VALIDATION_FAILED'],
    ['a text over its limit', { query: `{ orders { id } } # ${'x'.repeat(3_000)}` }, 'LIMIT_EXCEEDED'],
    ['a variable of another type', { query: NAMED, variables: { id: { no: 1 } } }, 'BAD_USER_INPUT'],
    ['no query', { nothing: 1 }, 'BAD_USER_INPUT'],
  ])('is there for %s too', async (_what, body, code) => {
    await gateway.post(body);
    expect(await oneLine()).toMatchObject({
      code,
      fetches: 0,
      outcome: 'refused',
    });
  });

  it('is there for a body over its limit, a method and a media type that are not taken', async () => {
    const url = `${gateway.origin}/graphql`;
    await gateway.post({ query: NAMED, variables: { text: 'x'.repeat(1_100_000) } });
    expect(await oneLine()).toMatchObject({ outcome: 'refused', code: 'LIMIT_EXCEEDED' });
    gateway.clear();
    await fetch(url, { method: 'PUT' });
    expect(await oneLine()).toMatchObject({ outcome: 'refused', code: 'BAD_USER_INPUT' });
    gateway.clear();
    await fetch(url, { method: 'POST', headers: { 'content-type': 'text/plain' }, body: '{}' });
    expect(await oneLine()).toMatchObject({ outcome: 'refused', code: 'BAD_USER_INPUT' });
  });

  it('bounds what a client says of itself and strips what would not print', async () => {
    await gateway.post(
      { query: '{ open }' },
      { 'apollographql-client-name': `a\u0085\u00ad${'b'.repeat(500)}` },
    );
    expect((await oneLine())?.clientName).toBe(`a${'b'.repeat(63)}`);
  });

  it('does not write down an operation name that is no name', async () => {
    await gateway.post({ query: NAMED, operationName: 'Zhang San, 430…' });
    const line = await oneLine();
    expect(line).toMatchObject({ outcome: 'refused', code: 'BAD_USER_INPUT' });
    expect(line).not.toHaveProperty('operationName');
  });
});

describe('the line of a deferred operation', () => {
  it('counts the errors of all parts', async () => {
    gateway.police.fault = { kind: 'status', status: 500, body: 'no' };
    const query = '{ orders { id ... @defer { status } ... @defer { unit } } }';
    const response = await gateway.post({ query }, { accept: 'multipart/mixed;deferSpec=20220824' });
    const shown = (await response.text()).match(/"message"/g)?.length ?? 0;
    expect(shown).toBeGreaterThan(1);
    expect(await oneLine()).toMatchObject({ transport: 'parts', outcome: 'partial', errors: shown });
  });
});

describe('the line of an operation over WebSocket', () => {
  it('names the client by the payload of ConnectionInit', async () => {
    const client = await openClient(gateway.started.urls.ws ?? '');
    const payload = { headers: { 'GraphQL-Client-Name': 'board', 'GraphQL-Client-Version': '3' } };
    client.send({ type: 'connection_init', payload });
    await client.next();
    client.send({ id: '1', type: 'subscribe', payload: { query: 'query Open { open }' } });
    expect((await oneLine()) ?? {}).toMatchObject({
      transport: 'websocket',
      kind: 'query',
      operationName: 'Open',
      clientName: 'board',
      clientVersion: '3',
      outcome: 'ok',
      fetches: 1,
    });
    await client.close();
  });

  it('is there for what is refused, with the trace id that the client got', async () => {
    const client = await connectClient(gateway.started.urls.ws ?? '');
    client.send({ id: '1', type: 'subscribe', payload: { query: '{ nothing }' } });
    const { payload } = await client.next();
    const [error] = payload as { extensions: { traceId: string } }[];
    expect(await oneLine()).toMatchObject({
      outcome: 'refused',
      code: 'GRAPHQL_VALIDATION_FAILED',
      traceId: error?.extensions.traceId,
    });
    await client.close();
  });
});
