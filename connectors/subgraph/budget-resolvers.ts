// Resolvers of the subgraph `connectors` for what protects the systems' sources.
import type { GuardedSource } from '../load/system.ts';
import type { OwnContext } from './own-subgraph.ts';

/** Type to field to resolver; times go out as RFC 3339. A system that the host does not serve has no budgets that it knows: null. */
export function budgetResolvers() {
  return {
    System: {
      budgets: ({ name }: { readonly name: string }, _: unknown, { parts }: OwnContext) => {
        const system = parts.systems.find(({ plan }) => plan.name === name);
        return system === undefined ? null : [...system.sources.values()].map(budgetOf);
      },
    },
  };
}

function budgetOf({ plan: { name, protocol, timezone, guard: plan }, guard }: GuardedSource) {
  const { breaker, lastOkAt, lastFailure, callsLastMinute, quiet } = guard.state();
  return {
    source: name,
    protocol,
    ratePerSecond: plan.rate?.perSecond,
    burst: plan.rate?.burst,
    concurrency: plan.concurrency,
    timeoutMs: plan.timeoutMs,
    quietHours: (plan.quiet ?? []).map(({ text }) => text),
    timezone,
    isQuiet: quiet !== undefined,
    breaker,
    callsLastMinute,
    lastOkAt: lastOkAt?.toISOString(),
    lastFailureAt: lastFailure?.at.toISOString(),
    lastFailureCode: lastFailure?.error.code,
  };
}
