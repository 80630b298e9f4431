// Every bound of the gateway's engine and its HTTP door, by name, with its default.

export interface EngineLimits {
  /** Bytes of a GraphQL document in UTF-8. */
  readonly documentBytesMax: number;
  /** Lexical tokens of a document, comments among them. */
  readonly documentTokensMax: number;
  /** Nested selection sets, fragments expanded. */
  readonly documentDepthMax: number;
  /** Brackets of any kind that are open at once: the parser recurses into them. */
  readonly documentBracketsMax: number;
  /** Fields after every fragment spread is expanded: a short document can spread its way to billions. */
  readonly expandedFieldsMax: number;
  /** Aliases, fragments expanded: under them one field is asked for again and again. */
  readonly aliasesMax: number;
  /** Root fields of a query, fragments expanded. */
  readonly rootFieldsMax: number;
  /** Root fields of a mutation: each is a guess, of a password for one. */
  readonly mutationFieldsMax: number;
  /** Directives of a document. */
  readonly directivesMax: number;
  /** Operations of a document, of which one is run. */
  readonly documentOperationsMax: number;
  /** Fragments of a document. */
  readonly documentFragmentsMax: number;
  /** Fields that are visited to find out whether those of one name can be merged. */
  readonly overlapStepsMax: number;
  /** Mistakes of a document that are told, the one that says that there may be more among them. */
  readonly validationErrorsMax: number;
  /** Estimated cost of one operation: objects, times the length of the lists that they are in. */
  readonly costMax: number;
  /** Length of a list of which the supergraph says nothing. */
  readonly listSizeAssumed: number;
  /** Nested objects and lists in variables. */
  readonly variablesDepthMax: number;
  /** Prepared operations that are kept; the one not used for longest goes first. */
  readonly planCacheEntriesMax: number;
  /** From the start of a query or mutation, or of one event of a subscription, to its answer. */
  readonly operationTimeoutMs: number;
  /** One request to one subgraph. */
  readonly subgraphTimeoutMs: number;
  readonly subgraphConnectTimeoutMs: number;
  /** Sockets to one subgraph, and requests that are sent to it at one moment. */
  readonly subgraphConnectionsMax: number;
  /** A socket that is idle for so long is closed, unless the subgraph asks for less. */
  readonly subgraphKeepAliveMs: number;
  /** Requests to one subgraph that are sent or wait for a socket. */
  readonly subgraphRequestsMax: number;
  /** Failures in a row after which a subgraph is only probed. */
  readonly breakerFailuresMax: number;
  /** From one probe of a failing subgraph to the next. */
  readonly breakerProbeIntervalMs: number;
  /** Retries to one subgraph as a share of its calls. */
  readonly retryRatioMax: number;
  /** Retries that the first calls may have before any share is earned. */
  readonly retryReserve: number;
  /** Retries that may be saved up. */
  readonly retryBudgetMax: number;
  /** A fetch is joined by an equal one in its first so many milliseconds: who joins has so much less time at most. */
  readonly shareAgeMsMax: number;
  /** Bytes of one subgraph's answer, as it comes and once more when it is inflated. */
  readonly responseBytesMax: number;
  /** Nested objects and lists in one subgraph's answer. */
  readonly responseDepthMax: number;
  /** Answers of more characters are walked whole for their depth; of others, along first elements. */
  readonly depthScanCharsMin: number;
  /** Errors in one subgraph's answer that are decoded; the rest is counted in a last one. */
  readonly upstreamErrorsMax: number;
  /** Representations in one request that entity fetches of several events share. */
  readonly batchEntitiesMax: number;
  /** Errors in one answer to a client; the rest is counted in a last one. */
  readonly errorsMax: number;
}

export const ENGINE_LIMITS: EngineLimits = Object.freeze({
  documentBytesMax: 50_000,
  documentTokensMax: 2_000,
  documentDepthMax: 30,
  documentBracketsMax: 100,
  expandedFieldsMax: 5_000,
  aliasesMax: 100,
  rootFieldsMax: 50,
  mutationFieldsMax: 20,
  directivesMax: 100,
  documentOperationsMax: 50,
  documentFragmentsMax: 100,
  overlapStepsMax: 10_000,
  validationErrorsMax: 5,
  costMax: 1_000_000,
  listSizeAssumed: 10,
  variablesDepthMax: 50,
  planCacheEntriesMax: 500,
  operationTimeoutMs: 15_000,
  subgraphTimeoutMs: 5_000,
  subgraphConnectTimeoutMs: 2_000,
  subgraphConnectionsMax: 64,
  subgraphKeepAliveMs: 4_000,
  subgraphRequestsMax: 1_000,
  breakerFailuresMax: 5,
  breakerProbeIntervalMs: 1_000,
  retryRatioMax: 0.1,
  retryReserve: 10,
  retryBudgetMax: 100,
  shareAgeMsMax: 1_000,
  responseBytesMax: 10_000_000,
  responseDepthMax: 100,
  depthScanCharsMin: 1_000_000,
  upstreamErrorsMax: 2_000,
  batchEntitiesMax: 1_000,
  errorsMax: 500,
});
