// The HTTP server of a simulated system: its own interface, disturbed by faults, beside an undisturbed control.
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { decodeFaults, type FaultSwitches, type Faults, NO_FAULTS } from './faults.ts';
import { type LoadMeter, openLoadMeter } from './load-meter.ts';

export interface WebRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  /** The query as it came, without `?`. */
  readonly search: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface WebAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export interface WebServerOptions {
  /** 0 takes a free one. Bound to 127.0.0.1 only. */
  readonly port: number;
  readonly switches: FaultSwitches;
  /** Called after the switches changed; the change is answered when it is done. */
  readonly onFaults?: (faults: Faults) => Promise<void>;
  /** The old system's own interface. */
  readonly api: (request: WebRequest) => WebAnswer;
  /** Called when an answer of `api` has left, or will never. */
  readonly onAnswered?: (request: WebRequest) => void;
  /** What the garbage switch answers instead of `answer`. */
  readonly garble: (answer: WebAnswer, faults: Faults) => WebAnswer;
  /** Everything below `/_control/` but the faults; undefined is 404. What it throws as TypeError is 400. */
  readonly control: (request: WebRequest) => Promise<WebAnswer | undefined> | WebAnswer | undefined;
}

export interface WebServer {
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  /** What its own interface was asked. */
  readonly load: LoadMeter;
  /** Cuts every connection and frees the port. */
  close(): Promise<void>;
}

const BODY_BYTES_MAX = 16_000_000;
const CONTROL_PREFIX = '/_control/';

export async function startWebServer(options: WebServerOptions): Promise<WebServer> {
  const stopping = new AbortController();
  const load = openLoadMeter();
  const server = createServer((request, response) => {
    serve(request, response, options, { stopping: stopping.signal, load }).catch((thrown: unknown) => {
      if (response.headersSent || response.destroyed) response.destroy();
      else send(response, json(500, { error: String(thrown) }));
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, '127.0.0.1', resolve);
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const close = () =>
    new Promise<void>((resolve) => {
      stopping.abort();
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { url, load, close };
}

/** An answer in JSON. */
export function json(status: number, value: unknown): WebAnswer {
  return {
    status,
    headers: { 'content-type': 'application/json; charset=utf-8' },
    body: Buffer.from(JSON.stringify(value)),
  };
}

/** The body as JSON; throws TypeError when it is none. */
export function decodeJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    throw new TypeError('the body is not JSON');
  }
}

/** A list, or a single thing as a list of one; at most `countMax`. */
export function decodeList(value: unknown, countMax: number): readonly unknown[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (list.length > countMax) throw new TypeError(`at most ${countMax} at once, got ${list.length}`);
  return list;
}

async function serve(
  incoming: IncomingMessage,
  response: ServerResponse,
  options: WebServerOptions,
  { stopping, load }: { readonly stopping: AbortSignal; readonly load: LoadMeter },
): Promise<void> {
  const url = new URL(incoming.url ?? '/', 'http://localhost');
  const request: WebRequest = {
    method: incoming.method ?? 'GET',
    path: url.pathname,
    query: url.searchParams,
    search: rawQuery(incoming.url ?? ''),
    headers: incoming.headers,
    body: await readBody(incoming),
  };
  if (url.pathname.startsWith(CONTROL_PREFIX))
    return send(response, await answerControl(request, options, load));
  const faults = options.switches.current;
  load.begin();
  let answer: WebAnswer;
  try {
    answer = options.api(request);
    response.once('close', () => options.onAnswered?.(request));
    if (faults.latencyMs > 0) await delay(faults.latencyMs, undefined, { signal: stopping });
  } finally {
    load.end();
  }
  if (faults.refuse) {
    incoming.socket.resetAndDestroy();
    return;
  }
  const seen = faults.garbage === false ? answer : options.garble(answer, faults);
  if (faults.half) sendHalf(response, seen);
  else send(response, seen);
}

function rawQuery(target: string): string {
  const mark = target.indexOf('?');
  return mark === -1 ? '' : target.slice(mark + 1);
}

async function answerControl(
  request: WebRequest,
  options: WebServerOptions,
  load: LoadMeter,
): Promise<WebAnswer> {
  try {
    if (request.path === `${CONTROL_PREFIX}faults`) return await answerFaults(request, options);
    if (request.path === `${CONTROL_PREFIX}load`) return answerLoad(request, load);
    return (
      (await options.control(request)) ?? json(404, { error: `nothing at ${request.method} ${request.path}` })
    );
  } catch (thrown) {
    if (thrown instanceof TypeError) return json(400, { error: thrown.message });
    throw thrown;
  }
}

/** DELETE begins to count anew. */
function answerLoad(request: WebRequest, load: LoadMeter): WebAnswer {
  const answer = json(200, load.read());
  if (request.method === 'DELETE') load.reset();
  return answer;
}

async function answerFaults(request: WebRequest, options: WebServerOptions): Promise<WebAnswer> {
  if (request.method === 'POST' || request.method === 'DELETE') {
    const faults = request.method === 'POST' ? decodeFaults(decodeJson(request.body)) : NO_FAULTS;
    options.switches.current = faults;
    await options.onFaults?.(faults);
  }
  return json(200, options.switches.current);
}

async function readBody(incoming: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of incoming) {
    bytes += (chunk as Buffer).length;
    if (bytes > BODY_BYTES_MAX) throw new RangeError(`a body is at most ${BODY_BYTES_MAX} bytes`);
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks);
}

function send(response: ServerResponse, answer: WebAnswer): void {
  response.writeHead(answer.status, { ...answer.headers, 'content-length': answer.body.length });
  response.end(answer.body);
}

function sendHalf(response: ServerResponse, answer: WebAnswer): void {
  response.writeHead(answer.status, { ...answer.headers, 'content-length': answer.body.length });
  response.write(answer.body.subarray(0, Math.floor(answer.body.length / 2)), () =>
    response.socket?.destroy(),
  );
}
