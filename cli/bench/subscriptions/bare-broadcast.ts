// The limit of fan-out on Node: a bare `ws` server that sends each event's ready text to all. Usage: node bare-broadcast.ts PORT send|frame
import { createServer } from 'node:http';
import type { Socket } from 'node:net';
import { runProcess } from '@weft/core/process';
import { type WebSocket, WebSocketServer } from 'ws';
import { PRODUCTS, USERS } from '../workload/data.ts';
import { answerQuestions } from './control.ts';
import { type LiveEvent, liveEvent } from './events.ts';
import { serverFrame } from './frames.ts';
import { type Emission, emitSteadily } from './pace.ts';

/** As long as one of Weft's, so that all rows move about as many bytes. */
const CURSOR = 'c'.repeat(100);

const [port = '0', mode = 'send'] = process.argv.slice(2);

/** By the division that was asked for; all that asked for none stand under ''. */
const clients = new Map<string, Set<WebSocket>>();

await runProcess('bench broadcast', async () => {
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'application/json');
    response.end('{"data":{}}');
  });
  const sockets = new WebSocketServer({
    server,
    perMessageDeflate: false,
    handleProtocols: () => 'graphql-transport-ws',
  });
  sockets.on('connection', serve);
  await new Promise<void>((resolve) => server.listen(Number(port), '127.0.0.1', resolve));
  answerQuestions({
    emit: (emission: Emission) =>
      emitSteadily(emission, (seq, lateMs) => send(liveEvent(seq, emission.groups, lateMs))),
  });
  return {
    urls: { graphql: `http://127.0.0.1:${port}/graphql` },
    async close() {
      for (const socket of sockets.clients) socket.terminate();
      server.close();
    },
  };
});

interface Message {
  readonly type: string;
  readonly payload?: { readonly variables?: { readonly division?: string } };
}

function serve(socket: WebSocket): void {
  let joined: Set<WebSocket> | undefined;
  socket.on('error', () => socket.terminate());
  socket.on('message', (data) => {
    const { type, payload } = JSON.parse(String(data)) as Message;
    if (type === 'connection_init') socket.send('{"type":"connection_ack"}');
    if (type !== 'subscribe') return;
    const division = payload?.variables?.division ?? '';
    joined = clients.get(division) ?? new Set();
    clients.set(division, joined);
    joined.add(socket);
  });
  socket.on('close', () => joined?.delete(socket));
}

function send(event: LiveEvent): void {
  const text = textOf(event);
  for (const group of [clients.get(''), clients.get(event.division)]) {
    if (group === undefined) continue;
    if (mode === 'frame') writeFrame(group, text);
    else for (const socket of group) socket.send(text);
  }
}

/** What a gateway sends, ready. */
function textOf({ id, upc, authorId }: LiveEvent): string {
  const product = PRODUCTS.find((candidate) => candidate.upc === upc);
  const author = USERS.find((candidate) => candidate.id === authorId);
  const reviewAdded = {
    cursor: CURSOR,
    id,
    product: { upc, name: product?.name, price: product?.price },
    author: { name: author?.name },
  };
  return JSON.stringify({ id: '1', type: 'next', payload: { data: { reviewAdded } } });
}

/** One frame for all, behind the back of `ws`: what a server could do at all. */
function writeFrame(group: ReadonlySet<WebSocket>, text: string): void {
  const frame = serverFrame(text);
  for (const socket of group) (socket as unknown as { readonly _socket: Socket })._socket.write(frame);
}
