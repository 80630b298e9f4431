// An old system that is asked over HTTP: its book, its faults and its counters; a dialect says how it reads and writes.
import { once } from 'node:events';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '@weft/core/process-table';
import iconv from 'iconv-lite';
import type { SuiteFault, SuiteRecord } from '../column.ts';

export interface OldRequest {
  readonly method: string;
  /** Path and query, as they came. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export type Question =
  | { readonly kind: 'area'; readonly area: string }
  | { readonly kind: 'numbers'; readonly numbers: readonly string[] }
  | { readonly kind: 'rename'; readonly id: string; readonly name: string; readonly requestNo: string }
  | { readonly kind: 'renaming'; readonly requestNo: string };

/** Of an answer, field to text, in the order in which the dialect writes them. */
export type Row = Readonly<Record<string, string>>;

export interface Reply {
  readonly status: number;
  readonly contentType: string;
  readonly text: string;
}

/** How an old system speaks. */
export interface Dialect {
  /** As iconv-lite names it. */
  readonly charset: string;
  /** What no credentials are needed for: a token endpoint. */
  readonly open?: (request: OldRequest) => Reply | undefined;
  admits(request: OldRequest): boolean;
  /** The answer to who is not let in. */
  readonly refusal: Reply;
  /** @throws what is not understood, which is answered with 400 */
  read(request: OldRequest, text: string): Question;
  write(question: Question, rows: readonly Row[]): Reply;
  /** Forgets what it has let in: sessions, tokens. */
  expire?(): void;
}

export interface OldSystem {
  readonly url: string;
  put(records: readonly SuiteRecord[]): Promise<void>;
  reads(): Promise<number>;
  concurrentReadsMax(): Promise<number>;
  applied(requestId: string): Promise<number>;
  fault(fault: SuiteFault | undefined): Promise<void>;
  restart(): Promise<void>;
  close(): Promise<void>;
}

const SLOW_MS = 1_500;

interface Book {
  readonly records: Map<string, SuiteRecord>;
  /** Client number to how often it was applied. */
  readonly renames: Map<string, number>;
  fault: SuiteFault | undefined;
  reads: number;
  inWork: number;
  inWorkMax: number;
}

export async function startOldSystem(dialect: Dialect): Promise<OldSystem> {
  const book: Book = {
    records: new Map(),
    renames: new Map(),
    fault: undefined,
    reads: 0,
    inWork: 0,
    inWorkMax: 0,
  };
  // It is started again: a port that no connection out is given meanwhile.
  const port = await freePort();
  let server = await listen(book, dialect, port);
  return {
    url: `http://127.0.0.1:${port}`,
    async put(records) {
      for (const record of records) book.records.set(record.id, record);
    },
    reads: async () => book.reads,
    concurrentReadsMax: async () => book.inWorkMax,
    applied: async (requestId) => book.renames.get(requestId) ?? 0,
    async fault(fault) {
      book.fault = fault;
      if (fault === 'auth expired') dialect.expire?.();
    },
    async restart() {
      await end(server);
      server = await listen(book, dialect, port);
    },
    close: () => end(server),
  };
}

async function listen(book: Book, dialect: Dialect, port: number): Promise<Server> {
  const server = createServer((incoming, response) => {
    serve(book, dialect, incoming, response).catch(() => response.destroy());
  });
  await once(server.listen(port, '127.0.0.1'), 'listening');
  return server;
}

function end(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

async function serve(
  book: Book,
  dialect: Dialect,
  incoming: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const { method = '', url = '', headers } = incoming;
  const request: OldRequest = { method, url, headers, body: Buffer.concat(chunks) };
  const opened = dialect.open?.(request);
  if (opened !== undefined) return send(response, opened, 'utf-8');
  if (book.fault === 'auth expired' || !dialect.admits(request))
    return send(response, dialect.refusal, dialect.charset);
  const question = dialect.read(request, iconv.decode(request.body, dialect.charset));
  if (question.kind === 'rename') return rename(book, dialect, question, incoming, response);
  book.reads += 1;
  book.inWork += 1;
  book.inWorkMax = Math.max(book.inWorkMax, book.inWork);
  try {
    if (book.fault === 'slow') await delay(SLOW_MS);
    if (book.fault === 'reset') return void incoming.socket.resetAndDestroy();
    const reply = dialect.write(question, rowsOf(book, question));
    if (book.fault === 'half body') sendHalf(response, reply, dialect.charset);
    else if (book.fault === 'wrong charset') sendForeign(response, reply);
    else send(response, reply, dialect.charset);
  } finally {
    book.inWork -= 1;
  }
}

function rename(
  book: Book,
  dialect: Dialect,
  question: Question & { readonly kind: 'rename' },
  incoming: IncomingMessage,
  response: ServerResponse,
): void {
  const { id, name, requestNo } = question;
  const record = book.records.get(id);
  if (record !== undefined) book.records.set(id, { ...record, name, version: record.version + 1 });
  book.renames.set(requestNo, (book.renames.get(requestNo) ?? 0) + 1);
  if (book.fault === 'write lost') incoming.socket.resetAndDestroy();
  else send(response, dialect.write(question, [{ Receipt: `R-${requestNo}` }]), dialect.charset);
}

function rowsOf(book: Book, question: Question): readonly Row[] {
  if (question.kind === 'renaming')
    return book.renames.has(question.requestNo) ? [{ Receipt: `R-${question.requestNo}` }] : [];
  const found = [...book.records.values()].filter((record) =>
    question.kind === 'area'
      ? record.area === question.area
      : question.kind === 'numbers' && question.numbers.includes(record.id),
  );
  const rows = found.map((record) => rowOf(record, book.fault));
  return book.fault === 'duplicate' ? [...rows, ...rows] : rows;
}

function rowOf(record: SuiteRecord, fault: SuiteFault | undefined): Row {
  const { id, name, area, state, version, changedAt } = record;
  return {
    No: id,
    Name: name,
    Area: area,
    State: state === 'OPEN' ? '1' : '2',
    Version: fault === 'wrong type' ? '第三版' : String(version),
    ChangedAt: changedAt,
  };
}

function send(response: ServerResponse, { status, contentType, text }: Reply, charset: string): void {
  response.writeHead(status, { 'content-type': contentType }).end(iconv.encode(text, charset));
}

/** A document that ends in its middle, in an answer that is whole. */
function sendHalf(response: ServerResponse, reply: Reply, charset: string): void {
  const bytes = iconv.encode(reply.text, charset);
  response.writeHead(reply.status, { 'content-type': reply.contentType });
  response.end(bytes.subarray(0, Math.floor(bytes.length / 2)));
}

/** Every text beyond ASCII as a byte that neither UTF-8 nor GB 18030 has. */
function sendForeign(response: ServerResponse, reply: Reply): void {
  const text = reply.text.replaceAll(/[^ -~\s]+/g, '\u00ff');
  response.writeHead(reply.status, { 'content-type': reply.contentType }).end(Buffer.from(text, 'latin1'));
}
