// The old system of the bench: businesses by their numbers, a hundred in a call at the most; it counts its calls.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { runProcess } from '@weft/core/process';

const NUMBERS_MAX = 100;
/** A row is written once: the old system must not be what is measured. */
const rows = new Map<string, string>();
let calls = 0;

function rowText(no: string): string {
  let text = rows.get(no);
  if (text === undefined) {
    const index = Number(no.slice(1));
    const two = (value: number) => String(value).padStart(2, '0');
    text = JSON.stringify({
      no,
      title: `平江路${index}号商行`,
      opened: `2026-11-${two(1 + (index % 28))} ${two(index % 24)}:${two(index % 60)}:00`,
      capital: `${index}.50`,
      state: String(1 + (index % 3)),
      area: '320508017003',
      address: `平江路${index}号`,
      legalPerson: '未公开',
      remark: null,
    });
    rows.set(no, text);
  }
  return text;
}

await runProcess('bench old system', async () => {
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://old-system');
    response.setHeader('content-type', 'application/json');
    if (url.pathname === '/calls') return void response.end(JSON.stringify({ calls }));
    calls += 1;
    const numbers = (url.searchParams.get('no') ?? '').split(',');
    if (numbers.length > NUMBERS_MAX) response.end('{"code":"4001","rows":[]}');
    else response.end(`{"code":"0000","rows":[${numbers.map(rowText).join(',')}]}`);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { urls: { old: url }, close: async () => void server.close() };
});
