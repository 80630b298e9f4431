// Sends bytes as they are told, over node:http or a bare socket, and tells what came and when.
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { connect, type Socket } from 'node:net';

const ANSWER_MS_MAX = 60_000;

export interface RawAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly ms: number;
}

export interface RawRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer | undefined;
}

/** A server that answers before the request is whole, and closes, has answered. */
export function sendRequest(origin: string, { method, path, headers, body }: RawRequest): Promise<RawAnswer> {
  const startedAt = performance.now();
  return new Promise((resolve, reject) => {
    const sized =
      body === undefined ? headers : { ...headers, 'content-length': String(Buffer.byteLength(body)) };
    const request = httpRequest(`${origin}${path}`, { method, headers: sized, agent: false });
    let answered = false;
    request.setTimeout(ANSWER_MS_MAX, () => request.destroy(new Error('no answer')));
    request.on('response', (response) => {
      answered = true;
      const chunks: Buffer[] = [];
      const end = () => {
        const text = Buffer.concat(chunks).toString();
        const ms = performance.now() - startedAt;
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text, ms });
      };
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.once('end', end);
      response.once('error', end);
    });
    request.on('error', (error) => {
      if (!answered) reject(error);
    });
    request.end(body);
  });
}

export interface Conversation {
  readonly text: string;
  /** From the connection to its end. */
  readonly closedAfterMs: number;
}

export interface Drip {
  readonly s: string;
  readonly everyMs: number;
  readonly forMs: number;
}

/** Writes, then drips, and listens until the server closes; at `waitMs` it closes by itself. */
export function converse(
  origin: string,
  raw: string,
  drip: Drip | undefined,
  waitMs: number,
): Promise<Conversation> {
  const { hostname, port } = new URL(origin);
  const startedAt = performance.now();
  return new Promise((resolve) => {
    const socket: Socket = connect(Number(port), hostname);
    let text = '';
    const timer = setTimeout(() => socket.destroy(), waitMs);
    const dripping =
      drip === undefined
        ? undefined
        : setInterval(() => socket.writable && socket.write(drip.s), drip.everyMs);
    socket.on('connect', () => socket.write(raw));
    socket.on('data', (chunk) => {
      text += String(chunk);
    });
    // What was answered before a reset is what counts.
    socket.on('error', () => undefined);
    socket.once('close', () => {
      clearTimeout(timer);
      clearInterval(dripping);
      resolve({ text, closedAfterMs: performance.now() - startedAt });
    });
  });
}
