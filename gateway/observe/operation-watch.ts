// What is known of one operation while it runs: the transport opens it, fetches add to it, and whoever observes reads it at the end.
import { type ErrorCode, type HubError, isErrorCode } from '@weft/core/errors';
import type { GraphQLError } from 'graphql';
import type { PreparedOperation } from '../engine.ts';
import type { FetchStep } from '../plan/planner.ts';
import type { ClientIdentity } from './client-identity.ts';
import { documentHashOf } from './document-hash.ts';
import type { Inspection } from './inspect.ts';
import { type UsedOperation, usedOperationOf } from './used-operation.ts';

/** How an answer travels: over HTTP whole, in parts, or as a live stream in one of its two forms; or over a WebSocket. */
export type Transport = 'http' | 'parts' | 'sse' | 'multipart' | 'websocket';

/** One request to a subgraph, noted only for operations that somebody wants to look into. */
export interface FetchNote {
  /** 16 hex digits, sent to the subgraph as the parent of its own spans. */
  readonly spanId: string;
  readonly system: string;
  /** The steps of the plan that it answers; several when entity fetches are sent together. */
  readonly steps: readonly FetchStep[];
  /** Entities that are asked about; undefined for root fields. */
  readonly entities: number | undefined;
  /** Monotonic, as of `performance.now()`. */
  readonly startedAtMs: number;
  endedAtMs: number;
  /** Of the subgraph's HTTP answer; undefined when none came. */
  status: number | undefined;
  /** Of the answer's body as it came. */
  bytes: number | undefined;
  /** Whether the answer is that of an equal fetch which was already under way. */
  isShared: boolean;
  /** Why nothing came of it. */
  code: ErrorCode | undefined;
  /** In the subgraph's answer. */
  errors: number;
}

/** Mutable, and of one operation; a reader holds it no longer than the call that hands it over. */
export interface OperationWatch {
  readonly traceId: string;
  /** 16 hex digits. */
  readonly spanId: string;
  /** Of the client's own span, from its `traceparent`. */
  readonly parentSpanId: string | undefined;
  /** Whether its spans are exported. */
  readonly isSampled: boolean;
  /** Whether subgraphs are told to record theirs: what is not sampled here is not there, and without tracing each decides alone. */
  readonly marksSampled: boolean;
  readonly client: ClientIdentity;
  /** What of it the client may see and asked for; undefined for all but a few. */
  inspection: Inspection | undefined;
  transport: Transport;
  /** Monotonic. */
  readonly startedAtMs: number;
  /** When it was parsed, validated and planned. */
  preparedAtMs: number | undefined;
  kind: 'query' | 'mutation' | 'subscription' | undefined;
  /** As the document has it, or as the request gives it when that is a name. */
  operationName: string | undefined;
  /** The document's text, by its hash; undefined when it was refused. */
  documentHash: string | undefined;
  /** For who counts use; undefined where nobody does, and of what was not prepared. */
  used?: UsedOperation | undefined;
  /** Requests to subgraphs. */
  fetches: number;
  /** Undefined unless somebody wants to look into it. */
  notes: FetchNote[] | undefined;
  /** Errors in all parts of the answer, or in all results of a subscription. */
  errors: number;
  /** Of the first error. */
  code: ErrorCode | undefined;
  /** Whether any part of the answer brought data. */
  hasData: boolean;
  /** Whether it was begun: what was refused before has no data either. */
  isExecuted: boolean;
  /** Results that a subscription was sent. */
  results: number;
  /** What the operation was reckoned to cost, where that is reckoned. */
  cost?: number | undefined;
  /** A subscription that runs. */
  isBegun: boolean;
  isClosed: boolean;
}

export type Outcome = 'ok' | 'partial' | 'failed' | 'refused';

/** Refused is what was not begun; failed what brought no data; partial what brought data and errors. */
export function outcomeOf({ isExecuted, hasData, errors }: OperationWatch): Outcome {
  if (!isExecuted) return 'refused';
  if (errors === 0) return 'ok';
  return hasData ? 'partial' : 'failed';
}

/** The operation was parsed, validated and planned, and begins. */
export function notePrepared(
  watch: OperationWatch,
  prepared: PreparedOperation,
  request: OperationText,
): void {
  watch.preparedAtMs = performance.now();
  watch.kind = prepared.kind;
  watch.operationName = prepared.name ?? nameIn(request);
  watch.documentHash = documentHashOf(prepared, request.query);
  watch.used = usedOperationOf(prepared);
}

/** What was asked for is not begun. */
export function noteUnprepared(watch: OperationWatch, request: Pick<OperationText, 'operationName'>): void {
  watch.operationName = nameIn(request);
}

/** One result, or one part of an answer, on its way to the client. */
export function noteResult(
  watch: OperationWatch,
  { data, errors }: { readonly data?: unknown; readonly errors?: readonly GraphQLError[] | undefined },
): void {
  if (data !== null && data !== undefined) watch.hasData = true;
  // A result without the key `data` is of a request that was not executed: GraphQL 2025-09, 7.1.2.
  else if (data === undefined && errors !== undefined) watch.isExecuted = false;
  if (errors !== undefined) noteErrors(watch, errors);
}

export function noteErrors(
  watch: OperationWatch,
  errors: readonly { readonly extensions: Readonly<Record<string, unknown>> }[],
): void {
  watch.errors += errors.length;
  const code = errors[0]?.extensions.code;
  if (watch.code === undefined && isErrorCode(code)) watch.code = code;
}

export function noteFailure(watch: OperationWatch, { code }: HubError): void {
  watch.errors += 1;
  watch.code ??= code;
}

interface OperationText {
  readonly query: string;
  readonly operationName?: string | null | undefined;
}

const NAME = /^[_A-Za-z][_0-9A-Za-z]{0,99}$/;

/** Whatever is no name may be anything, and is not written down. */
function nameIn({ operationName }: Pick<OperationText, 'operationName'>): string | undefined {
  return typeof operationName === 'string' && NAME.test(operationName) ? operationName : undefined;
}
