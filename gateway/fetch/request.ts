// What the executor asks of the transport.
import type { Principal } from '../identity/principal.ts';
import type { FetchNote, OperationWatch } from '../observe/operation-watch.ts';
import type { StopSignal } from '../stop-signal.ts';
import type { ClientHeaders } from './forwarded-headers.ts';

/** What of an operation reaches its fetches. */
export interface FetchContext {
  /** The operation's: its reason is a TimeoutError when the deadline passed. */
  readonly signal: StopSignal;
  /** Monotonic, as of `performance.now()`. */
  readonly deadlineAtMs: number;
  /** 32 hex digits, sent as `traceparent` with a span id of its own for every fetch. */
  readonly traceId: string;
  /** Who asks and with which rights, as one text: fetches are shared only between equal authorities. */
  readonly authority: string;
  /** The same, told to subgraphs that requests are signed for; undefined: the anonymous. */
  readonly principal?: Principal | undefined;
  /** The headers of the client's request, names in lower case; only those of `forwardedHeaders` go on. */
  readonly headers?: ClientHeaders | undefined;
  /** What subgraphs are asked to tell beside their answers, as the header has it; undefined: nothing but what is stale. */
  readonly telling?: string | undefined;
  /** What is known of the operation, where anybody observes it. */
  readonly watch?: OperationWatch | undefined;
}

export interface SubgraphRequest {
  /** The subgraph's name in the supergraph. */
  readonly system: string;
  /** The whole JSON text of a GraphQL-over-HTTP request. */
  readonly body: string;
  /** A mutation is sent once; its outcome is not known when no answer comes. */
  readonly isMutation: boolean;
  readonly context: FetchContext;
  /** To be filled with what came, where somebody wants to look into the operation. */
  readonly note?: FetchNote | undefined;
}
