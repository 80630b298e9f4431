// A raw client of live streams over HTTP: asks, and hands out what comes piece by piece.
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';

const DEADLINE_MS = 30_000;

export interface StreamRequest {
  readonly url: string;
  /** GET with the body's members in the query string; default POST. */
  readonly method?: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly query: string;
  readonly variables?: Readonly<Record<string, unknown>>;
}

export interface StreamClient {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly response: IncomingMessage;
  /** All that came. */
  text(): string;
  /** The text up to the separator, without it; fails when it does not come in time or the stream ends first. */
  upTo(separator: string): Promise<string>;
  /** Resolves when the server has ended the stream; with whether it was whole. */
  readonly ended: Promise<boolean>;
  close(): void;
}

/** Opens a stream, or gets a refusal; either way the head is there. */
export function openStream({ url, method = 'POST', headers = {}, query, variables = {} }: StreamRequest) {
  const address = new URL(url);
  if (method === 'GET') {
    address.searchParams.set('query', query);
    address.searchParams.set('variables', JSON.stringify(variables));
  }
  const type = method === 'POST' ? { 'content-type': 'application/json' } : {};
  const body = method === 'POST' ? JSON.stringify({ query, variables }) : undefined;
  const all = { accept: 'text/event-stream', ...type, ...headers };
  return new Promise<StreamClient>((resolve, reject) => {
    const request = httpRequest(address, { method, headers: all, agent: false }, (response) =>
      resolve(clientOf(request, response)),
    );
    request.on('error', reject);
    request.setTimeout(DEADLINE_MS, () => request.destroy(new Error('no answer')));
    request.end(body);
  });
}

function clientOf(request: ClientRequest, response: IncomingMessage): StreamClient {
  request.setTimeout(0);
  let all = '';
  let taken = 0;
  let isOver = false;
  let changed = Promise.withResolvers<void>();
  const tell = () => {
    changed.resolve();
    changed = Promise.withResolvers();
  };
  response.setEncoding('utf8').on('data', (chunk: string) => {
    all += chunk;
    tell();
  });
  const ended = new Promise<boolean>((resolve) => {
    response.once('close', () => {
      isOver = true;
      tell();
      resolve(response.complete);
    });
  });
  response.on('error', () => undefined);
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    response,
    text: () => all,
    get ended() {
      return withDeadline(ended, () => 'the end of the stream');
    },
    async upTo(separator) {
      for (;;) {
        const at = all.indexOf(separator, taken);
        if (at !== -1) {
          const piece = all.slice(taken, at);
          taken = at + separator.length;
          return piece;
        }
        if (isOver) throw new Error(`the stream ended; it had brought ${JSON.stringify(all.slice(taken))}`);
        await withDeadline(
          changed.promise,
          () => `${JSON.stringify(separator)} behind ${JSON.stringify(all.slice(-300))}`,
        );
      }
    },
    close: () => request.destroy(),
  };
}

export interface ServerSentEvent {
  readonly event: string;
  readonly id: string | undefined;
  readonly data: string;
}

/** The next event, comments left out (https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation). */
export async function nextEvent(client: StreamClient): Promise<ServerSentEvent> {
  const until = performance.now() + DEADLINE_MS;
  for (;;) {
    if (performance.now() > until) throw new Error(`nothing but comments came for ${DEADLINE_MS} ms`);
    const block = await client.upTo('\n\n');
    const fields = block.split('\n').map((line) => /^([^:]*): ?(.*)$/s.exec(line)?.slice(1) ?? [line, '']);
    const all = (name: string) => fields.filter(([field]) => field === name).map(([, value]) => value ?? '');
    if (all('event').length > 0 || all('data').length > 0)
      return { event: all('event').at(-1) ?? '', id: all('id').at(-1), data: all('data').join('\n') };
  }
}

/** The JSON of the next part that is no heartbeat, of a multipart answer whose begin was taken. */
export async function nextPart(client: StreamClient, boundary = '\r\n--graphql'): Promise<unknown> {
  for (;;) {
    const part = await client.upTo(boundary);
    const body = part.slice(part.indexOf('\r\n\r\n') + 4);
    if (part.trim() !== '' && body !== '{}') return JSON.parse(body);
  }
}

function withDeadline<Value>(promise: Promise<Value>, what: () => string): Promise<Value> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`waited in vain for ${what()}`)), DEADLINE_MS).unref();
  const raced = Promise.race([promise, late.promise]).finally(() => clearTimeout(timer));
  // Whoever awaits it is told; that nobody may is no failure.
  raced.catch(() => undefined);
  return raced;
}
