// What the tests of the simulated systems share: a folder of their own, waiting for a condition, a webhook receiver.
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const UNTIL_MS_MAX = 10_000;
const POLL_MS = 10;

/** Polls until `read` gives something; fails after 10 s naming what was waited for. */
export async function until<T>(what: string, read: () => Promise<T | undefined> | T | undefined): Promise<T> {
  const endsAtMs = Date.now() + UNTIL_MS_MAX;
  while (Date.now() < endsAtMs) {
    const value = await read();
    if (value !== undefined) return value;
    await delay(POLL_MS);
  }
  throw new Error(`waited ${UNTIL_MS_MAX} ms in vain: ${what}`);
}

export interface TestFolder extends Disposable {
  readonly path: string;
}

export function createTestFolder(): TestFolder {
  const path = mkdtempSync(join(tmpdir(), 'simulators-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

export interface ReceivedPush {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly orderNo: string;
  readonly seq: number;
  readonly atMs: number;
}

export interface Receiver extends AsyncDisposable {
  readonly url: string;
  readonly received: ReceivedPush[];
  /** What it answers; 204 at first. */
  status: number;
  inFlightMax: number;
}

export async function startReceiver(port = 0): Promise<Receiver> {
  let inFlight = 0;
  const server = createServer(async (request, response) => {
    inFlight += 1;
    receiver.inFlightMax = Math.max(receiver.inFlightMax, inFlight);
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString('utf8');
    const { order } = JSON.parse(body) as { order: { orderNo: string; seq: number } };
    receiver.received.push({
      headers: request.headers,
      body,
      orderNo: order.orderNo,
      seq: order.seq,
      atMs: Date.now(),
    });
    inFlight -= 1;
    response.writeHead(receiver.status).end();
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const receiver: Receiver = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/in/hotline`,
    received: [],
    status: 204,
    inFlightMax: 0,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return receiver;
}

/** Sends JSON and gives the JSON of the answer. */
export async function call(
  method: string,
  url: string,
  body?: unknown,
): Promise<{ status: number; body: unknown }> {
  const init = body === undefined ? { method } : { method, body: JSON.stringify(body) };
  const response = await fetch(url, init);
  return { status: response.status, body: await response.json() };
}
