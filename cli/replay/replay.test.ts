import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { readMapping } from './mapping.ts';
import { replay } from './replay.ts';

const ROOT = resolve(import.meta.dirname, '..', '..');
const mapping = readMapping(join(ROOT, 'tests', 'replay', 'la311.mapping.json'));
const folder = mkdtempSync(join(tmpdir(), 'weft-replay-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Requests of the real file's columns, `everySeconds` apart, written last one first. */
function writeRequests(count: number, typeOf: (index: number) => string, minutesApart = 1): string {
  const lines = Array.from({ length: count }, (_, index) => {
    const minutes = index * minutesApart;
    const created = `1/1/20 ${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, '0')}`;
    return `R-${String(index).padStart(4, '0')},${typeOf(index)},${created},Call,"${index} MAIN ST",${index % 99},Open,BOS`;
  });
  const file = join(folder, `requests-${Math.random().toString(36).slice(2)}.csv`);
  writeFileSync(
    file,
    ['srnumber,requesttype,createddate,requestsource,address,nc,status,owner', ...lines.reverse()].join('\n'),
  );
  return file;
}

const isEncampment = (index: number) => (index % 10 === 0 ? 'Homeless Encampment' : 'Bulky Items');

const made = (request: DeskRequest): DeskAnswer => ({
  status: 201,
  body: request.entries.map(({ externalRef }) => ({
    externalRef,
    orderNo: `GS${externalRef}`,
    receiptNo: `JJ${externalRef}`,
    created: true,
  })),
});

let desk: ControlDesk | undefined;
afterEach(() => desk?.close());

async function openDesk(answer: (request: DeskRequest) => DeskAnswer): Promise<ControlDesk> {
  desk = await openControlDesk(answer);
  return desk;
}

const urlsOf = (opened: ControlDesk) => () => ({ hotline: opened.url, police: `${opened.url}/CaseService` });

describe('a replay over a control', () => {
  test('gives every row once, in order of creation, at most 100 a request, the police before the order that cites them', async () => {
    const opened = await openDesk(made);
    const summary = await replay({
      file: writeRequests(250, isEncampment),
      mapping,
      speed: Number.POSITIVE_INFINITY,
      urls: urlsOf(opened),
    });
    expect(summary).toMatchObject({
      rowsRead: 250,
      ordersMade: 250,
      casesMade: 25,
      refused: [],
      isCut: false,
    });
    const orders = opened.requests.filter((request) => request.path === '/_control/orders');
    expect(orders.map((request) => request.entries.length)).toEqual([100, 100, 50]);
    const refs = orders.flatMap((request) => request.entries.map((entry) => entry.externalRef));
    expect(refs).toEqual([...refs].sort());
    expect(opened.requests[0]?.path).toBe('/_control/cases');
    expect(orders[0]?.entries[10]).toMatchObject({ externalRef: 'R-0010', receiptNo: 'JJR-0010' });
    expect(orders[0]?.entries[11]).not.toHaveProperty('receiptNo');
  });

  test('keeps the pace of the file, times the speed, without drift', async () => {
    const opened = await openDesk(made);
    // 30 rows a minute apart at 1,200 times their speed: one every 50 ms, 1,450 ms from the first to the last.
    await replay({ file: writeRequests(30, () => 'Other'), mapping, speed: 1_200, urls: urlsOf(opened) });
    const firstMs = opened.requests[0]?.atMs ?? 0;
    for (const request of opened.requests) {
      const index = Number(request.entries[0]?.externalRef.slice(2));
      expect(request.atMs - firstMs).toBeGreaterThan(index * 50 - 40);
    }
    expect((opened.requests.at(-1)?.atMs ?? 0) - firstMs).toBeLessThan(1_450 + 500);
  });

  test('goes on after an answer is lost, a 503 and a change of address, and counts what was there already', async () => {
    const seen = new Set<string>();
    const later = await openControlDesk((request) => ({
      status: 201,
      body: request.entries.map(({ externalRef }) => ({
        externalRef,
        orderNo: externalRef,
        created: !seen.has(externalRef),
      })),
    }));
    let tries = 0;
    const opened = await openDesk((request) => {
      tries += 1;
      if (tries === 1) return { status: 503, body: {} };
      // Taken, but the answer never arrives.
      for (const { externalRef } of request.entries.slice(0, 3)) seen.add(externalRef);
      return 'cut';
    });
    const troubles: (string | undefined)[] = [];
    try {
      const summary = await replay({
        file: writeRequests(5, () => 'Other'),
        mapping,
        speed: Number.POSITIVE_INFINITY,
        urls: () => ({ hotline: tries < 2 ? opened.url : later.url, police: undefined }),
        onTrouble: (trouble) => troubles.push(trouble),
      });
      expect(summary).toMatchObject({ ordersMade: 2, ordersThere: 3, refused: [] });
      expect(troubles).toEqual([
        expect.stringContaining('HTTP 503'),
        expect.stringContaining('does not answer'),
        undefined,
      ]);
    } finally {
      await later.close();
    }
  });

  test('gives up when a system was silent for the limit', async () => {
    const opened = await openDesk(() => 'cut');
    const replaying = replay({
      file: writeRequests(1, () => 'Other'),
      mapping,
      speed: 1,
      urls: urlsOf(opened),
      silenceMsMax: 300,
    });
    await expect(replaying).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE', system: 'hotline' });
    expect(opened.requests.length).toBeGreaterThan(1);
  });

  test('reports a row that the hotline refuses with its line, and gives the others', async () => {
    const opened = await openDesk((request) =>
      request.entries.some((entry) => entry.externalRef === 'R-0003')
        ? { status: 400, body: { error: 'address: no' } }
        : made(request),
    );
    const summary = await replay({
      file: writeRequests(6, () => 'Other'),
      mapping,
      speed: Number.POSITIVE_INFINITY,
      urls: urlsOf(opened),
    });
    // The file is written last one first: R-0003 is the third row, on line 4.
    expect(summary).toMatchObject({
      ordersMade: 5,
      refused: [{ line: 4, reason: expect.stringContaining('address: no') }],
    });
  });

  test('ends early when it is told to, with what was given so far', async () => {
    const stopping = new AbortController();
    const opened = await openDesk((request) => {
      if (request.entries[0]?.externalRef === 'R-0002') stopping.abort();
      return made(request);
    });
    const summary = await replay({
      file: writeRequests(20, () => 'Other'),
      mapping,
      speed: 600,
      urls: urlsOf(opened),
      signal: stopping.signal,
    });
    expect(summary.isCut).toBe(true);
    expect(summary.ordersMade).toBeLessThan(4);
  });
});

// A control that answers as it is told and keeps what it was asked: for troubles that the simulators' own never has.

interface DeskRequest {
  readonly path: string;
  readonly atMs: number;
  readonly entries: readonly { readonly externalRef: string; readonly [field: string]: unknown }[];
}

/** `cut` closes the connection without an answer. */
type DeskAnswer = { readonly status: number; readonly body: unknown } | 'cut';

interface ControlDesk {
  readonly url: string;
  readonly requests: readonly DeskRequest[];
  close(): Promise<void>;
}

async function openControlDesk(answer: (request: DeskRequest) => DeskAnswer): Promise<ControlDesk> {
  const requests: DeskRequest[] = [];
  const server = createServer(async (incoming, response) => {
    const atMs = performance.now();
    let text = '';
    for await (const chunk of incoming) text += chunk;
    const request = { path: incoming.url ?? '', atMs, entries: JSON.parse(text) };
    requests.push(request);
    const answered = answer(request);
    if (answered === 'cut') return void incoming.socket.destroy();
    response.writeHead(answered.status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(answered.body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
