// A department's receiver: verifies every signature by itself, and answers what it is told to.
import { createHmac, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Received {
  readonly id: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** Of the event's data. */
  readonly n: number;
  readonly isSigned: boolean;
  /** What it was answered; 0 when the connection was left hanging. */
  readonly status: number;
  readonly atMs: number;
}

/** A status, what to do with the response, or `hang` for no answer. */
export type Reply = number | 'hang' | ((response: ServerResponse) => void);

export interface Receiver {
  readonly port: number;
  readonly url: string;
  readonly received: Received[];
  /** The numbers of what was answered with 2xx, in order. */
  accepted(): readonly number[];
  /** Asked for each request; default always 204. */
  reply(n: number, attempt: number): Reply;
  close(): Promise<void>;
}

export const SECRET = Buffer.alloc(32, 9);
const TOLERANCE_SECONDS = 300;

export async function startReceiver(): Promise<Receiver> {
  const attempts = new Map<string, number>();
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString('utf8');
    const id = String(request.headers['webhook-id']);
    const attempt = (attempts.get(id) ?? 0) + 1;
    attempts.set(id, attempt);
    const n = numberIn(body);
    const reply = receiver.reply(n, attempt);
    receiver.received.push({
      id,
      headers: request.headers,
      body,
      n,
      isSigned: isSigned(request.headers, body),
      status: typeof reply === 'number' ? reply : 0,
      atMs: performance.now(),
    });
    if (typeof reply === 'number') response.writeHead(reply).end();
    else if (reply !== 'hang') reply(response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const receiver: Receiver = {
    port,
    url: `http://127.0.0.1:${port}/hook`,
    received: [],
    accepted: () => receiver.received.filter(({ status }) => status >= 200 && status < 300).map(({ n }) => n),
    reply: () => 204,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
  return receiver;
}

function numberIn(body: string): number {
  const { data } = JSON.parse(body) as { data: { data?: { thingChanged?: { n?: number | null } } | null } };
  return data.data?.thingChanged?.n ?? Number.NaN;
}

/** https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md, with Node alone. */
function isSigned(headers: IncomingHttpHeaders, body: string): boolean {
  const timestamp = Number(headers['webhook-timestamp']);
  if (Math.abs(Date.now() / 1_000 - timestamp) > TOLERANCE_SECONDS) return false;
  const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
  const expected = createHmac('sha256', SECRET).update(signed).digest();
  return String(headers['webhook-signature'])
    .split(' ')
    .some((signature) => {
      const given = Buffer.from(signature.replace(/^v1,/, ''), 'base64');
      return given.length === expected.length && timingSafeEqual(given, expected);
    });
}
