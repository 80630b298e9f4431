// The program with the clients that stop reading: it notes what every operation of theirs had, and brings them back by their cursors.
import { deadlineSignal, delay } from '@weft/core/deadline';
import { HubError } from '@weft/core/errors';
import { runProcess } from '@weft/core/process';
import { WebSocket } from 'ws';
import { answerQuestions } from './control.ts';
import { STAMP_MARK } from './events.ts';

/** `connect`: opens the sockets, each with so many operations. */
export interface SlowConnectQuestion {
  readonly url: string;
  readonly sockets: number;
  readonly operationsPerSocket: number;
}

/** Answer to `look`. */
export interface SlowProgress {
  /** Operations that ever had an event. */
  readonly reached: number;
  /** Of the operation that is furthest behind. */
  readonly lastSeqMin: number;
  readonly lost: number;
  readonly doubled: number;
}

/** Answer to `resume`: what was found when the sockets were read again. */
export interface SlowEnd {
  /** Sockets by the code that they were closed with. */
  readonly closes: Readonly<Record<string, number>>;
  /** Operations that were told their gap, by its reason. */
  readonly gaps: Readonly<Record<string, number>>;
  /** Operations that ended with an error, by its code. */
  readonly errors: Readonly<Record<string, number>>;
}

interface Operation {
  cursor: string | undefined;
  lastSeq: number;
  lost: number;
  doubled: number;
  gap: string | undefined;
  error: string | undefined;
}

interface Client {
  readonly operations: readonly Operation[];
  socket: WebSocket;
  closeCode: number | undefined;
}

interface Message {
  readonly type: string;
  readonly id?: string;
  readonly payload?: {
    readonly data?: {
      readonly reviewAdded: {
        readonly cursor: string;
        readonly gap: { readonly reason: string } | null;
        readonly id: string | null;
      } | null;
    } | null;
    readonly [index: number]: { readonly extensions?: { readonly code?: string } } | undefined;
  };
}

const DOCUMENT = `subscription OnReview($after: Cursor) {
  reviewAdded(after: $after) { cursor gap { reason } id body product { upc name price } author { name } }
}`;
const CLOSED_MS_MAX = 30_000;
const CLOSED_POLL_MS = 20;

let url = '';
let clients: Client[] = [];

await runProcess('bench slow clients', async () => {
  answerQuestions({ connect, look, stop, resume, comeBack, leave });
  return {
    urls: {},
    async close() {
      for (const { socket } of clients) socket.terminate();
    },
  };
});

async function connect(question: SlowConnectQuestion): Promise<void> {
  url = question.url;
  clients = Array.from({ length: question.sockets }, () => {
    const operations = Array.from({ length: question.operationsPerSocket }, newOperation);
    return { operations, socket: open(operations), closeCode: undefined };
  });
  for (const client of clients) watchClose(client);
}

function newOperation(): Operation {
  return { cursor: undefined, lastSeq: -1, lost: 0, doubled: 0, gap: undefined, error: undefined };
}

function open(operations: readonly Operation[]): WebSocket {
  const socket = new WebSocket(url, ['graphql-transport-ws']);
  const send = (message: object) => socket.send(JSON.stringify(message));
  socket.on('open', () => send({ type: 'connection_init' }));
  socket.on('message', (data) => {
    const message = JSON.parse(String(data)) as Message;
    if (message.type !== 'connection_ack') return note(operations, message);
    for (const [id, { cursor }] of operations.entries()) {
      const variables = cursor === undefined ? {} : { after: cursor };
      send({ id: String(id), type: 'subscribe', payload: { query: DOCUMENT, variables } });
    }
  });
  // The close that follows tells how it ended.
  socket.on('error', () => undefined);
  return socket;
}

function watchClose(client: Client): void {
  client.closeCode = undefined;
  client.socket.once('close', (code) => {
    client.closeCode = code;
  });
}

function note(operations: readonly Operation[], { type, id, payload }: Message): void {
  const operation = operations[Number(id)];
  if (operation === undefined) return;
  if (type === 'error') operation.error = payload?.[0]?.extensions?.code ?? 'none';
  const review = payload?.data?.reviewAdded;
  if (type !== 'next' || review === null || review === undefined) return;
  if (review.gap !== null) {
    operation.gap = review.gap.reason;
    return;
  }
  const seq = Number(review.id?.split(STAMP_MARK)[1]?.split(':')[0]);
  if (operation.lastSeq >= 0 && seq <= operation.lastSeq) operation.doubled += 1;
  else if (operation.lastSeq >= 0) operation.lost += seq - operation.lastSeq - 1;
  operation.lastSeq = Math.max(operation.lastSeq, seq);
  // Of an event, not of a gap: what the gap names is to be had from here.
  operation.cursor = review.cursor;
}

function look(): SlowProgress {
  const all = clients.flatMap(({ operations }) => operations);
  const sum = (of: (operation: Operation) => number) => all.reduce((total, each) => total + of(each), 0);
  return {
    reached: all.filter(({ lastSeq }) => lastSeq >= 0).length,
    lastSeqMin: Math.min(...all.map(({ lastSeq }) => lastSeq)),
    lost: sum(({ lost }) => lost),
    doubled: sum(({ doubled }) => doubled),
  };
}

function stop(): void {
  for (const { socket } of clients) socket.pause();
}

/** Reads what is left, up to the close. */
async function resume(): Promise<SlowEnd> {
  for (const { socket } of clients) socket.resume();
  const signal = deadlineSignal(CLOSED_MS_MAX);
  while (clients.some(({ closeCode }) => closeCode === undefined)) {
    if (signal.aborted)
      throw new HubError('DEADLINE_EXCEEDED', 'a client that stopped reading was not closed');
    await delay(CLOSED_POLL_MS);
  }
  const operations = clients.flatMap((client) => client.operations);
  return {
    closes: countBy(clients.map(({ closeCode }) => String(closeCode))),
    gaps: countBy(operations.map(({ gap }) => gap ?? 'none')),
    errors: countBy(operations.map(({ error }) => error ?? 'none')),
  };
}

function comeBack(): void {
  for (const client of clients) {
    for (const operation of client.operations) Object.assign(operation, { gap: undefined, error: undefined });
    client.socket = open(client.operations);
    watchClose(client);
  }
}

function leave(): void {
  for (const { socket } of clients) socket.close(1000);
}

function countBy(values: readonly string[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1;
  return counts;
}
