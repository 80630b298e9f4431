// A simulated system of a department on node:http, with faults to be switched. Shares no code with the hub.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { freePort } from '@weft/core/process-table';

export interface CaseRecord {
  readonly caseNo: string;
  /** The client number. */
  readonly no: string;
  readonly incident: string;
  readonly title: string;
  readonly [field: string]: unknown;
}

export interface Department {
  readonly url: string;
  /** In the order in which they were opened. */
  readonly book: readonly CaseRecord[];
  /** Makes a second call of one client number a second record, as most old systems do. */
  ignoresNumbers: boolean;
  /** The code with which it refuses; undefined: it takes what comes. */
  refusesWith: string | undefined;
  /** Called with a call that is to open a case: as it CAME, before the case is opened, and when that is OPENED, before the answer. */
  onCall: ((moment: 'CAME' | 'OPENED') => Promise<void>) | undefined;
  /** Milliseconds until it answers, after it has opened the case. */
  answersAfterMs: number;
  /** Stops listening, and breaks what is under way. */
  down(): Promise<void>;
  /** Listens again, at the same place. */
  up(): Promise<void>;
  close(): Promise<void>;
}

/** @param prefix of its numbers */
export async function startDepartment(prefix: string): Promise<Department> {
  const book: CaseRecord[] = [];
  // It goes down and comes back: a port that no connection out is given meanwhile.
  const port = await freePort();
  const server = createServer((request, response) => {
    const serve = async (text: string) => {
      const url = new URL(request.url ?? '/', 'http://department');
      if (request.method === 'GET') {
        const rows = book.filter(({ no }) => no === url.searchParams.get('no'));
        return answer(response, { total: rows.length, rows });
      }
      if (department.refusesWith !== undefined) return answer(response, { code: department.refusesWith });
      await department.onCall?.('CAME');
      if (request.socket.destroyed) return;
      const given = JSON.parse(text) as Omit<CaseRecord, 'caseNo'>;
      const known = department.ignoresNumbers ? undefined : book.find(({ no }) => no === given.no);
      const entry = known ?? ({ ...given, caseNo: `${prefix}${book.length + 1}` } as CaseRecord);
      if (known === undefined) book.push(entry);
      await department.onCall?.('OPENED');
      setTimeout(() => answer(response, { code: '0', caseNo: entry.caseNo }), department.answersAfterMs);
    };
    // Who has gone, half way or before the answer, is told nothing.
    void readText(request)
      .then(serve)
      .catch(() => response.destroy());
  });
  const department: Department = {
    get url() {
      return `http://127.0.0.1:${port}`;
    },
    book,
    ignoresNumbers: false,
    refusesWith: undefined,
    onCall: undefined,
    answersAfterMs: 0,
    async down() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
    async up() {
      await once(server.listen(port, '127.0.0.1'), 'listening');
    },
    close: () => (server.listening ? department.down() : Promise.resolve()),
  };
  await department.up();
  return department;
}

async function readText(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text;
}

function answer(response: ServerResponse, body: object): void {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}
