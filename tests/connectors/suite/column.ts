// What a protocol gives the one suite: an old system that can be started, filled, broken and counted. The cases are in cases.ts.

/** Every case of the suite, in the order of the table: connectors.md, "Every connector passes one suite". */
export const CASES = [
  'check',
  'discover',
  'fetch',
  'batch',
  'missing',
  'duplicate',
  'slow',
  'half body',
  'reset',
  'wrong charset',
  'wrong type',
  'auth expired',
  'budget kept',
  'write unknown',
  'ingest twice',
  'ingest out of order',
  'restart in the middle',
] as const;

export type CaseName = (typeof CASES)[number];

/** A record of the old system's book. In the graph: `Record`, whatever the old system calls it. */
export interface SuiteRecord {
  /** Letters, digits and `-`. */
  readonly id: string;
  /** May hold any Chinese character that GB 18030 has. */
  readonly name: string;
  /** A division code. */
  readonly area: string;
  readonly state: 'OPEN' | 'CLOSED';
  /** Grows with each change of the record. */
  readonly version: number;
  /** RFC 3339 with offset. */
  readonly changedAt: string;
}

/** What a simulated old system can be told to do wrong until it is told otherwise. */
export type SuiteFault =
  /** Answers after the guard's time-out. */
  | 'slow'
  /** Ends an answer in its middle, the connection in good order where the protocol allows. */
  | 'half body'
  /** Resets the connection instead of answering. */
  | 'reset'
  /** Answers in a charset that is not the one agreed, with bytes that are none of it. */
  | 'wrong charset'
  /** Gives text that is no number where `version` is expected, in all records. */
  | 'wrong type'
  /** Refuses the hub's credentials. */
  | 'auth expired'
  /** Gives every record twice. */
  | 'duplicate'
  /** Applies the write, then breaks the connection before any answer. */
  | 'write lost';

/** One running old system, wrapped. */
export interface SuiteSystem {
  /** The folder with the SDL that wraps it, and its contract. Its name is the system's name. */
  readonly folder: string;
  /** What the SDL's templates read, and its secrets as `SECRET_*`. */
  readonly env: Readonly<Record<string, string>>;
  /** What `weft connect discover` is given for this protocol (`--wsdl FILE` and the like); undefined where the case cannot occur. */
  readonly discover?: readonly string[] | undefined;
  /** Puts records into the old system's book without a word to the hub. */
  put(records: readonly SuiteRecord[]): Promise<void>;
  /**
   * Tells the hub of a change by the protocol's own way: a message, a delivery, a file, a row that a poll will find.
   * @param ingestUrl the webhook receiver's address
   * @returns when the old system considers it told (acknowledged, or lying where the hub will find it)
   */
  push?(record: SuiteRecord, ingestUrl: string): Promise<void>;
  /**
   * Set where the graph's `Record` is loaded from the connectors' own store: what was not pushed is not there, no read
   * reaches the old system, and a fault means what is pushed under it. The cases then push where they else would put.
   */
  readonly readsStore?: true | undefined;
  /** Reads that reached the old system since it was started. */
  reads(): Promise<number>;
  /** The most calls that were ever in work at once. */
  concurrentReadsMax(): Promise<number>;
  /** How often a write with this client number was applied to the book. */
  applied?(requestId: string): Promise<number>;
  /** Undefined mends everything. Rejects for a fault that the column declares impossible. */
  fault(fault: SuiteFault | undefined): Promise<void>;
  /** Ends the old system (or its broker's connection) at once, and starts it again with the same book. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

export interface Column {
  /** As the table's head prints it: `REST/JSON`, `SOAP 1.2`, `MQTT 5`. */
  readonly protocol: string;
  /** Cells that cannot occur, with the reason that the table prints. Every other cell must pass. */
  readonly cannotOccur: Partial<Readonly<Record<CaseName, string>>>;
  /** Why it cannot be run on this machine; undefined when it can. */
  whyNot(): Promise<string | undefined>;
  start(): Promise<SuiteSystem>;
}

/**
 * The graph that every column's SDL serves, so that a case need not know the protocol. A column leaves out what its
 * cells cannot do: one that only takes in has no `renameRecord`, and loads `Record` from the store.
 *
 *     type Query { records(area: ID!): [Record!] record(id: ID!): Record }
 *     type Record @key(fields: "id") { id: ID! name: String area: ID state: RecordState version: Int changedAt: DateTime }
 *     enum RecordState { OPEN CLOSED }
 *     type Mutation { renameRecord(id: ID!, name: String!, requestId: ID!): CommandReceipt }
 *     type Subscription { recordChanged(after: Cursor): RecordChanged! }
 *
 * The guard: timeout 400 ms, concurrency 3, retries 0, breaker minCalls 1000 (so that no case meets another's open breaker);
 * `batch.max` 20 where the protocol batches.
 */
export const SUITE_GUARD = { timeoutMs: 400, concurrency: 3, batchMax: 20 } as const;
