// One wrapped system at run time: its plan, its opened sources, each behind its guard.
import { invariant } from '@weft/core/errors';
import type { Logger } from '@weft/core/logger';
import type { Secrets } from '@weft/core/secrets';
import type { MappingScope } from '@weft/schema/mapping/compile';
import { createGuard, type Guard } from '../guard/guard.ts';
import type { Store } from '../ingest/store.ts';
import type { CallWatch } from '../observe/observed-calls.ts';
import { type CalledSource, type OpenedSource, openSource } from '../open-source.ts';
import type { SourcePlan, SystemPlan } from '../plan.ts';
import { ownProtection, type Protection } from '../protection.ts';
import type { CallContext } from '../upstream-error.ts';
import { createUnknownValues } from './unknown-values.ts';

/** A source that is called. */
export interface GuardedSource {
  readonly plan: CalledSource;
  readonly opened: OpenedSource;
  readonly guard: Guard;
}

export interface RunningSystem {
  readonly plan: SystemPlan;
  /** The called sources by name; webhooks are not among them. */
  readonly sources: ReadonlyMap<string, GuardedSource>;
  /** Where what was taken in is kept. Undefined in a system that keeps nothing: its plan reads nothing from there. */
  readonly store: Store | undefined;
  /** What mappings see as `$env`. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly logger: Logger;
  /** Told of each value that is not in its code table, or cannot be read as what it is to be. */
  readonly onUnknownValue: (context: CallContext, value: string) => void;
  /** The host's: the system does not close it. */
  readonly protection: Protection;
  /** Sees every call that reaches a source; only a developer's server has one. */
  readonly calls?: CallWatch | undefined;
  close(): Promise<void>;
}

export interface OpenSystemOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly secrets: Secrets;
  readonly logger: Logger;
  /** Needed by what reads the store (`@connect(store: true)`). */
  readonly store?: Store | undefined;
  /** Shared by all systems of a host; default: the system has one of its own, in this process. */
  readonly protection?: Protection | undefined;
  readonly calls?: CallWatch | undefined;
}

/**
 * Opens every source of a system without connecting to any: one that is away does not stop the others.
 * @throws OperatorError for missing settings, secrets or contracts
 */
export async function openSystem(plan: SystemPlan, options: OpenSystemOptions): Promise<RunningSystem> {
  const sources = new Map<string, GuardedSource>();
  const { protection = ownProtection() } = options;
  const close = async () => {
    await Promise.all([...sources.values()].map(({ opened }) => opened.client.close()));
  };
  try {
    for (const source of plan.sources.values()) {
      if (!isCalled(source)) continue;
      const scope: MappingScope = { env: options.env, timezone: source.timezone };
      const opened = await openSource(plan.name, source, scope, options.secrets);
      sources.set(source.name, {
        plan: source,
        opened,
        guard: createGuard(plan.name, source.name, source.guard, {
          timezone: source.timezone,
          replica: protection.replica,
        }),
      });
    }
  } catch (thrown) {
    await close();
    throw thrown;
  }
  const { store } = options;
  const logger = options.logger.child({ system: plan.name });
  return {
    plan,
    sources,
    store,
    protection,
    calls: options.calls,
    env: options.env,
    logger,
    onUnknownValue: createUnknownValues(logger),
    close,
  };
}

function isCalled(source: SourcePlan): source is CalledSource {
  return source.protocol !== 'webhook' && source.protocol !== 'files';
}

/** The compiler has checked that every source a plan names is there and of the right kind. */
export function sourceOf(system: RunningSystem, name: string): GuardedSource {
  const source = system.sources.get(name);
  invariant(source !== undefined, `source ${name} of ${system.plan.name} is not opened`);
  return source;
}
