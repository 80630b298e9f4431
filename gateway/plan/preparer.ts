// Prepares each operation once: known ones at once, and those that are being planned for all who ask at the same time.
import { type ErrorCode, isErrorCode } from '@weft/core/errors';
import type { DocumentNode, GraphQLSchema } from 'graphql';
import type { Authority } from '../authority/authority.ts';
import type { CostOf } from '../cost/operation-cost.ts';
import { ANONYMOUS, type Principal } from '../identity/principal.ts';
import type { EngineLimits } from '../limits.ts';
import type { EngineMeter, EngineStatus } from '../observe/meter.ts';
import type { PlanLimits } from './limits.ts';
import { createOperationCache, type OperationKey } from './operation-cache.ts';
import { chooseOverrides, readOverrideLabels } from './override-labels.ts';
import type { PlannerName } from './planner.ts';
import { createPlannerPool } from './planner-pool.ts';
import type { PlannerSpares } from './planner-spares.ts';
import { type PlannedOperation, prepareOperation, type RequestErrors } from './prepare.ts';

export interface PreparerOptions<Prepared> {
  readonly supergraphSdl: string;
  /** The same, parsed. */
  readonly document: DocumentNode;
  /** What clients see. */
  readonly schema: GraphQLSchema;
  readonly limits: EngineLimits;
  readonly planLimits?: Partial<PlanLimits> | undefined;
  /** Where planning processes come from; default: they are started. */
  readonly plannerSpares?: PlannerSpares | undefined;
  /** Undefined: the one that is right most often. */
  readonly planner?: PlannerName | undefined;
  readonly incrementalDelivery?: boolean | undefined;
  /** Undefined: whoever asks may have all. */
  readonly authority?: Authority | undefined;
  readonly costOf?: CostOf | undefined;
  /** Names of labels of progressive `@override` that are switched on; default none. */
  readonly overrideLabels?: readonly string[] | undefined;
  /** Whether clients may ask for the schema; default yes. */
  readonly introspection?: boolean | undefined;
  readonly meter?: EngineMeter | undefined;
  /** Makes of a plan what is kept and executed. */
  complete(planned: PlannedOperation): Prepared;
}

export interface Preparer<Prepared> {
  /** Resolves with the planner that is asked first; rejects with OperatorError when the supergraph cannot be planned on. */
  readonly ready: Promise<PlannerName>;
  /**
   * At once when the operation is known, or needs no planning, or is wrong.
   * @param principal default: the anonymous one
   */
  prepare(
    query: string,
    operationName?: string,
    principal?: Principal,
  ): Prepared | RequestErrors | Promise<Prepared | RequestErrors>;
  /** As `PlannerPool.isUp`. */
  canPlan(): boolean;
  status(): Pick<EngineStatus, 'cachedOperations' | 'planQueue'>;
  /** Ends the planning processes. */
  close(): void;
}

const PERCENT_MAX = 100;

export function createPreparer<Prepared extends object>(
  options: PreparerOptions<Prepared>,
): Preparer<Prepared> {
  const { supergraphSdl, planner, limits, meter } = options;
  const pool = createPlannerPool({ supergraphSdl, planner }, options.planLimits, options.plannerSpares);
  const labels = readOverrideLabels(options.document);
  const activeLabels = new Set(options.overrideLabels);
  const cache = createOperationCache<Prepared>(limits.planCacheEntriesMax, options.authority);
  const underWay = new Map<string, Promise<Prepared | RequestErrors>>();
  const prepareOptions = { ...options, plan: pool.plan };

  function keep(
    key: OperationKey,
    planned: PlannedOperation | RequestErrors,
    startedAtMs: number,
  ): Prepared | RequestErrors {
    meter?.prepared('errors' in planned ? codeOf(planned) : 'ok', performance.now() - startedAtMs);
    if ('errors' in planned) return planned;
    const prepared = options.complete(planned);
    cache.set(key, planned.usedRules, prepared);
    return prepared;
  }

  return {
    ready: pool.ready,
    prepare(query, operationName, principal = ANONYMOUS) {
      const overrides = chooseOverrides(labels, Math.random() * PERCENT_MAX, activeLabels);
      // An operation has a plan for each set of labels that it was asked under.
      const key: OperationKey = { query, operationName, labels: overrides.labels, principal };
      const known = cache.get(key);
      if (known !== undefined) {
        meter?.lookedUp('hit');
        return known;
      }
      const unknown = cache.keyOfUnknown(key);
      const pending = underWay.get(unknown);
      meter?.lookedUp(pending !== undefined ? 'pending' : 'miss');
      if (pending !== undefined) return pending;
      const startedAtMs = performance.now();
      const planned = prepareOperation(prepareOptions, query, operationName, overrides, principal);
      if (!(planned instanceof Promise)) return keep(key, planned, startedAtMs);
      const shared = planned
        .then((result) => keep(key, result, startedAtMs))
        .finally(() => underWay.delete(unknown));
      underWay.set(unknown, shared);
      return shared;
    },
    canPlan: () => pool.isUp(),
    status: () => ({ cachedOperations: cache.size, planQueue: pool.waiting() }),
    close: () => pool.close(),
  };
}

function codeOf({ errors }: RequestErrors): ErrorCode {
  const code = errors[0]?.extensions.code;
  return isErrorCode(code) ? code : 'INTERNAL_SERVER_ERROR';
}
