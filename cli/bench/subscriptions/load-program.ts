// The program with the clients: thousands of sockets in one process, asked by the bench what has reached them.
import { runProcess } from '@weft/core/process';
import { answerQuestions } from './control.ts';
import { connectLoadClient, type LoadClient, type OtherMessages } from './load-client.ts';
import type { SubscribePayload } from './operations.ts';
import { createRecorder, type Recorder } from './recorder.ts';

/** `connect`: opens the sockets; client `i` begins `operationsPerClient` operations, the payloads in turn. */
export interface ConnectQuestion {
  readonly url: string;
  readonly clients: number;
  readonly operationsPerClient: number;
  readonly payloads: readonly SubscribePayload[];
}

/** `begin`: counts from this event on. */
export interface BeginQuestion {
  readonly firstSeq: number;
  readonly deliveriesMax: number;
}

/** `subscribe` and `complete`: operations `first` to `first + count - 1`, spread over the clients. */
export interface OperationsQuestion {
  readonly first: number;
  readonly count: number;
  readonly payload: SubscribePayload;
}

/** Answer to `progress`. */
export interface Progress {
  readonly reached: number;
  readonly delivered: number;
  /** Sockets that were closed on a client. */
  readonly closed: number;
}

/** Answer to `finish`. */
export interface LoadFigures extends Progress {
  readonly duplicates: number;
  readonly misordered: number;
  /** NaN when nothing was delivered. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** From when the events were due rather than emitted. */
  readonly dueP99Ms: number;
  readonly stampGapsMs: readonly number[];
  /** CLOCK_MONOTONIC in ns. */
  readonly lastAtNs: number;
  readonly sample: string;
  readonly others: OtherMessages;
  /** Processor time of this process since `begin`. */
  readonly cpuMs: number;
}

/** Handshakes that are under way at once. */
const CONNECTING_MAX = 50;
const READ_BUFFER_BYTES = 256 * 1_024;

let clients: LoadClient[] = [];
let recorder: Recorder = createRecorder(0);
let others: OtherMessages = { counts: {}, samples: [] };
let closed = 0;
let cpuStart = process.cpuUsage();

await runProcess('bench load', async () => {
  answerQuestions({ connect: connectAll, begin, progress, finish, subscribe, complete });
  return {
    urls: {},
    async close() {
      for (const client of clients) client.destroy();
    },
  };
});

async function connectAll(question: ConnectQuestion): Promise<number> {
  const { payloads, operationsPerClient } = question;
  const url = new URL(question.url);
  recorder = createRecorder(question.clients);
  others = { counts: {}, samples: [] };
  const readBuffer = Buffer.allocUnsafe(READ_BUFFER_BYTES);
  const onClose = () => {
    closed += 1;
  };
  let next = 0;
  const work = async () => {
    while (next < question.clients) {
      const client = next++;
      const opened = await connectLoadClient({ url, client, recorder, others, readBuffer, onClose });
      clients.push(opened);
      for (let n = 0; n < operationsPerClient; n++) {
        const payload = payloads[(client * operationsPerClient + n) % payloads.length];
        opened.send({
          id: operationsPerClient === 1 ? `${client}` : `${client}-${n}`,
          type: 'subscribe',
          payload,
        });
      }
    }
  };
  clients = [];
  await Promise.all(Array.from({ length: CONNECTING_MAX }, work));
  return clients.length;
}

function begin({ firstSeq, deliveriesMax }: BeginQuestion): void {
  recorder.begin(firstSeq, deliveriesMax);
  cpuStart = process.cpuUsage();
}

function progress(): Progress {
  return { reached: recorder.reached, delivered: recorder.delivered, closed };
}

function finish(): LoadFigures {
  const { user, system } = process.cpuUsage(cpuStart);
  const { delaysMs, dueDelaysMs, ...counted } = recorder.read();
  const sorted = delaysMs.slice().sort();
  const dueSorted = dueDelaysMs.slice().sort();
  const at = (share: number, of = sorted) =>
    of[Math.min(of.length - 1, Math.floor(share * of.length))] ?? Number.NaN;
  return {
    ...progress(),
    ...counted,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    maxMs: at(1),
    dueP99Ms: at(0.99, dueSorted),
    others,
    cpuMs: (user + system) / 1_000,
  };
}

function subscribe(question: OperationsQuestion): void {
  const { payload } = question;
  forOperations(question, (client, id) => client.send({ id, type: 'subscribe', payload }));
}

function complete(question: OperationsQuestion): void {
  forOperations(question, (client, id) => client.send({ id, type: 'complete' }));
}

function forOperations(
  { first, count }: OperationsQuestion,
  act: (client: LoadClient, id: string) => void,
): void {
  for (let n = first; n < first + count; n++) {
    const client = clients[n % clients.length];
    if (client !== undefined) act(client, `more-${n}`);
  }
}
