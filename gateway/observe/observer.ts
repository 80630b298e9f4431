// Observes operations for every transport: opens a watch for each, and at its end writes the line, counts and exports.
import type { Logger } from '@weft/core/logger';
import type { Principal } from '../identity/principal.ts';
import { type ClientIdentity, readClientHeaders } from './client-identity.ts';
import { INSPECT_HEADER, mayInspect, readInspection } from './inspect.ts';
import { openOperationLines } from './operation-line.ts';
import type { OperationWatch, Outcome, Transport } from './operation-watch.ts';
import { outcomeOf } from './operation-watch.ts';
import type { ObserveSettings } from './settings.ts';
import { newSpanId, readTraceParent, type TraceParent } from './trace-parent.ts';

type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

export interface Observer {
  /**
   * For every request that asks for an operation, before it is read.
   * @param headers names in lower case; of a WebSocket, those of its upgrade
   * @param client where that is known otherwise than by the headers
   */
  open(transport: Transport, headers: Headers, client?: ClientIdentity): OperationWatch;
  /** Notes of each fetch what becomes of it, when the one who asks may see that and wants to. */
  allowInspection(watch: OperationWatch, headers: Headers, principal: Principal): void;
  /** A subscription has begun to run; its end is told by `close`, as of every operation. */
  began(watch: OperationWatch): void;
  /** When the last of the answer is sent or the client is gone. May be called again, and then does nothing. */
  close(watch: OperationWatch): void;
}

/** Whoever is told of operations. */
export interface OperationSink {
  operationEnded(watch: OperationWatch, outcome: Outcome, durationMs: number): void;
  /** A subscription has begun to run. */
  operationBegan?(watch: OperationWatch): void;
}

export interface ObserverOptions {
  readonly logger: Logger;
  /** Default `off`. */
  readonly inspect?: ObserveSettings['inspect'];
  /** Counts, and exports spans. */
  readonly sinks?: readonly OperationSink[];
  /** Whether an operation's spans are exported; undefined where none are. */
  readonly sample?: ((parent: TraceParent) => boolean) | undefined;
  readonly onSubscription?: ((change: 1 | -1) => void) | undefined;
}

export function createObserver(options: ObserverOptions): Observer {
  const { inspect = 'off', sinks = [], sample } = options;
  const writeLine = openOperationLines(options.logger);
  return {
    open: (transport, headers, client = readClientHeaders(headers)) =>
      openWatch(transport, readTraceParent(headers.traceparent), client, sample),
    allowInspection(watch, headers, principal) {
      const header = headers[INSPECT_HEADER];
      if (header === undefined || !mayInspect(inspect, principal)) return;
      watch.inspection = readInspection(header);
      if (watch.inspection?.timings === true) watch.notes ??= [];
    },
    began(watch) {
      watch.isBegun = true;
      // It may live for days: its fetches are counted and not kept.
      watch.notes = undefined;
      watch.inspection = undefined;
      options.onSubscription?.(1);
      for (const sink of sinks) sink.operationBegan?.(watch);
      writeLine(watch, 'started', undefined);
    },
    close(watch) {
      if (watch.isClosed) return;
      watch.isClosed = true;
      if (watch.isBegun) options.onSubscription?.(-1);
      const durationMs = performance.now() - watch.startedAtMs;
      const outcome = outcomeOf(watch);
      writeLine(watch, outcome, durationMs);
      for (const sink of sinks) sink.operationEnded(watch, outcome, durationMs);
    },
  };
}

function openWatch(
  transport: Transport,
  parent: TraceParent,
  client: ClientIdentity,
  sample: ObserverOptions['sample'],
): OperationWatch {
  const isSampled = sample?.(parent) ?? false;
  return {
    traceId: parent.traceId,
    // Only spans show it.
    spanId: isSampled ? newSpanId() : '',
    parentSpanId: parent.spanId,
    isSampled,
    marksSampled: isSampled || sample === undefined,
    client,
    inspection: undefined,
    transport,
    startedAtMs: performance.now(),
    preparedAtMs: undefined,
    kind: undefined,
    operationName: undefined,
    documentHash: undefined,
    used: undefined,
    fetches: 0,
    notes: isSampled ? [] : undefined,
    errors: 0,
    code: undefined,
    hasData: false,
    isExecuted: false,
    results: 0,
    cost: undefined,
    isBegun: false,
    isClosed: false,
  };
}
