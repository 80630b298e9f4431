// What the gateway's transports ask of its engine: prepare an operation once, execute it many times.
import type { ExecutionResult, GraphQLError, GraphQLSchema } from 'graphql';
import type { UpstreamError } from './fetch/answer.ts';
import type { ClientHeaders } from './fetch/forwarded-headers.ts';
import type { Told } from './fetch/told.ts';
import type { Principal } from './identity/principal.ts';
import type { Explanation } from './observe/inspect.ts';
import type { EngineStatus } from './observe/meter.ts';
import type { OperationWatch } from './observe/operation-watch.ts';
import type { PlannerName } from './plan/planner.ts';
import type { StopSignal } from './stop-signal.ts';
import type { SubscriptionAddress } from './upstream/settings.ts';

/** Who asks, and until when. */
export interface OperationContext {
  /** Aborts when the client goes away or the operation's deadline passes. */
  readonly signal: StopSignal;
  /** 32 hex digits, sent upstream in `traceparent` and to the client in `extensions.traceId` of every error. */
  readonly traceId: string;
  /** The one who asks. */
  readonly principal: Principal;
  /** Of the client's request, or of the upgrade that its WebSocket began with; only those of `forwardedHeaders` go on to subgraphs. */
  readonly headers?: ClientHeaders | undefined;
  /** A cursor that the client gave beside a live operation (`Last-Event-ID`): it counts, and not the operation's own `after`. */
  readonly after?: string | undefined;
  /** What the operation's fetches add to; undefined where nobody observes. */
  readonly watch?: OperationWatch | undefined;
}

/** An operation that was parsed, validated and planned against one supergraph. Immutable; cached by document and operation name. */
export interface PreparedOperation {
  readonly kind: 'query' | 'mutation' | 'subscription';
  /** As the document has it. */
  readonly name?: string | undefined;
  /** Which planner planned it; undefined when there was nothing to plan. */
  readonly planner?: PlannerName | undefined;
  /** Whether parts of its answer may follow the first. */
  readonly isDeferred?: boolean | undefined;
  /** With its fragments expanded; undefined where it was not measured. */
  readonly extent?: OperationExtent | undefined;
  /** Undefined where costs are not reckoned. */
  readonly cost?: OperationCost | undefined;
  /** The live root field, for `kind: 'subscription'`. */
  readonly eventStream?: EventStreamField | undefined;
  /** The same, where a subgraph serves the field itself. */
  readonly upstream?: UpstreamField | undefined;
}

/** How much an operation asks for. */
export interface OperationExtent {
  readonly fields: number;
  readonly aliases: number;
  /** Nested selection sets. */
  readonly depth: number;
  /** Root fields. */
  readonly width: number;
}

/** What an operation costs, in objects that systems have to find (https://ibm.github.io/graphql-specs/cost-spec.html). */
export interface OperationCost {
  /**
   * Before it is run.
   * @throws HubError BAD_USER_INPUT when a list's size is not said where it has to be
   */
  estimate(variables: Readonly<Record<string, unknown>>): number;
  /**
   * Undefined when no variables change the estimate, which was below the maximum when the operation was prepared.
   * @throws HubError LIMIT_EXCEEDED naming estimate and maximum
   */
  readonly require: ((variables: Readonly<Record<string, unknown>>) => void) | undefined;
  /** Of an answer's `data`, by a walk through it: for who logs or measures. */
  actual(data: unknown): number;
}

/** A Subscription field with `@eventStream`, as the supergraph has it, and how the operation calls it. */
export interface EventStreamField {
  /** The field's name in the schema. */
  readonly field: string;
  /** The name under which the client wants it. */
  readonly responseName: string;
  /** Several with commas between them: `@weft/events/several-topics`. */
  readonly topic: string;
  /** A selection set on the field's return type: what the event's data brings. */
  readonly message: string;
  /** Filter on the event's data, in the mapping grammar. */
  readonly where: string | undefined;
  /** The name of the field's return type. */
  readonly returnType: string;
  /** Whether changes of one subject may be gathered: the field has the argument `intervalMs`. */
  readonly coalesces?: boolean | undefined;
  /** What the message is picked from, in the mapping grammar over the event's data and the field's arguments; undefined: the event's data. */
  readonly brings?: string | undefined;
  /** The shortest interval of a field that coalesces, and its default. */
  readonly everyMs?: number | undefined;
  /** Where the current state comes from: a field of Query with its arguments, in the words of the directive; undefined: nowhere. */
  readonly snapshot?: string | undefined;
  /** The field's arguments with variables replaced and defaults filled in. */
  argumentsOf(variables: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>>;
  /**
   * The operation's variables, coerced, but for those that say nothing but where to begin (`after`, `from`): who have
   * these equal get the same of each event.
   */
  sharedVariables(variables: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>>;
}

/** A Subscription field that a subgraph serves itself, and what that is asked: all else of the operation is fetched for each result. */
export interface UpstreamField extends SubscriptionAddress {
  /** The subgraph's name in the supergraph. */
  readonly system: string;
  readonly document: string;
  readonly operationName: string | undefined;
  /**
   * All of the operation's variables, coerced: who have these equal get the same of each result.
   * @throws HubError as `variablesOf`
   */
  sharedVariables(variables: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>>;
  /**
   * The variables that the document uses, coerced.
   * @throws HubError BAD_USER_INPUT, or LIMIT_EXCEEDED when they are nested too deep
   */
  variablesOf(variables: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>>;
}

/** What a subgraph answered to the primary fetch of a subscription, decoded: paths begin at its data. */
export interface PrimaryResult {
  readonly data: Readonly<Record<string, unknown>> | null;
  readonly errors: readonly UpstreamError[];
  readonly told?: Told | undefined;
}

/** What comes of preparing: an operation, or why there is none. */
export type Preparation = PreparedOperation | { readonly errors: readonly GraphQLError[] };

/** An answer in parts (https://github.com/graphql/defer-stream-wg, as of 2022-08-24): the first, and those that follow. */
export interface IncrementalExecution {
  readonly initial: ExecutionResult & { readonly hasNext: true };
  /** Ends after the result with `hasNext: false`. To `return()` from it is to want no more. */
  readonly subsequent: AsyncGenerator<SubsequentResult, void, undefined>;
}

export interface SubsequentResult {
  readonly incremental?: readonly IncrementalResult[];
  readonly hasNext: boolean;
  readonly extensions?: Readonly<Record<string, unknown>> | undefined;
}

/** A deferred fragment at one object of the answer. */
export interface IncrementalResult {
  readonly label?: string;
  readonly path: readonly (string | number)[];
  /** Null when one of its fields was null where null is not allowed. */
  readonly data: Record<string, unknown> | null;
  readonly errors?: readonly GraphQLError[];
}

export interface Engine {
  /** The schema that clients see. */
  readonly schema: GraphQLSchema;
  /**
   * Parses, validates and plans; the errors carry a code. At once when the operation is known, and a promise when it has to be
   * planned; who asks for the same text meanwhile gets the same promise, and who asks later the same prepared operation, if they
   * may have the same of it.
   * @param principal who asks, and for whom alone it may be executed; default: the anonymous one
   */
  prepare(query: string, operationName?: string, principal?: Principal): Preparation | Promise<Preparation>;
  /** Runs a query or mutation. Never rejects for a subgraph's failure: partial data and path-true errors are in the result. */
  execute(
    operation: PreparedOperation,
    variables: Readonly<Record<string, unknown>>,
    context: OperationContext,
  ): Promise<ExecutionResult>;
  /**
   * As `execute`, but what is under an active `@defer` follows when it is there. For operations that are `isDeferred`; a whole
   * answer when nothing is held back under these variables.
   */
  readonly executeIncrementally?:
    | ((
        operation: PreparedOperation,
        variables: Readonly<Record<string, unknown>>,
        context: OperationContext,
      ) => Promise<ExecutionResult | IncrementalExecution>)
    | undefined;
  /**
   * Whether operations that are not known yet can be planned; who asks while they cannot has the planner started again.
   * Undefined: always.
   */
  readonly canPlan?: (() => boolean) | undefined;
  /**
   * Runs the entity fetches of one event of a subscription.
   * @param message the live field's value as the event brings it: `cursor`, `gap`, and the fields of `message`, entities by their keys
   */
  executeEvent(
    operation: PreparedOperation,
    variables: Readonly<Record<string, unknown>>,
    message: Readonly<Record<string, unknown>>,
    context: OperationContext,
  ): Promise<ExecutionResult>;
  /**
   * Runs what follows the primary fetch of a subscription that a subgraph serves itself.
   * @param result as it came; it is not changed, and may be given for many operations
   */
  readonly executeResult?:
    | ((
        operation: PreparedOperation,
        variables: Readonly<Record<string, unknown>>,
        result: PrimaryResult,
        context: OperationContext,
      ) => Promise<ExecutionResult>)
    | undefined;
  /** How an operation is answered, for those who may look inside. */
  readonly explain?: ((operation: PreparedOperation) => Explanation) | undefined;
  /** How the engine stands at the moment. */
  readonly status?: (() => EngineStatus) | undefined;
}
