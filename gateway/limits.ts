// Every bound of the gateway's engine and its HTTP door, by name, with its default.

export interface EngineLimits {
  /** Bytes of a GraphQL document in UTF-8. */
  readonly documentBytesMax: number;
  /** Lexical tokens of a document; validation of fields that overlap costs their square. */
  readonly documentTokensMax: number;
  /** Nested selection sets, fragments expanded. */
  readonly documentDepthMax: number;
  /** Brackets of any kind that are open at once: the parser recurses into them. */
  readonly documentBracketsMax: number;
  /** Fields after every fragment spread is expanded: a short document can spread its way to billions. */
  readonly expandedFieldsMax: number;
  /** Prepared operations that are kept; the one not used for longest goes first. */
  readonly planCacheEntriesMax: number;
  /** From the start of a query or mutation, or of one event of a subscription, to its answer. */
  readonly operationTimeoutMs: number;
  /** One request to one subgraph. */
  readonly subgraphTimeoutMs: number;
  readonly subgraphConnectTimeoutMs: number;
  /** Sockets to one subgraph. */
  readonly subgraphConnectionsMax: number;
  /** Requests to one subgraph that are sent or wait for a socket. */
  readonly subgraphRequestsMax: number;
  /** Bytes of one subgraph's answer. */
  readonly responseBytesMax: number;
  /** Nested objects and lists in one subgraph's answer. */
  readonly responseDepthMax: number;
  /** Errors in one answer to a client; the rest is counted in a last one. */
  readonly errorsMax: number;
}

export const ENGINE_LIMITS: EngineLimits = Object.freeze({
  documentBytesMax: 50_000,
  documentTokensMax: 2_000,
  documentDepthMax: 30,
  documentBracketsMax: 100,
  expandedFieldsMax: 5_000,
  planCacheEntriesMax: 500,
  operationTimeoutMs: 15_000,
  subgraphTimeoutMs: 5_000,
  subgraphConnectTimeoutMs: 2_000,
  subgraphConnectionsMax: 64,
  subgraphRequestsMax: 1_000,
  responseBytesMax: 10_000_000,
  responseDepthMax: 100,
  errorsMax: 500,
});
