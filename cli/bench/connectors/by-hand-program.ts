// The baseline: what somebody would write by hand to fetch these businesses and map them, without GraphQL and without a guard;
// BY_HAND_DEADLINE_MS has it give up after so long, and when its client leaves.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { runProcess } from '@weft/core/process';
import { Pool } from 'undici';

const NUMBERS_MAX = 100;
const CONNECTIONS = 4;
const STATES: Readonly<Record<string, string>> = { 1: 'OPEN', 2: 'REVOKED', 3: 'MOVED' };

interface OldBusiness {
  readonly no: string;
  readonly title: string | null;
  readonly opened: string | null;
  readonly capital: string | null;
  readonly state: string | null;
  readonly area: string | null;
  readonly address: string | null;
}

interface Asked {
  readonly variables: { readonly r: readonly { readonly id: string }[] };
}

const pool = new Pool(process.env.MARKET_URL ?? '', { connections: CONNECTIONS });

async function fetchRows(
  numbers: readonly string[],
  signal: AbortSignal | undefined,
): Promise<readonly OldBusiness[]> {
  const path = `/businesses?${new URLSearchParams({ no: numbers.join(',') })}`;
  const { statusCode, body } = await pool.request({ method: 'GET', path, ...(signal && { signal }) });
  const { code, rows } = (await body.json()) as { code: string; rows: readonly OldBusiness[] };
  if (statusCode !== 200 || code !== '0000')
    throw new TypeError(`the old system answered ${statusCode} ${code}`);
  return rows;
}

const LOCAL_TIME = /^(\d{4}-\d{2}-\d{2}) (\d{2}:\d{2}:\d{2})$/;

function mapBusiness({ no, title, opened, capital, state, area, address }: OldBusiness) {
  const time = opened === null ? null : LOCAL_TIME.exec(opened);
  return {
    id: no,
    name: title,
    openedAt: time === null ? null : `${time[1]}T${time[2]}+08:00`,
    capital: capital === null ? null : Number(capital),
    state: state === null ? null : (STATES[state] ?? null),
    rawState: state,
    address: area === null && address === null ? null : { area, text: address },
  };
}

async function answer(request: IncomingMessage, signal: AbortSignal | undefined): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const { variables } = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Asked;
  const numbers = variables.r.map(({ id }) => id);
  const calls: Promise<readonly OldBusiness[]>[] = [];
  for (let at = 0; at < numbers.length; at += NUMBERS_MAX)
    calls.push(fetchRows(numbers.slice(at, at + NUMBERS_MAX), signal));
  const found = new Map((await Promise.all(calls)).flat().map((row) => [row.no, mapBusiness(row)]));
  const data = { _entities: numbers.map((number) => found.get(number) ?? null) };
  return Buffer.from(JSON.stringify({ data }));
}

const deadlineMs = Number(process.env.BY_HAND_DEADLINE_MS ?? 0);

function untilGone(response: ServerResponse): AbortSignal | undefined {
  if (deadlineMs === 0) return undefined;
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  return AbortSignal.any([gone.signal, AbortSignal.timeout(deadlineMs)]);
}

await runProcess('bench by hand', async () => {
  const server = createServer((request, response) => {
    response.setHeader('content-type', 'application/json');
    answer(request, untilGone(response)).then(
      (bytes) => response.end(bytes),
      () => response.writeHead(502).end('{"errors":[{"message":"the old system does not answer"}]}'),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  return {
    urls: { subgraph: url },
    async close() {
      server.close();
      await pool.destroy();
    },
  };
});
