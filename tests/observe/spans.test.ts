// The spans of an operation as a collector receives them: OTLP over HTTP, decoded here without the SDK.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { connectClient } from '../live/ws-client.ts';
import { waitFor } from '../support/wait.ts';
import { type ObservedGateway, startObservedGateway } from './observed-gateway.ts';

interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly { readonly key: string; readonly value: Readonly<Record<string, unknown>> }[];
  readonly status: { readonly code?: number };
}

interface Export {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: Span['attributes'] };
    readonly scopeSpans: readonly { readonly spans: readonly Span[] }[];
  }[];
}

interface Collector {
  readonly url: string;
  status: number;
  readonly spans: Span[];
  readonly services: Set<unknown>;
  readonly paths: Set<string>;
  readonly authorizations: Set<unknown>;
  close(): Promise<void>;
}

async function startCollector(): Promise<Collector> {
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    response.writeHead(collector.status, { 'content-type': 'application/json' }).end('{}');
    if (collector.status !== 200) return;
    collector.paths.add(request.url ?? '');
    collector.authorizations.add(request.headers['x-tenant']);
    const { resourceSpans } = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Export;
    for (const { resource, scopeSpans } of resourceSpans) {
      collector.services.add(attributesOf(resource)['service.name']);
      for (const { spans } of scopeSpans) collector.spans.push(...spans);
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const collector: Collector = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    status: 200,
    spans: [],
    services: new Set(),
    paths: new Set(),
    authorizations: new Set(),
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return collector;
}

/** https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding: each value is under the name of its type. */
function attributesOf({ attributes }: Pick<Span, 'attributes'>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const CLIENT_SPAN = 'b7ad6b7169203331';
const SERVER = 2;
const CLIENT = 3;

let collector: Collector;
let gateway: ObservedGateway;
beforeAll(async () => {
  collector = await startCollector();
  gateway = await startObservedGateway({
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_EXPORTER_OTLP_HEADERS: 'x-tenant=city%20hall',
    OTEL_SERVICE_NAME: 'weft-test',
  });
});
afterAll(async () => {
  await gateway?.close();
  await collector?.close();
});
beforeEach(() => {
  collector.spans.splice(0);
  collector.status = 200;
  gateway.police.fault = undefined;
  gateway.police.requests.splice(0);
});

async function spansOf(count: number): Promise<readonly Span[]> {
  await waitFor('the spans', async () => collector.spans.length >= count);
  expect(collector.spans).toHaveLength(count);
  return collector.spans;
}

const named = (spans: readonly Span[], name: string) => spans.find((span) => span.name === name);

describe('the spans of an operation', () => {
  it('are a tree below the client’s own span, and subgraphs continue it', async () => {
    const traceparent = `00-${TRACE_ID}-${CLIENT_SPAN}-01`;
    await gateway.post({ query: 'query Orders { orders { id status } }' }, { traceparent });
    const spans = await spansOf(4);
    const root = named(spans, 'query');
    expect(root).toMatchObject({ traceId: TRACE_ID, parentSpanId: CLIENT_SPAN, kind: SERVER });
    expect(attributesOf(root as Span)).toMatchObject({
      'graphql.operation.type': 'query',
      'graphql.operation.name': 'Orders',
      'weft.outcome': 'ok',
      'weft.fetches': 2,
    });
    const children = ['prepare', 'fetch orders', 'fetch police'].map((name) => named(spans, name));
    for (const child of children)
      expect(child).toMatchObject({ traceId: TRACE_ID, parentSpanId: root?.spanId });
    const police = children[2] as Span;
    expect(police.kind).toBe(CLIENT);
    expect(attributesOf(police)).toMatchObject({
      'weft.subgraph': 'police',
      'weft.fetch.entities': 2,
      'weft.fetch.paths': { values: [{ stringValue: 'orders.@' }] },
      'http.response.status_code': 200,
      'http.response.body.size': expect.any(Number),
    });
    expect(gateway.police.requests[0]?.headers.traceparent).toBe(`00-${TRACE_ID}-${police.spanId}-01`);
    const span = (each: Span) => [BigInt(each.startTimeUnixNano), BigInt(each.endTimeUnixNano)] as const;
    const [begin = 0n, end = 0n] = span(root as Span);
    for (const child of children) {
      const [start, stop] = span(child as Span);
      expect(start >= begin && stop <= end && start <= stop).toBe(true);
    }
    expect(Math.abs(Number(begin / 1_000_000n) - Date.now())).toBeLessThan(60_000);
    expect([...collector.services]).toEqual(['weft-test']);
    expect([...collector.paths]).toEqual(['/v1/traces']);
    expect([...collector.authorizations]).toEqual(['city hall']);
  });

  it('say what failed, and have neither the document nor variables', async () => {
    gateway.police.fault = { kind: 'status', status: 503, body: '' };
    const query = 'query Secretly($id: ID) { secretAlias: order(id: $id) { status } }';
    await gateway.post({ query, variables: { id: '430-personal' } });
    const spans = await spansOf(4);
    expect(attributesOf(named(spans, 'fetch police') as Span)).toMatchObject({
      'error.type': 'UPSTREAM_UNAVAILABLE',
      'http.response.status_code': 503,
    });
    expect(named(spans, 'fetch police')?.status.code).toBe(2);
    expect(attributesOf(named(spans, 'query') as Span)['weft.outcome']).toMatch(/partial|failed/);
    expect(JSON.stringify(named(spans, 'query'))).not.toMatch(/secretAlias|430-personal/);
  });

  it('are none where the client does not record its part, and subgraphs are told so', async () => {
    await gateway.post(
      { query: '{ orders { status } }' },
      { traceparent: `00-${TRACE_ID}-${CLIENT_SPAN}-00` },
    );
    await gateway.post({ query: '{ open }' });
    const spans = await spansOf(3);
    expect(spans.map(({ traceId }) => traceId)).not.toContain(TRACE_ID);
    expect(gateway.police.requests[0]?.headers.traceparent).toMatch(/-00$/);
  });

  it('continue the trace that a message over WebSocket names', async () => {
    const client = await connectClient(gateway.started.urls.ws ?? '');
    const extensions = { traceparent: `00-${TRACE_ID}-${CLIENT_SPAN}-01` };
    client.send({ id: '1', type: 'subscribe', payload: { query: '{ open }', extensions } });
    const root = named(await spansOf(3), 'query');
    expect(root).toMatchObject({ traceId: TRACE_ID, parentSpanId: CLIENT_SPAN });
    await client.close();
  });

  it('hold nothing up where the collector fails, and the log says so once', async () => {
    collector.status = 400;
    gateway.clear();
    for (let times = 0; times < 3; times += 1) {
      const response = await gateway.post({ query: '{ open }' });
      expect(await response.json()).toEqual({ data: { open: 3 } });
      await new Promise((resolve) => setTimeout(resolve, 1_100));
    }
    const told = gateway.lines.filter(({ msg }) => msg.startsWith('the collector takes no spans'));
    expect(told).toHaveLength(1);
  });
});
