// A simulated old system on node:http that ignores client numbers: a second call is a second record. Shares no code with the hub.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { freePort } from '@weft/core/process-table';

/** What it does wrong with one write, each before or after it has put the record into its book. */
export const FAULTS = ['500', 'reset', 'hang', 'half'] as const;
export type Fault = (typeof FAULTS)[number];

export interface FaultPlan {
  readonly fault: Fault | 'late' | 'refuse' | 'busy';
  readonly isCommitted: boolean;
}

export interface LedgerEntry {
  readonly no: string;
  readonly subject: string;
  readonly text: string;
  readonly ref: string;
}

export interface Ledger {
  readonly url: string;
  readonly port: number;
  /** In the order in which the records were put in. */
  readonly book: readonly LedgerEntry[];
  /** Writes that reached it. */
  writes(): number;
  questions(): number;
  /** The faults of the writes that come next; those after them have that of `plan`. */
  readonly next: FaultPlan[];
  /** Whether questions are answered. */
  answersQuestions: boolean;
  plan(call: number): FaultPlan | undefined;
  listen(): Promise<void>;
  close(): Promise<void>;
}

/** After the caller's time-out, and before the end of `settleFor`. */
const LATE_MS = 600;

/** A ledger with an empty book, listening; closed by the caller. */
export async function startLedger(): Promise<Ledger> {
  const book: LedgerEntry[] = [];
  const counts = { writes: 0, questions: 0 };
  const server = createServer((request, response) => {
    void readText(request).then((text) => {
      const url = new URL(request.url ?? '/', 'http://ledger');
      if (request.method === 'GET') return answerQuestion(url, response);
      counts.writes += 1;
      const given = JSON.parse(text) as { no?: string; subject?: string; text: string };
      const [, , no = given.no ?? ''] = url.pathname.split('/');
      const plan = ledger.next.shift() ?? ledger.plan(counts.writes);
      const isOnce = request.method === 'PUT';
      answerWrite(response, plan, () => put({ ...given, no, subject: given.subject ?? '' }, isOnce));
    });
  });
  const put = (given: Omit<LedgerEntry, 'ref'>, isOnce: boolean): LedgerEntry => {
    const known = isOnce ? book.find(({ no }) => no === given.no) : undefined;
    const entry = known ?? { ...given, ref: `R${book.length + 1}` };
    if (known === undefined) book.push(entry);
    return entry;
  };
  const answerQuestion = (url: URL, response: ServerResponse) => {
    counts.questions += 1;
    if (!ledger.answersQuestions) {
      response.writeHead(503).end();
      return;
    }
    const wanted = url.searchParams.get('no');
    const rows = book.filter(({ no }) => wanted === null || no === wanted);
    response.end(JSON.stringify({ code: '0000', total: rows.length, rows }));
  };
  // It goes away and comes back: a port that no connection out is given meanwhile.
  const port = await freePort();
  const listen = async () => void (await once(server.listen(port, '127.0.0.1'), 'listening'));
  await listen();
  const ledger: Ledger = {
    url: `http://127.0.0.1:${port}`,
    port,
    book,
    writes: () => counts.writes,
    questions: () => counts.questions,
    next: [],
    answersQuestions: true,
    plan: () => undefined,
    listen,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return ledger;
}

function answerWrite(response: ServerResponse, plan: FaultPlan | undefined, put: () => LedgerEntry): void {
  const good = () => JSON.stringify({ code: '0000', ...put() });
  const body = plan === undefined || plan.isCommitted ? () => good() : () => '{"code":"0000"';
  switch (plan?.fault) {
    case undefined:
      response.end(body());
      break;
    case 'refuse':
      response.end(JSON.stringify({ code: '1042', message: 'no such account' }));
      break;
    case 'busy':
      response.writeHead(429).end();
      break;
    case 'late':
      setTimeout(() => response.end(body()), LATE_MS);
      break;
    case '500':
      body();
      response.writeHead(500).end();
      break;
    case 'reset':
      body();
      response.socket?.resetAndDestroy();
      break;
    case 'half':
      breakInTheMiddle(response, body());
      break;
    case 'hang':
      // Nothing is ever answered.
      body();
      break;
  }
}

function breakInTheMiddle(response: ServerResponse, body: string): void {
  response.writeHead(200, { 'content-length': body.length + 20 });
  response.write(body.slice(0, 8));
  setTimeout(() => response.socket?.resetAndDestroy(), 5);
}

async function readText(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
