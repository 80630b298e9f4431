// A client as the contract wants it: keeps the cursor of the last event, and comes back with it wherever it can.
import { delay } from '@weft/core/deadline';
import { WebSocket } from 'ws';
import type { ClientRecord } from './check.ts';
import { TICKS } from './ticks.ts';

export interface ResumingClient extends ClientRecord {
  /** Of the last event or gap. */
  readonly cursor: string | undefined;
  readonly reconnects: number;
  /** The longest time from a lost connection to the next event, in milliseconds. */
  readonly awayMsMax: number;
  stop(): Promise<void>;
}

interface Noted {
  numbers: number[];
  gaps: string[];
  errors: string[];
  cursor: string | undefined;
  reconnects: number;
  lostAtMs: number | undefined;
  awayMsMax: number;
}

interface Result {
  readonly data?: {
    readonly tick: {
      readonly cursor: string;
      readonly gap: unknown;
      readonly n: number;
      readonly thing: { readonly title: string | null } | null;
    } | null;
  } | null;
  readonly errors?: readonly { readonly extensions?: { readonly code?: string } }[];
}

const BACK_OFF_MS_MIN = 50;
const BACK_OFF_MS_MAX = 2_000;
/** A socket on which nothing happens for so long is given up: a gateway pings every ten seconds. */
const SILENT_MS_MAX = 25_000;

/** @param urls of the gateways: the next one is tried when one fails */
export function startResumingClient(
  client: number,
  urls: readonly string[],
  random: () => number,
): ResumingClient {
  const noted: Noted = {
    numbers: [],
    gaps: [],
    errors: [],
    cursor: undefined,
    reconnects: 0,
    lostAtMs: undefined,
    awayMsMax: 0,
  };
  const stopping = new AbortController();
  const running = run(client, urls, noted, random, stopping.signal);
  return {
    client,
    get numbers() {
      return noted.numbers;
    },
    get gaps() {
      return noted.gaps;
    },
    get errors() {
      return noted.errors;
    },
    get cursor() {
      return noted.cursor;
    },
    get reconnects() {
      return noted.reconnects;
    },
    get awayMsMax() {
      return noted.awayMsMax;
    },
    async stop() {
      stopping.abort();
      await running;
    },
  };
}

async function run(
  client: number,
  urls: readonly string[],
  noted: Noted,
  random: () => number,
  signal: AbortSignal,
): Promise<void> {
  let backOffMs = BACK_OFF_MS_MIN;
  for (let turn = client; !signal.aborted; turn += 1) {
    const before = noted.numbers.length;
    await connectOnce(urls[turn % urls.length] ?? '', noted, signal);
    if (signal.aborted) return;
    noted.reconnects += 1;
    noted.lostAtMs ??= performance.now();
    backOffMs = noted.numbers.length > before ? BACK_OFF_MS_MIN : Math.min(backOffMs * 2, BACK_OFF_MS_MAX);
    await delay(backOffMs * (0.5 + random()), signal).catch(() => undefined);
  }
}

/** Resolves when the socket has closed, for whatever reason. */
function connectOnce(url: string, noted: Noted, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const socket = new WebSocket(url, ['graphql-transport-ws']);
    const send = (message: object) => socket.send(JSON.stringify(message));
    const giveUp = () => socket.terminate();
    let silence = setTimeout(giveUp, SILENT_MS_MAX);
    const heard = () => {
      clearTimeout(silence);
      silence = setTimeout(giveUp, SILENT_MS_MAX);
    };
    signal.addEventListener('abort', giveUp, { once: true });
    socket.on('open', () => send({ type: 'connection_init' }));
    socket.on('ping', heard);
    socket.on('message', (data) => {
      heard();
      const message = JSON.parse(String(data));
      const variables = noted.cursor === undefined ? {} : { after: noted.cursor };
      if (message.type === 'connection_ack')
        send({ id: '1', type: 'subscribe', payload: { query: TICKS, variables } });
      else if (message.type === 'next') note(noted, message.payload);
      else if (message.type === 'error') {
        noteError(noted, message.payload);
        giveUp();
      } else if (message.type === 'complete') giveUp();
    });
    // The close that follows is what counts.
    socket.on('error', () => undefined);
    socket.once('close', () => {
      clearTimeout(silence);
      signal.removeEventListener('abort', giveUp);
      resolve();
    });
  });
}

function note(noted: Noted, { data, errors }: Result): void {
  const tick = data?.tick;
  // The things are served by this very process: that they are late on a busy machine is told, and no fault.
  const faults = errors?.filter(({ extensions }) => extensions?.code !== 'DEADLINE_EXCEEDED') ?? [];
  if (faults.length > 0) noted.errors.push(JSON.stringify(faults));
  if (tick === undefined || tick === null) return;
  noted.cursor = tick.cursor;
  if (noted.lostAtMs !== undefined)
    noted.awayMsMax = Math.max(noted.awayMsMax, performance.now() - noted.lostAtMs);
  noted.lostAtMs = undefined;
  if (tick.gap !== null) noted.gaps.push(JSON.stringify(tick.gap));
  else noted.numbers.push(tick.n);
  if (tick.gap === null && tick.thing?.title === undefined) noted.errors.push(`${tick.n} has no thing`);
}

/** A store that is away for the moment ends a subscription, and the client comes again; anything else is a fault. */
function noteError(
  noted: Noted,
  errors: readonly { readonly extensions?: { readonly code?: string } }[],
): void {
  const [first] = errors;
  const code = first?.extensions?.code;
  if (code !== 'STORE_UNAVAILABLE' && code !== 'CANCELLED') noted.errors.push(JSON.stringify(errors));
}
