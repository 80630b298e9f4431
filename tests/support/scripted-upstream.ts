// An HTTP server that answers what it is told to, however wrong, and counts who asks.
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Text, and text that comes so many times, as it is written and never held whole. */
export type BodyPart = string | { readonly text: string; readonly times: number };

export type Script =
  | { readonly kind: 'hang' }
  | { readonly kind: 'hold'; readonly until: Promise<void>; readonly script: Script }
  /** The connection is reset when the head of the answer is out. */
  | { readonly kind: 'reset' }
  | {
      readonly kind: 'respond';
      readonly status: number;
      readonly headers: Readonly<Record<string, string>>;
      readonly body: readonly (BodyPart | Buffer)[];
    };

export interface ScriptedUpstream {
  readonly url: string;
  script: Script;
  /** Bodies of the requests that came. */
  readonly requests: string[];
  /** The same, with their heads. */
  readonly received: IncomingMessage[];
  /** Of the last request. */
  lastHeaders: IncomingHttpHeaders;
  connections(): Promise<number>;
  close(): Promise<void>;
}

export async function startScriptedUpstream(script: Script = { kind: 'hang' }): Promise<ScriptedUpstream> {
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    upstream.received.push(request);
    upstream.lastHeaders = request.headers;
    upstream.requests.push(Buffer.concat(chunks).toString('utf8'));
    await play(upstream.script, response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const upstream: ScriptedUpstream = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`,
    script,
    requests: [],
    received: [],
    lastHeaders: {},
    connections: () => new Promise((resolve) => server.getConnections((_error, count) => resolve(count))),
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
  return upstream;
}

async function play(script: Script, response: ServerResponse): Promise<void> {
  switch (script.kind) {
    case 'hang':
      return;
    case 'hold':
      await script.until;
      return play(script.script, response);
    case 'reset':
      response.writeHead(200, { 'content-type': 'application/json' });
      response.write('{', () => response.socket?.resetAndDestroy());
      return;
    case 'respond': {
      const { status, headers, body } = script;
      response.writeHead(status, headers);
      for (const piece of pieces(body)) {
        if (response.destroyed) return;
        if (!response.write(piece)) await writable(response);
      }
      // A length that is longer than the body is a lie to play, and Node would hold it back from the wire.
      if (headers['content-length'] === undefined) response.end();
      else response.write('', () => response.socket?.end());
      return;
    }
    default:
      script satisfies never;
  }
}

const PIECE_CHARS = 65_536;

function* pieces(body: readonly (BodyPart | Buffer)[]): Generator<string | Buffer> {
  for (const part of body) {
    if (typeof part === 'string' || Buffer.isBuffer(part)) {
      if (part.length > 0) yield part;
      continue;
    }
    const perPiece = Math.max(1, Math.floor(PIECE_CHARS / part.text.length));
    for (let left = part.times; left > 0; left -= perPiece) yield part.text.repeat(Math.min(left, perPiece));
  }
}

/** Or gone: the reader may end the connection while it waits. */
function writable(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      response.off('drain', done);
      response.off('close', done);
      resolve();
    };
    response.on('drain', done);
    response.on('close', done);
  });
}
