// Spans of operations and of their fetches, sent to a collector. Loaded only where one is set: the SDK costs a start of its own.
import { type Attributes, type HrTime, SpanKind, SpanStatusCode, TraceFlags } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { type Resource, resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, type ReadableSpan, type SpanExporter } from '@opentelemetry/sdk-trace';
import type { Logger } from '@weft/core/logger';
import type { OperationSink } from './observer.ts';
import type { FetchNote, OperationWatch, Outcome } from './operation-watch.ts';
import type { TraceSettings } from './settings.ts';
import { newSpanId } from './trace-parent.ts';

/** Spans that wait to be sent; beyond it they are dropped, and operations go on. */
const QUEUE_SPANS_MAX = 4_096;
const BATCH_SPANS_MAX = 512;
const BATCH_INTERVAL_MS = 1_000;
const EXPORT_TIMEOUT_MS = 5_000;

export interface SpanSink extends OperationSink {
  /** Sends what waits, and no more after it; ends within the time-out of an export. */
  close(): Promise<void>;
}

/** Exports the operations that are sampled. */
export function openSpanSink(settings: TraceSettings, logger: Logger): SpanSink {
  const { url, headers, serviceName } = settings;
  const exporter = new OTLPTraceExporter({
    url,
    headers: { ...headers },
    timeoutMillis: EXPORT_TIMEOUT_MS,
  });
  const processor = new BatchSpanProcessor({
    exporter: telling(exporter, logger),
    maxQueueSize: QUEUE_SPANS_MAX,
    maxExportBatchSize: BATCH_SPANS_MAX,
    scheduledDelayMillis: BATCH_INTERVAL_MS,
    exportTimeoutMillis: EXPORT_TIMEOUT_MS,
  });
  const resource = resourceFromAttributes({ 'service.name': serviceName });
  return {
    operationEnded(watch, outcome) {
      if (!watch.isSampled) return;
      for (const span of spansOf(watch, outcome, performance.now(), resource)) processor.onEnd(span);
    },
    // What the collector did not take is lost to it, and was told.
    close: () => processor.shutdown().catch(() => undefined),
  };
}

/** Says once that the collector does not take spans, and once that it does again. */
function telling(exporter: SpanExporter, logger: Logger): SpanExporter {
  let isFailing = false;
  return {
    export: (spans, done) =>
      exporter.export(spans, (result) => {
        const failed = result.error !== undefined || result.code !== 0;
        if (failed && !isFailing)
          logger.warn({ cause: String(result.error) }, 'the collector takes no spans: they are dropped');
        if (!failed && isFailing) logger.info('the collector takes spans again');
        isFailing = failed;
        done(result);
      }),
    shutdown: () => exporter.shutdown(),
  };
}

function spansOf(
  watch: OperationWatch,
  outcome: Outcome,
  endedAtMs: number,
  resource: Resource,
): readonly ReadableSpan[] {
  const operation = spanOf(watch, resource, {
    name: watch.kind ?? 'graphql',
    kind: SpanKind.SERVER,
    spanId: watch.spanId,
    parentSpanId: watch.parentSpanId,
    startedAtMs: watch.startedAtMs,
    endedAtMs,
    attributes: operationAttributes(watch, outcome),
    failure: outcome === 'ok' ? undefined : (watch.code ?? outcome),
  });
  const prepared = spanOf(watch, resource, {
    name: 'prepare',
    kind: SpanKind.INTERNAL,
    spanId: newSpanId(),
    parentSpanId: watch.spanId,
    startedAtMs: watch.startedAtMs,
    endedAtMs: watch.preparedAtMs ?? endedAtMs,
    attributes: {},
    failure: undefined,
  });
  const fetches = (watch.notes ?? []).map((note) => fetchSpan(watch, note, endedAtMs, resource));
  return [operation, prepared, ...fetches];
}

/** https://opentelemetry.io/docs/specs/semconv/graphql/graphql-spans/; the document itself is not recorded. */
function operationAttributes(watch: OperationWatch, outcome: Outcome): Attributes {
  return defined({
    'graphql.operation.type': watch.kind,
    'graphql.operation.name': watch.operationName,
    'weft.document.hash': watch.documentHash,
    'weft.transport': watch.transport,
    'weft.outcome': outcome,
    'weft.errors': watch.errors,
    'weft.fetches': watch.fetches,
    'weft.cost': watch.cost,
    'weft.client.name': watch.client.name,
    'weft.client.version': watch.client.version,
    'error.type': watch.code,
  });
}

function fetchSpan(
  watch: OperationWatch,
  note: FetchNote,
  operationEndedAtMs: number,
  resource: Resource,
): ReadableSpan {
  return spanOf(watch, resource, {
    name: `fetch ${note.system}`,
    kind: SpanKind.CLIENT,
    spanId: note.spanId,
    parentSpanId: watch.spanId,
    startedAtMs: note.startedAtMs,
    endedAtMs: note.endedAtMs === 0 ? operationEndedAtMs : note.endedAtMs,
    attributes: defined({
      'weft.subgraph': note.system,
      'weft.fetch.paths': note.steps.map(({ path }) => path.join('.')),
      'weft.fetch.entities': note.entities,
      'weft.fetch.shared': note.isShared,
      'weft.fetch.errors': note.errors,
      'http.response.status_code': note.status,
      'http.response.body.size': note.bytes,
      'error.type': note.code,
    }),
    failure: note.code ?? (note.errors > 0 ? 'errors' : undefined),
  });
}

interface SpanParts {
  readonly name: string;
  readonly kind: SpanKind;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  readonly attributes: Attributes;
  readonly failure: string | undefined;
}

const SCOPE = { name: 'weft' };

/** Made when it is over: until then an operation that is not sampled is not told from one that is. */
function spanOf({ traceId }: OperationWatch, resource: Resource, parts: SpanParts): ReadableSpan {
  const { name, kind, spanId, parentSpanId, startedAtMs, endedAtMs, attributes, failure } = parts;
  const contextOf = (id: string) => ({ traceId, spanId: id, traceFlags: TraceFlags.SAMPLED });
  const context = contextOf(spanId);
  return {
    name,
    kind,
    spanContext: () => context,
    ...(parentSpanId === undefined ? {} : { parentSpanContext: contextOf(parentSpanId) }),
    startTime: sinceEpoch(startedAtMs),
    endTime: sinceEpoch(endedAtMs),
    duration: hrTime(endedAtMs - startedAtMs),
    status:
      failure === undefined
        ? { code: SpanStatusCode.UNSET }
        : { code: SpanStatusCode.ERROR, message: failure },
    attributes,
    links: [],
    events: [],
    ended: true,
    resource,
    instrumentationScope: SCOPE,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}

function sinceEpoch(monotonicMs: number): HrTime {
  return hrTime(performance.timeOrigin + monotonicMs);
}

function hrTime(ms: number): HrTime {
  const seconds = Math.trunc(ms / 1_000);
  return [seconds, Math.round((ms - seconds * 1_000) * 1e6)];
}

function defined(attributes: Attributes): Attributes {
  return Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== undefined));
}
