// The engine behind every transport: prepares operations once, runs them compiled against the subgraphs.
import type { AddressGuard } from '@weft/core/address-guard';
import { HubError, invariant } from '@weft/core/errors';
import type { Logger } from '@weft/core/logger';
import type { SubgraphKey } from '@weft/core/signatures/keys';
import { readTelling, TELL_HEADER, tellHeader } from '@weft/core/telling';
import type { ExecutionResult, GraphQLSchema } from 'graphql';
import { createAccessRules } from '../authority/access-rules.ts';
import { type Authority, createAuthority, type OnUnauthorized } from '../authority/authority.ts';
import type { Policies } from '../authority/requirement.ts';
import {
  type CompiledOperation,
  compileOperation,
  type ExecutionContext,
  type SupergraphFacts,
} from '../compile/compile-operation.ts';
import { createEntityBatches, type EntityBatches } from '../compile/entity-batches.ts';
import { finishPlan } from '../compile/finish-plan.ts';
import { partedSteps } from '../compile/parts.ts';
import { readCostRules } from '../cost/cost-rules.ts';
import { createCostOf } from '../cost/operation-cost.ts';
import type { Engine, OperationContext, PreparedOperation } from '../engine.ts';
import { createSubgraphClient, isInternal, type SubgraphClient } from '../fetch/subgraph-client.ts';
import type { Principal } from '../identity/principal.ts';
import { ENGINE_LIMITS, type EngineLimits } from '../limits.ts';
import type { Explanation } from '../observe/inspect.ts';
import type { EngineMeter } from '../observe/meter.ts';
import { planTree } from '../observe/plan-tree.ts';
import { buildSchemas } from '../plan/api-schema.ts';
import { withDefer } from '../plan/defer-rules.ts';
import { describeEventStream } from '../plan/describe-event-stream.ts';
import { hasDefer } from '../plan/planned-document.ts';
import type { PlannerName } from '../plan/planner.ts';
import type { PlannerSpares } from '../plan/planner-spares.ts';
import type { PlannedOperation } from '../plan/prepare.ts';
import { createPreparer, type Preparer } from '../plan/preparer.ts';
import { printPlan } from '../plan/print-plan.ts';
import { readSupergraphDocument, type SupergraphDocument } from '../plan/supergraph-document.ts';
import {
  type SubscriptionAddress,
  type SubscriptionSetting,
  subscriptionAddress,
} from '../upstream/settings.ts';
import { coerceVariables } from './coerce-variables.ts';
import type { Variables } from './collect-fields.ts';
import type { DataObject } from './data.ts';
import { describeUpstream, type UpstreamOptions } from './describe-upstream.ts';
import { toGraphQLError } from './error-list.ts';
import { projectMessage } from './event-message.ts';

export interface EngineOptions {
  readonly supergraphSdl: string;
  /** Name to URL, where they differ from those in the supergraph. */
  readonly subgraphUrls?: Readonly<Record<string, string>>;
  /** Name to where it takes subscriptions; default: its own address, over graphql-transport-ws. */
  readonly subscriptions?: Readonly<Record<string, SubscriptionSetting>>;
  readonly logger: Logger;
  readonly limits?: Partial<EngineLimits>;
  /** The planner that is asked first; default: the one that is right most often. */
  readonly planner?: PlannerName;
  /** Where planning processes come from, and go to when it is closed; default: they are started, and ended. */
  readonly plannerSpares?: PlannerSpares | undefined;
  /** Whether equal fetches of equal authority that are under way at the same moment share one answer; default false. */
  readonly shareInFlight?: boolean;
  /** Names of client headers that are sent on to every subgraph; default none. */
  readonly forwardedHeaders?: readonly string[];
  /** Who meets which `@policy`; default: nobody any. */
  readonly policies?: Policies;
  /** What becomes of an operation that asks for what its asker may not have; default `null`. */
  readonly onUnauthorized?: OnUnauthorized;
  /** That requests to subgraphs are signed with; default none, and nothing is signed. */
  readonly subgraphKeys?: readonly SubgraphKey[] | undefined;
  /** Whether messages of subgraphs' errors without a code of ours are logged and not told; default false. */
  readonly keepsBackOwnWords?: boolean;
  /** Names of labels of progressive `@override` that are switched on; default none. */
  readonly overrideLabels?: readonly string[];
  /** Whether clients may ask for the schema, and are told names that are like a wrong one; default true. */
  readonly introspection?: boolean;
  /** For the addresses of all subgraphs; default none: an operator wrote them. */
  readonly addressGuard?: AddressGuard | undefined;
  /** `subgraphTimeoutMs` of subgraphs that have another, by name. */
  readonly subgraphTimeouts?: ReadonlyMap<string, number> | undefined;
  /** Told of fetches and of operations that are prepared. */
  readonly meter?: EngineMeter | undefined;
  /** Told when an answer was not as it should be and had to be gone through for what is wrong. */
  readonly onSlowCompletion?: () => void;
}

/** An engine with sockets and processes to close. */
export interface GatewayEngine extends Engine {
  /** Resolves when operations can be planned; rejects with OperatorError when they cannot be on this supergraph. */
  readonly ready: Promise<unknown>;
  close(): Promise<void>;
}

/** An operation and what is kept with it; transports see `PreparedOperation` only. */
interface Prepared extends PreparedOperation {
  readonly planned: PlannedOperation;
  readonly compiled: CompiledOperation;
}

interface Shared {
  readonly schema: GraphQLSchema;
  readonly authority: Authority;
  readonly limits: EngineLimits;
  readonly suggests: boolean;
  readonly client: SubgraphClient;
  readonly batches?: EntityBatches | undefined;
  readonly logger: Logger;
}

/**
 * An engine for one supergraph. No subgraph is asked before an operation needs it.
 * @throws OperatorError when the text is not a Federation v2 supergraph
 */
export function createEngine(options: EngineOptions): GatewayEngine {
  const { supergraphSdl, logger } = options;
  const document = readSupergraphDocument(supergraphSdl);
  const parsed = document.ast;
  const { apiSchema, fullSchema } = buildSchemas(parsed);
  const schema = withDefer(apiSchema);
  const limits = { ...ENGINE_LIMITS, ...options.limits };
  const suggests = options.introspection !== false;
  const facts: SupergraphFacts = {
    schema,
    fullSchema,
    systemByCoordinate: document.systemByCoordinate,
    errorsMax: limits.errorsMax,
    depthMax: limits.responseDepthMax,
    onSlowCompletion: options.onSlowCompletion,
  };
  const urls = new Map([...document.urls, ...Object.entries(options.subgraphUrls ?? {})]);
  const upstream = { schema, limits, suggests, addresses: addressesOf(urls, options) };
  const client = createSubgraphClient({ ...options, urls, limits });
  const authority = createAuthority({ ...options, rules: createAccessRules(parsed, fullSchema), schema });
  const preparer: Preparer<Prepared> = createPreparer<Prepared>({
    supergraphSdl,
    document: parsed,
    schema,
    limits,
    planner: options.planner,
    plannerSpares: options.plannerSpares,
    overrideLabels: options.overrideLabels,
    incrementalDelivery: true,
    authority,
    introspection: suggests,
    costOf: createCostOf({ schema, rules: readCostRules(parsed), ...limits }),
    meter: options.meter,
    complete: (planned) => keep(planned, facts, document.streams, upstream),
  });
  const shared: Shared = { schema, authority, limits, suggests, client, logger };
  return {
    schema,
    ready: preparer.ready,
    prepare: preparer.prepare,
    canPlan: preparer.canPlan,
    execute: (operation, variables, context) =>
      executeWithin(shared, operation as Prepared, variables, context, () => ({})),
    executeIncrementally: (operation, variables, context) =>
      runWithin(
        shared,
        operation as Prepared,
        variables,
        context,
        ({ compiled }, coerced, execution) =>
          compiled.runIncrementally(coerced, execution) ?? compiled.run(coerced, execution, {}),
      ),
    ...liveParts({ ...shared, batches: createEntityBatches(client, limits) }),
    explain: (operation) => explain((operation as Prepared).planned, facts),
    status: () => ({ ...preparer.status(), breakers: client.breakers() }),
    close: async () => {
      preparer.close();
      await client.close();
    },
  };
}

/** What live operations are run with: entity requests of events that arrive together go as one. */
function liveParts(shared: Shared): Required<Pick<Engine, 'executeEvent' | 'executeResult'>> {
  return {
    executeEvent(operation, variables, message, context) {
      const { primary } = (operation as Prepared).planned.plan;
      return executeWithin(shared, operation as Prepared, variables, context, (coerced) =>
        primary === undefined ? {} : projectMessage(shared.schema, primary, coerced, message),
      );
    },
    executeResult: (operation, variables, result, context) =>
      runWithin(shared, operation as Prepared, variables, context, ({ compiled }, coerced, execution) =>
        compiled.runResult(coerced, execution, result),
      ),
  };
}

/** What is kept of an operation, and executed. */
function keep(
  planned: PlannedOperation,
  facts: SupergraphFacts,
  streams: SupergraphDocument['streams'],
  upstream: UpstreamOptions,
): Prepared {
  const compiled = compileOperation(planned, facts);
  return {
    kind: planned.operation.operation,
    name: planned.operation.name?.value,
    planner: planned.plan.planner,
    extent: planned.extent,
    cost: planned.cost,
    isDeferred: hasDefer(planned.document),
    eventStream: describeEventStream(facts.schema, streams, planned, upstream.suggests),
    upstream: describeUpstream(upstream, planned, compiled.primary),
    planned,
    compiled,
  };
}

/** Of all subgraphs but the one that the gateway answers itself. */
function addressesOf(
  urls: ReadonlyMap<string, string>,
  { subscriptions: settings = {}, addressGuard }: Pick<EngineOptions, 'subscriptions' | 'addressGuard'>,
): ReadonlyMap<string, SubscriptionAddress> {
  const named = [...urls].filter(([, url]) => !isInternal(url));
  return new Map(
    named.map(([name, url]) => {
      const setting = Object.hasOwn(settings, name) ? settings[name] : undefined;
      const isGuarded = addressGuard !== undefined;
      return [name, { ...subscriptionAddress(name, url, setting), isGuarded }] as const;
    }),
  );
}

function executeWithin(
  shared: Shared,
  prepared: Prepared,
  variables: Readonly<Record<string, unknown>>,
  context: OperationContext,
  initialData: (variables: Variables) => DataObject,
): Promise<ExecutionResult> {
  return runWithin(shared, prepared, variables, context, ({ compiled }, coerced, execution) =>
    compiled.run(coerced, execution, initialData(coerced)),
  );
}

/** Coerces, bounds the time, and makes every failure an answer. */
async function runWithin<Result>(
  shared: Shared,
  prepared: Prepared,
  variables: Readonly<Record<string, unknown>>,
  context: OperationContext,
  run: (prepared: Prepared, variables: Variables, execution: ExecutionContext) => Promise<Result>,
): Promise<Result | ExecutionResult> {
  const { traceId, principal } = context;
  requireSameAuthority(shared.authority, prepared.planned, principal);
  const coerced = coerceVariables(shared, prepared.planned, variables, traceId);
  if ('errors' in coerced) return coerced;
  const refusal = refuseCost(prepared, coerced.coerced);
  if (refusal !== undefined) return { errors: [toGraphQLError(refusal, traceId)] };
  if (context.watch !== undefined) context.watch.cost = prepared.cost?.estimate(coerced.coerced);
  try {
    // No timer and no signal of the operation's own: each of its calls ends by the deadline, and it waits for nothing else.
    const deadlineAtMs = performance.now() + shared.limits.operationTimeoutMs;
    const fetch = {
      signal: context.signal,
      deadlineAtMs,
      traceId,
      authority: principal.authority,
      principal,
      headers: context.headers,
      telling: tellingOf(context.headers?.[TELL_HEADER]),
      watch: context.watch,
    };
    const { client, batches, logger } = shared;
    return await run(prepared, coerced.coerced, { client, batches, fetch, logger });
  } catch (thrown) {
    const error = HubError.from(thrown);
    shared.logger.error({ err: thrown, traceId }, 'an operation failed in the hub itself');
    return { errors: [toGraphQLError(error, traceId)], data: null };
  }
}

/** Most ask for nothing. */
function tellingOf(header: unknown): string | undefined {
  return header === undefined ? undefined : tellHeader(readTelling(header));
}

/** An operation is prepared for what its asker may have: it must not be run for one who may have less. */
function requireSameAuthority(authority: Authority, planned: PlannedOperation, principal: Principal): void {
  if (planned.usedRules.length === 0) return;
  const { access } = authority.grantsOf(principal);
  const { access: prepared, usedRules } = planned;
  const isWithin =
    prepared === undefined
      ? !access.forbidsAny(usedRules)
      : usedRules.every((rule) => !access.forbidsAny([rule]) || prepared.forbidsAny([rule]));
  invariant(isWithin, 'an operation is run for one who may have all that it was prepared for');
}

/** With every `@defer` active, as `weft plan` shows it. */
function explain(planned: PlannedOperation, facts: SupergraphFacts): Explanation {
  const plan = { ...planned.plan, ...finishPlan(planned, facts) };
  const steps = partedSteps(planned, plan.steps) ?? plan.steps;
  return {
    text: printPlan({ ...plan, steps }),
    tree: steps === undefined ? undefined : planTree(steps),
  };
}

/** What was prepared is affordable but for what its variables make of it. */
function refuseCost({ cost }: Prepared, variables: Variables): HubError | undefined {
  if (cost?.require === undefined) return undefined;
  try {
    cost.require(variables);
    return undefined;
  } catch (thrown) {
    return HubError.from(thrown);
  }
}
