// Servers of event streams that misbehave, and what the protocol leaves to the client: ids, comments, silence, refusals.
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createLogger } from '@weft/core/logger';
import type { UpstreamLimits } from '@weft/gateway/upstream/limits';
import { createUpstreamSubscriptions } from '@weft/gateway/upstream/subscriptions';
import { afterEach, describe, expect, it } from 'vitest';
import { waitFor } from '../support/wait.ts';
import { createRecorder, type Recorder, requestTo } from './recorder.ts';

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

type Script = (response: ServerResponse) => void;

interface StreamServer {
  readonly url: string;
  script: Script;
  readonly heads: IncomingHttpHeaders[];
  readonly bodies: string[];
}

async function start(script: Script): Promise<StreamServer> {
  const http = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    server.heads.push(request.headers);
    server.bodies.push(Buffer.concat(chunks).toString());
    server.script(response);
  }).listen(0, '127.0.0.1');
  await once(http, 'listening');
  const server: StreamServer = {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/graphql`,
    script,
    heads: [],
    bodies: [],
  };
  cleanups.push(async () => {
    http.close();
    http.closeAllConnections();
    await once(http, 'close');
  });
  return server;
}

function listen(url: string, limits: Partial<UpstreamLimits> = {}): Recorder {
  const subscriptions = createUpstreamSubscriptions({
    logger: createLogger('test', 'silent'),
    limits: { retryDelayMsMin: 50, retryDelayMsMax: 200, lingerMs: 50, ...limits },
  });
  cleanups.push(() => subscriptions.close());
  const recorder = createRecorder();
  const given = { protocol: 'graphql-sse', variables: { n: 1 }, operationName: 'S' } as const;
  subscriptions.subscribe(requestTo(url, given), recorder);
  return recorder;
}

const STREAM = { 'content-type': 'text/event-stream; charset=utf-8' };
const streaming =
  (text: string, ends = false): Script =>
  (response) => {
    response.writeHead(200, STREAM).write(text);
    if (ends) response.end();
  };
const next = (n: number, id = '') => `event: next\n${id}data: {"data":{"changed":${n}}}\n\n`;
const answering =
  (status: number, type: string, body: string): Script =>
  (response) =>
    void response.writeHead(status, { 'content-type': type, location: 'http://127.0.0.1:1/' }).end(body);

describe('an event stream', () => {
  it('is asked for by one POST, and read until it completes', async () => {
    const server = await start(streaming(`:\n\n${next(1)}${next(2)}event: complete\ndata:\n\n${next(3)}`));
    const recorder = listen(server.url);
    expect([await recorder.nextData(), await recorder.nextData()]).toEqual([{ changed: 1 }, { changed: 2 }]);
    expect(await recorder.nextEnd()).toBeUndefined();
    expect(recorder.all).toHaveLength(3);
    expect(server.heads[0]).toMatchObject({
      accept: 'text/event-stream',
      'content-type': 'application/json',
    });
    expect(JSON.parse(server.bodies[0] ?? '')).toEqual({
      query: 'subscription { changed { id n } }',
      operationName: 'S',
      variables: { n: 1 },
    });
  });

  it('goes on from the last id that it was given, and says that it was interrupted', async () => {
    const server = await start(
      streaming(`${next(1, 'id: 41\n')}${next(2)}id: 43\nevent: next\ndata: {"da`, true),
    );
    const recorder = listen(server.url);
    await recorder.nextData();
    await recorder.nextData();
    expect(await recorder.nextGap()).toBe('UPSTREAM_LOST');
    server.script = streaming(next(3));
    expect(await recorder.nextGap()).toBe('UPSTREAM_RECONNECTED');
    expect(await recorder.nextData()).toEqual({ changed: 3 });
    expect(server.heads[0]?.['last-event-id']).toBeUndefined();
    expect(server.heads[1]?.['last-event-id']).toBe('41');
  });

  it('may be silent for longer where no comments follow the first', async () => {
    const limits = { commentedIdleTimeoutMs: 200, idleTimeoutMs: 10_000 };
    const quiet = await start(streaming(`:\n\n${next(1)}`));
    const recorder = listen(quiet.url, limits);
    await recorder.nextData();
    const commented = await start(streaming(`:\n\n${next(1)}:\n\n`));
    const watched = listen(commented.url, limits);
    await watched.nextData();
    expect(await watched.nextGap(3_000)).toBe('UPSTREAM_LOST');
    expect(recorder.all).toHaveLength(1);
  });

  it.each([
    ['it has an event that is too long', streaming(`event: next\ndata: ${'x'.repeat(2_000)}`)],
    ['it has an event that is not JSON', streaming('event: next\ndata: {\n\n')],
    ['it breaks off', streaming('event: next\n', true)],
    [
      'it is compressed',
      (response: ServerResponse) =>
        response.writeHead(200, { ...STREAM, 'content-encoding': 'br' }).write('x'),
    ],
    ['the server is busy', answering(503, 'text/html', '<html>busy')],
    ['the server is wrong', answering(500, 'application/json', '{"errors":[{"message":"no"}]}')],
    ['no head comes', () => undefined],
  ])('is left, and asked for again: %s', async (_what, script) => {
    const server = await start(script as Script);
    const limits = { messageBytesMax: 1_000, handshakeTimeoutMs: 100, ackTimeoutMs: 100 };
    const recorder = listen(server.url, limits);
    expect(await recorder.nextGap()).toBe('UPSTREAM_LOST');
    server.script = streaming(next(1));
    let told = await recorder.next();
    while (told.kind === 'gap') told = await recorder.next();
    expect(told).toMatchObject({ kind: 'result', result: { data: { changed: 1 } } });
  });

  it.each([
    ['a redirect', answering(302, 'text/html', ''), /refuses subscriptions \(HTTP 302\)/],
    ['no such place', answering(404, 'text/html', 'no'), /refuses subscriptions \(HTTP 404\)/],
    ['no credentials', answering(401, 'text/plain', 'no'), /refuses subscriptions \(HTTP 401\)/],
    ['an answer', answering(200, 'application/json', '{"data":{"changed":1}}'), /not an event stream/],
    ['a page', answering(200, 'text/html', '<html>'), /not an event stream/],
    [
      'errors',
      answering(400, 'application/json', '{"errors":[{"message":"no such field"}]}'),
      /no such field/,
    ],
    [
      'errors in the stream',
      streaming('event: next\ndata: {"errors":[{"message":"not now"}]}\n\n'),
      /not now/,
    ],
  ])('ends where the server refuses it: %s', async (_what, script, message) => {
    const server = await start(script);
    const error = await listen(server.url).nextEnd();
    expect(error).toMatchObject({ code: 'UPSTREAM_INVALID', system: 'traffic' });
    expect(error?.message).toMatch(message);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(server.heads).toHaveLength(1);
  });

  it('is given up upstream when nobody listens', async () => {
    let closed = 0;
    const server = await start((response) => {
      response.on('close', () => {
        closed += 1;
      });
      streaming(next(1))(response);
    });
    const subscriptions = createUpstreamSubscriptions({
      logger: createLogger('test', 'silent'),
      limits: { lingerMs: 20 },
    });
    const recorder = createRecorder();
    const leave = subscriptions.subscribe(requestTo(server.url, { protocol: 'graphql-sse' }), recorder);
    await recorder.nextData();
    leave();
    await waitFor('the end upstream', () => closed === 1);
    await subscriptions.close();
  });
});
