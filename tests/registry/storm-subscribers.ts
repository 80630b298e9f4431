// Many live subscriptions, each on a socket of its own: what each was sent, and how it ended.
import { WebSocket } from 'ws';

const SUBPROTOCOL = 'graphql-transport-ws';
const CONNECT_MS_MAX = 60_000;
/** Handshakes that are under way at once. */
const CONNECTING_MAX = 50;

export interface Subscriber<Event> {
  readonly query: string;
  /** As they came. */
  readonly events: Event[];
  /** Results that had errors. */
  errors: number;
  /** Code of the error that ended the operation. */
  endedWith: string | undefined;
  /** Of a socket that was closed by the gateway. */
  closeCode: number | undefined;
}

export interface Subscribers<Event> {
  readonly all: readonly Subscriber<Event>[];
  close(): void;
}

export interface Wanted {
  /** Of the WebSocket. */
  readonly url: string;
  readonly query: string;
}

/**
 * Resolves when every socket has acknowledged and was sent its `subscribe`.
 * @param eventOf the event of a result's `data`
 */
export async function openSubscribers<Event>(
  wanted: readonly Wanted[],
  eventOf: (data: unknown) => Event,
): Promise<Subscribers<Event>> {
  const all: Subscriber<Event>[] = [];
  const sockets: WebSocket[] = [];
  let isClosing = false;
  const open = async ({ url, query }: Wanted) => {
    const subscriber: Subscriber<Event> = {
      query,
      events: [],
      errors: 0,
      endedWith: undefined,
      closeCode: undefined,
    };
    all.push(subscriber);
    const socket = new WebSocket(url, [SUBPROTOCOL], { perMessageDeflate: false });
    sockets.push(socket);
    await acknowledged(socket);
    socket.on('message', (data) => take(subscriber, String(data), eventOf));
    socket.on('close', (code) => {
      if (!isClosing) subscriber.closeCode = code;
    });
    socket.send(JSON.stringify({ id: 's', type: 'subscribe', payload: { query } }));
  };
  for (let from = 0; from < wanted.length; from += CONNECTING_MAX)
    await Promise.all(wanted.slice(from, from + CONNECTING_MAX).map(open));
  return {
    all,
    close() {
      isClosing = true;
      for (const socket of sockets) socket.terminate();
    },
  };
}

function acknowledged(socket: WebSocket): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('a socket was not acknowledged')), CONNECT_MS_MAX);
    socket.once('open', () => socket.send('{"type":"connection_init"}'));
    socket.once('message', () => {
      clearTimeout(timer);
      resolve();
    });
    socket.on('error', reject);
  });
}

interface Message {
  readonly type: string;
  readonly payload?: unknown;
}

function take<Event>(subscriber: Subscriber<Event>, text: string, eventOf: (data: unknown) => Event): void {
  const { type, payload } = JSON.parse(text) as Message;
  if (type === 'next') {
    const { data, errors } = payload as { readonly data?: unknown; readonly errors?: readonly unknown[] };
    if (errors !== undefined) subscriber.errors += 1;
    subscriber.events.push(eventOf(data));
  } else if (type === 'error') {
    const [error] = payload as readonly { readonly extensions: { readonly code: string } }[];
    subscriber.endedWith = error?.extensions.code ?? 'an error without a code';
  } else if (type === 'complete') subscriber.endedWith = 'completed';
}
