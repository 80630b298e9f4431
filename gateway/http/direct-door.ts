// The way past the framework of the requests that a hub is there for: a POST of JSON that is answered with JSON, in one piece.
import type { IncomingHttpHeaders, IncomingMessage, Server, ServerResponse } from 'node:http';
import { HubError } from '@weft/core/errors';
import { borrowAscii } from './body-buffers.ts';
import type { AnswerPost } from './graphql-route.ts';
import type { HttpLimits } from './limits.ts';
import { JSON_RESPONSE } from './media-type.ts';
import { SECURITY_HEADERS } from './pages.ts';
import type { Reply } from './reply.ts';

export interface DirectDoorOptions {
  readonly path: string;
  readonly answer: AnswerPost;
  /** Of a body that breaks off: its client is gone. */
  onBroken(headers: IncomingHttpHeaders, error: HubError): void;
  /** Whether answers ask their clients to come back on another connection. */
  isLeaving(): boolean;
  readonly limits: Pick<HttpLimits, 'headersMax' | 'bodyBytesMax'>;
}

/**
 * Takes what is plain by its head; all else goes to those who listened before. What is refused, it is refused as there: a
 * request that passes here breaks none of their rules.
 */
export function openDirectDoor(server: Server, options: DirectDoorOptions): void {
  const others = server.listeners('request') as ((
    request: IncomingMessage,
    response: ServerResponse,
  ) => void)[];
  server.removeAllListeners('request');
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    if (isPlain(request, options)) answerDirectly(request, response, options);
    else for (const other of others) other(request, response);
  });
}

/** Digits that no number of bytes in memory has more of. */
const LENGTH = /^[1-9][0-9]{0,9}$/;

function isPlain(request: IncomingMessage, { path, limits }: DirectDoorOptions): boolean {
  if (request.method !== 'POST' || request.url !== path) return false;
  const { headers, rawHeaders } = request;
  const { accept, 'content-length': length = '' } = headers;
  return (
    headers['content-type'] === JSON_RESPONSE &&
    (accept === undefined || accept === JSON_RESPONSE || accept === '*/*') &&
    headers['transfer-encoding'] === undefined &&
    headers['content-encoding'] === undefined &&
    // A page of another origin asks: what it may read is said by hooks.
    headers.origin === undefined &&
    rawHeaders.length <= limits.headersMax * 2 &&
    LENGTH.test(length) &&
    Number(length) <= limits.bodyBytesMax
  );
}

/** Node's parser sees to it that so many bytes come as were announced, and in time. */
function answerDirectly(
  request: IncomingMessage,
  response: ServerResponse,
  { answer, onBroken, isLeaving }: DirectDoorOptions,
): void {
  let first: Buffer | undefined;
  let chunks: Buffer[] | undefined;
  let isWhole = false;
  request.on('data', (chunk: Buffer) => {
    if (first === undefined) first = chunk;
    else if (chunks === undefined) chunks = [first, chunk];
    else chunks.push(chunk);
  });
  request.on('end', () => {
    isWhole = true;
    const body = chunks === undefined ? first : Buffer.concat(chunks);
    void answer(request, new DirectReply(request, response, isLeaving), body?.toString('utf8') ?? '');
  });
  request.on('error', (cause) => {
    if (!isWhole) onBroken(request.headers, new HubError('BAD_USER_INPUT', 'The body broke off.', { cause }));
  });
}

const COMMON_HEADERS: readonly string[] = Object.entries(SECURITY_HEADERS).flat();

class DirectReply implements Reply {
  readonly raw: ServerResponse;
  readonly request: IncomingMessage;
  readonly #isLeaving: () => boolean;
  readonly #headers: string[] = [...COMMON_HEADERS];
  #status = 200;

  constructor(request: IncomingMessage, response: ServerResponse, isLeaving: () => boolean) {
    this.request = request;
    this.raw = response;
    this.#isLeaving = isLeaving;
  }

  code(status: number): this {
    this.#status = status;
    return this;
  }

  header(name: string, value: string): this {
    const headers = this.#headers;
    for (let index = COMMON_HEADERS.length; index < headers.length; index += 2) {
      if (headers[index] !== name) continue;
      headers[index + 1] = value;
      return this;
    }
    headers.push(name, value);
    return this;
  }

  headers(headers: Readonly<Record<string, string>>): this {
    for (const name in headers) this.header(name, headers[name] ?? '');
    return this;
  }

  send(body: string | Buffer): this {
    const bytes = typeof body === 'string' ? Buffer.byteLength(body) : body.length;
    this.header('content-length', String(bytes));
    if (this.#isLeaving()) this.header('connection', 'close');
    this.raw.writeHead(this.#status, this.#headers);
    this.#end(body, bytes);
    return this;
  }

  #end(body: string | Buffer, bytes: number): void {
    if (typeof body !== 'string') {
      this.raw.end(body);
      return;
    }
    const borrowed = borrowAscii(body, bytes);
    // Told when the kernel has it; of an answer that broke off never.
    if (borrowed !== undefined) this.raw.end(borrowed.bytes, borrowed.giveBack);
    // Text of ASCII alone is the same bytes in both encodings, and as Latin-1 it is copied rather than encoded.
    else this.raw.end(body, bytes === body.length ? 'latin1' : 'utf8');
  }
}
