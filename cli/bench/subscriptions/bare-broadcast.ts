// The limit of fan-out on Node: a bare `ws` server that sends each event's ready text to all. Usage: node bare-broadcast.ts PORT send|frame
// With DATABASE_URL the events are not its own: they come from the outbox, by their announcements.
import { createServer } from 'node:http';
import type { Socket } from 'node:net';
import { runProcess } from '@weft/core/process';
import type { CloudEvent } from '@weft/events/envelope';
import { parseAnnouncement } from '@weft/events/postgres/announcement';
import { NOTIFY_CHANNEL } from '@weft/events/postgres/appender';
import pg from 'pg';
import { type WebSocket, WebSocketServer } from 'ws';
import { PRODUCTS, USERS } from '../workload/data.ts';
import { answerQuestions } from './control.ts';
import { fromCloudEvent, type LiveEvent, liveEvent } from './events.ts';
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
  const connectionString = process.env.DATABASE_URL;
  const outbox = connectionString === undefined ? undefined : await follow(connectionString);
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
      await outbox?.end();
    },
  };
});

/** What a program could do that loses events and knows no order: it hands on what is announced, and asks where only the topic is. */
async function follow(connectionString: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  const hand = (envelope: string) => send(fromCloudEvent(JSON.parse(envelope) as CloudEvent));
  client.on('notification', ({ payload = '' }) => {
    const { topic, told } = parseAnnouncement(payload);
    if (told !== undefined) hand(told.envelope);
    else
      void client
        .query<{ envelope: string }>(LATEST, [topic])
        .then(({ rows }) => rows[0] && hand(rows[0].envelope));
  });
  await client.query(`LISTEN ${NOTIFY_CHANNEL}`);
  return client;
}

const LATEST = 'SELECT envelope::text FROM events.event WHERE topic = $1 ORDER BY tx DESC, seq DESC LIMIT 1';

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
